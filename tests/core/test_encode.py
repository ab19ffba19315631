"""Ids and labels, made together, with small hand-made templates."""

import re

import pytest

from studio.core.encode import IGNORED, encode, prompt, seen, with_system, xray
from studio.core.errors import TemplateNotSplittable
from studio.core.records import Message


class ChatML:
    """A template in ChatML; a token is a control token, a word or a single other character."""

    special_tokens = frozenset({"<|im_start|>", "<|im_end|>"})
    end_ids = frozenset({1})

    def render(self, messages, add_generation_prompt):
        text = "".join(f"<|im_start|>{each.role}\n{each.content}<|im_end|>\n" for each in messages)
        return text + "<|im_start|>assistant\n" * add_generation_prompt

    def tokenize(self, text):
        spans = [match.span() for match in re.finditer(r"<\|im_\w+\|>|\w+|\W", text)]
        return [self.id_of(text[low:high]) for low, high in spans], spans

    def id_of(self, piece):
        return {"<|im_start|>": 0, "<|im_end|>": 1}.get(piece, 2 + sum(piece.encode()))


class Forgetful(ChatML):
    """Leaves out earlier answers, as templates do that strip earlier reasoning."""

    def render(self, messages, add_generation_prompt):
        kept = [m for m in messages if m.role != "assistant"] + [
            m for m in messages[-1:] if m.role == "assistant"
        ]
        return super().render(kept, add_generation_prompt)


class Endless(ChatML):
    def render(self, messages, add_generation_prompt):
        return super().render(messages, add_generation_prompt).replace("<|im_end|>", "")


def user(text):
    return Message("user", text)


def assistant(text, weight=None):
    return Message("assistant", text, weight)


def learned_text(messages, template=None):
    return "".join(token.text for token in xray(messages, template or ChatML(), 10_000) if token.learned)


def test_only_the_answers_and_their_end_of_turn_are_learned():
    talk = [
        Message("system", "Be kind."),
        user("Hello there"),
        assistant("Good day"),
        user("Bye"),
        assistant("Go well"),
    ]

    assert learned_text(talk) == "Good day<|im_end|>Go well<|im_end|>"


def test_labels_are_the_ids_where_learned_and_as_many():
    encoded = encode([user("a"), assistant("b c")], ChatML())

    assert len(encoded.ids) == len(encoded.labels)
    assert all(label in (IGNORED, id) for id, label in zip(encoded.ids, encoded.labels, strict=True))
    assert encoded.learned == 4  # b, the blank, c, the end of the turn


def test_an_answer_of_weight_0_is_context_only():
    talk = [user("one"), assistant("not this", weight=0), user("two"), assistant("but this", weight=1)]

    assert learned_text(talk) == "but this<|im_end|>"


def test_the_ids_are_those_of_the_whole_text_and_the_prompt_is_their_beginning():
    talk = [user("Where is it"), assistant("Here")]
    whole = ChatML().tokenize(ChatML().render(talk, False))[0]
    asked = prompt(talk[:1], ChatML())

    assert encode(talk, ChatML()).ids == whole
    assert whole[: len(asked)] == asked


def test_a_template_that_drops_earlier_answers_is_refused():
    with pytest.raises(TemplateNotSplittable, match="Choose another base model"):
        encode([user("a"), assistant("b"), user("c"), assistant("d")], Forgetful())


def test_a_template_without_an_end_of_turn_is_refused():
    with pytest.raises(TemplateNotSplittable, match="would not stop"):
        encode([user("a"), assistant("b")], Endless())


def test_a_control_token_in_somebodys_text_is_text_and_not_obeyed():
    encoded = encode([user("say <|im_end|> please"), assistant("no <|im_start|> here")], ChatML())

    assert encoded.ids.count(1) == 2  # the ends of the two turns, and none of the user's making
    assert encoded.ids.count(0) == 2


def test_what_is_seen_is_the_very_prompt_with_its_marks_told_apart():
    talk = [Message("system", "Be kind."), user("Hello <|im_end|> there")]
    tokens = seen(talk, ChatML())

    assert [each.id for each in tokens] == prompt(talk, ChatML())
    assert "".join(each.text for each in tokens).endswith(
        "< |im_end|> there<|im_end|>\n<|im_start|>assistant\n"
    )
    assert [each.text for each in tokens if each.control] == ["<|im_start|>", "<|im_end|>"] * 2 + [
        "<|im_start|>"
    ]


def test_a_character_of_several_tokens_is_seen_once():
    class Bytes(ChatML):
        def tokenize(self, text):
            spans = [(place, place + 1) for place, each in enumerate(text) for _ in each.encode()]
            return [1] * len(spans), spans

    assert "".join(each.text for each in seen([user("a 🙂 b")], Bytes())) == Bytes().render(
        [user("a 🙂 b")], True
    )


def test_tokens_beyond_the_limit_are_shown_as_cut():
    tokens = xray([user("a b c d"), assistant("e")], ChatML(), limit=5)

    assert [each.cut for each in tokens[:6]] == [False] * 5 + [True]


def test_the_projects_system_text_yields_to_the_conversations_own():
    own = (Message("system", "Mine."), user("a"))

    assert with_system(own, "Project's.") == own
    assert with_system(own[1:], "Project's.")[0] == Message("system", "Project's.")
    assert with_system(own[1:], "  ") == own[1:]
