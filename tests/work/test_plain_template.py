"""A base without a chat template, all the way: offered, trained under the plain one, asked, measured and taken home."""

import json
import shutil

import pytest
from test_training import FEW, over, until, write

from studio.core.errors import ModelNotReady
from studio.core.records import Sampling
from studio.engine import rehearsal
from studio.store import evaluations
from studio.work import comparing, evaluating, exporting, models, planning, training, writing
from studio.work.evaluation_plan import Words
from studio.work.studio import owner


@pytest.fixture
def bare(tmp_path):
    folder = rehearsal.make(tmp_path / "bare")
    settings = folder / "tokenizer_config.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "chat_template": None}))
    return folder


def test_it_is_used_in_the_same_way_everywhere(studio, bare, tmp_path):
    project = writing.project(studio, "harbour").id
    write(studio, writing.by_id(studio, project), 24)
    models.choose(studio, owner(), project, str(bare))
    for using in (
        lambda: planning.plan(studio, project),
        lambda: training.start(studio, owner(), project, **FEW),
        lambda: evaluating.begin(studio, owner(), project, ["prompt"], Words("Be brief.")),
    ):
        with pytest.raises(ModelNotReady, match="has no chat template"):
            using()

    assert models.use_plain(studio, owner(), project).base == f"plain:{bare}"
    run = until(studio, training.start(studio, owner(), project, **FEW).id, over)
    assert run.state == "finished", run
    arms = comparing.arms(studio, project)
    *_, answers = comparing.ask(studio, project, arms, [()] * 2, "Where is parcel 3?", Sampling(8), lambda: False)  # fmt: skip
    assert [each.done for each in answers] == [True, True]
    begun = evaluating.begin(studio, owner(), project, ["prompt", f"run:{run.id}"], Words("Be brief."), 1)
    done = until_over(studio, begun)
    assert (done.state, done.trouble) == ("done", "")

    files = exporting.bundle(studio, run.id, "adapter", tmp_path / "out")
    assert {"chat_template.jinja", "tokenizer.json"} <= {each.name for each in files}
    assert exporting.parity(studio, run.id, "adapter", tmp_path / "out").alike == 1
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(bare)
    shutil.rmtree(bare)
    assert "is not there" in models.base(studio, project).trouble


def until_over(studio, evaluation):
    until(studio, "1", lambda run: evaluations.load(studio.home, evaluation.id).state != "going")
    return evaluations.load(studio.home, evaluation.id)
