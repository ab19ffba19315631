"""The choice of another tool's log in the Train tab."""

from studio.engine import trackers
from studio.ui import train_tracker


def test_the_choice_is_kept_and_says_where_its_logs_lie_and_how_to_look_at_them(studio, ada):
    assert train_tracker.on_show(studio, ada) == ("", "")
    name, said = train_tracker.on_choose(studio, ada, "tensorboard")

    assert name == "tensorboard"
    assert f"tensorboard --logdir &quot;{studio.home.runs}&quot;" in said
    assert train_tracker.on_show(studio, ada) == (name, said)
    assert train_tracker.on_choose(studio, ada, "") == ("", "")


def test_what_is_not_installed_is_not_chosen_and_says_how_to_install_it(studio, ada, monkeypatch):
    train_tracker.on_choose(studio, ada, "tensorboard")
    monkeypatch.setattr(trackers, "find_spec", lambda package: None)
    name, said = train_tracker.on_choose(studio, ada, "trackio")

    assert name == "tensorboard"
    assert "-m pip install trackio" in said
    assert "no tracker named" in train_tracker.on_choose(studio, ada, "wandb")[1]
