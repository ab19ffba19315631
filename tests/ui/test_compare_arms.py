"""The models that can be chosen in Compare."""

import json

from made import finished
from test_compare import opened

from studio.ui import compare_arms, compare_blind


def keep_points(folder, *updates):
    card = json.loads((folder / "card.json").read_text())
    card["points"] = [
        {"update": each, "held_out_loss": 2.8, "general_loss": 1.5, "sha256": ""} for each in updates
    ]
    (folder / "card.json").write_text(json.dumps(card))
    for each in updates:
        (folder / "points" / str(each)).mkdir(parents=True)
        (folder / "points" / str(each) / "adapter_model.safetensors").write_bytes(b"weights")


def test_each_run_is_followed_by_its_points_the_newest_run_first(studio, ada, project):
    keep_points(finished(studio, project), 20, 40)
    finished(studio, project)
    expected = [
        ("Base as it came", "base"),
        ("Run 2 (standard, −35 %)", "run:2"),
        ("Run 1 (standard, −35 %)", "run:1"),
        ("\u2003Run 1 after 20 of 40 updates (−22 %)", "run:1@20"),
        ("\u2003Run 1 after 40 of 40 updates (−22 %)", "run:1@40"),
    ]

    assert compare_arms.choices(studio, project) == expected
    assert opened(studio, ada, project).arms[0]["choices"] == expected


def test_a_chosen_point_stays_chosen_and_one_that_is_gone_is_not_offered(studio, ada, project):
    folder = finished(studio, project)
    keep_points(folder, 20)
    offered = {"project": project, "newest": "run:1"}
    sides = ("run:1@20", "run:1")
    assert opened(studio, ada, project, sides, offered=offered).arms[0]["value"] == "run:1@20"

    (folder / "points" / "20" / "adapter_model.safetensors").unlink()
    assert opened(studio, ada, project, sides, offered=offered).arms[0]["value"] == "base"


def test_blind_judging_offers_the_same_ones(studio, ada, project):
    keep_points(finished(studio, project), 20)
    shown = compare_blind.on_judge(studio, ada, project)

    assert [each["arm"] for each in shown["arms"]] == ["base", "run:1", "run:1@20"]
