"""Did the style transfer? What the card in Compare shows, with scripted answers."""

import pytest
from made import finished

from studio.core.errors import NotFound
from studio.core.estimate import Estimate
from studio.core.growth import Stand
from studio.ui import compare_verdict, show_verdict
from studio.work import score_card

PLACE, RUN, SHOWN, HINT, MEASURE = range(5)
HOSTILE = "<script>window.bad=1</script>"


def test_without_a_run_there_is_no_card(studio, ada, project):
    assert compare_verdict.on_open(studio, ada, project, None)[PLACE]["visible"] is False
    assert compare_verdict.on_open(studio, ada, None, None)[PLACE]["visible"] is False


def test_the_newest_run_is_shown_and_the_chosen_one_stays(studio, ada, project):
    finished(studio, project)
    finished(studio, project)

    opened = compare_verdict.on_open(studio, ada, project, None)
    assert opened[PLACE]["visible"]
    assert [value for _, value in opened[RUN]["choices"]] == ["2", "1"]
    assert opened[RUN]["value"] == "2"
    assert compare_verdict.on_open(studio, ada, project, "1")[RUN]["value"] == "1"
    assert compare_verdict.on_open(studio, ada, project, "99")[RUN]["value"] == "2"


def test_what_is_missing_is_said_with_the_button_that_gets_it(studio, ada, project):
    finished(studio, project)
    shown, hint, button = compare_verdict.on_read(studio, ada, project, "1")

    assert "not yet known" in shown
    assert "Measure what is missing" in shown
    assert "Run on held-out in the Prompt tab" in shown
    assert "what was forgotten" in hint
    assert button["visible"]


def test_the_measured_quiz_is_shown_with_what_was_lost_escaped(studio, ada, project, engine):
    finished(studio, project)
    questions = score_card.questions()
    engine.script = [each.expected[0] for each in questions] + [HOSTILE] * len(questions)
    compare_verdict.on_measure(studio, ada, project, "1")
    shown, hint, button = compare_verdict.on_read(studio, ada, project, "1")

    assert f"the base answers {len(questions)} right and run 1 answers 0:" in shown
    assert "serious side effects" in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown
    assert hint == ""
    assert not button["visible"]


@pytest.mark.parametrize("run", [None, "", "99", ["1"], {"id": "1"}])
def test_a_run_that_the_page_made_up_is_refused(studio, ada, project, run):
    finished(studio, project)
    for handler in (compare_verdict.on_read, compare_verdict.on_measure):
        with pytest.raises(NotFound):
            handler(studio, ada, project, run)


def test_the_interval_is_drawn_vote_by_vote_and_told_in_words():
    def stand(clear, half):
        return Stand(clear, Estimate(0.7, 0.7 - half, 0.7 + half), Estimate(0.7, 0.65 - half, 0.75 + half))

    drawn = show_verdict.grown([stand(clear, 0.25 / clear) for clear in (1, 2, 4)])
    assert "After 4 clear votes the run is preferred in 70 %" in drawn
    assert drawn.count("<svg") == 2
    assert "NaN" not in drawn
    assert show_verdict.grown([stand(1, 0.2)]) == ""
