"""The Check tab: the set's numbers, its findings, and one conversation as the model sees it."""

import warnings
from types import SimpleNamespace

import pytest
from made import built, talk, write, write_many

from studio.core.errors import BadInput, NotFound
from studio.core.records import Finding, Message, Token
from studio.ui import check, show_check

HEALTH, FINDINGS, LOOKING, XRAY = range(4)


def test_the_tab_is_wired_without_a_warning(studio):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert built(check, studio).label == "Check"


def test_the_sets_numbers_are_counted(studio, ada, project):
    write(studio, ada, project, talk("one two", "three four five"), talk("six", "seven"))
    shown = check.on_open(studio, ada, project)

    assert ">2</b><span>conversations<" in shown[HEALTH]
    assert ">4</b><span>turns<" in shown[HEALTH]
    assert ">7</b><span>tokens" in shown[HEALTH]
    assert ">4</b><span>learned tokens: those of the answers, 57 % of all<" in shown[HEALTH]
    assert ">1</b><span>conversations held out" in shown[HEALTH]
    assert shown[LOOKING]["visible"] is True


def test_without_the_base_tokens_are_not_known_and_the_rest_is(studio, ada, project, engine):
    engine.path = None
    write_many(studio, ada, project, 3)
    shown = check.on_open(studio, ada, project)

    assert shown[HEALTH].count("not known yet") == 2
    assert ">3</b><span>conversations<" in shown[HEALTH]
    assert shown[LOOKING]["visible"] is False


def test_an_empty_set_says_what_to_do_first(studio, ada, project):
    assert "No examples yet" in check.on_open(studio, ada, project)[FINDINGS]


def test_a_clean_set_is_said_to_be_clean(studio, ada, project):
    write_many(studio, ada, project, 3)

    assert "Nothing to mend" in check.on_open(studio, ada, project)[FINDINGS]


def test_findings_stand_by_rule_with_their_number_the_worst_first(studio, ada, project):
    write(
        studio,
        ada,
        project,
        talk("Dear [NAME]", "Hello."),
        (Message("user", "Anybody?"),),
        talk("Dear [CUSTOMER]", "Hello."),
    )
    shown = check.on_open(studio, ada, project)[FINDINGS]

    assert shown.index("Cannot be learned from") < shown.index("Gaps left open")
    assert "1 to mend" in shown
    assert "2 to look at" in shown
    assert 'data-id="2"' in shown
    assert "“[NAME]” looks like a gap" in shown


def test_long_lists_of_findings_are_cut_and_the_rest_counted():
    many = [Finding("duplicate", "warning", str(n), n, None, "Twice.") for n in range(1, 61)]
    shown = show_check.findings(many)

    assert shown.count("<li>") == show_check.MOST
    assert "and 10 more like these" in shown


def test_a_rule_that_is_new_is_shown_all_the_same():
    shown = show_check.findings([Finding("<new>", "warning", "a", 1, 0, "<b>Odd</b>")])

    assert "&lt;new&gt;" in shown
    assert "&lt;b&gt;Odd&lt;/b&gt;" in shown


def test_a_press_on_a_finding_opens_that_conversation(studio, ada, project):
    write(studio, ada, project, talk("first", "answer"), talk("second", "other"))
    number, xray = check.on_press(studio, ada, project, SimpleNamespace(press="xray", id="2"))

    assert number == 2
    assert "second" in xray
    assert "first" not in xray


def test_without_the_base_a_press_says_what_is_needed(studio, ada, project, engine):
    engine.path = None
    write_many(studio, ada, project, 1)
    with pytest.raises(BadInput, match="needs the base model"):
        check.on_press(studio, ada, project, SimpleNamespace(press="xray", id="1"))


@pytest.mark.parametrize("number", [None, 0, -3])
def test_a_number_that_is_none_is_refused(studio, ada, project, number):
    with pytest.raises(BadInput, match="Which conversation"):
        check.on_xray(studio, ada, project, number)


def test_a_conversation_that_is_not_there_is_refused(studio, ada, project):
    with pytest.raises(NotFound):
        check.on_xray(studio, ada, project, 99)


def test_learned_context_and_cut_tokens_are_told_apart_and_counted():
    shown = show_check.xray(
        7,
        [Token(1, "<|im_start|>", False, False), Token(2, " yes\n", True, False), Token(3, "no", True, True)],
    )

    assert '<span class="tok context" title="token 1, context:' in shown
    assert "&lt;|im_start|&gt;</span>" in shown
    assert '<span class="tok learned" title="token 2, learned:' in shown
    assert '<span class="tok cut" title="token 3, cut:' in shown
    assert shown.count('<b class="num">1</b>') == 3
    assert "Conversation 0007, 3 tokens" in shown


def test_a_kind_of_token_that_does_not_occur_is_not_explained():
    assert ">cut<" not in show_check.xray(1, [Token(1, "a", True, False)])


def test_a_very_long_conversation_is_shown_in_part_and_that_is_said():
    shown = show_check.xray(1, [Token(n, "a", False, False) for n in range(show_check.TOKENS + 500)])

    assert shown.count('title="token') == show_check.TOKENS
    assert "The first 2,000 of 2,500 tokens are shown" in shown
