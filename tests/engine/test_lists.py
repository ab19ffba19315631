"""Lists of questions: a finished row makes room for the next, and each answer is what it would be alone."""

import pytest
from answered import LONG, SHORT, generated, ids, last, loaded, never, row, tiny

from studio.core.errors import BadInput
from studio.core.records import Message, Sampling
from studio.engine import adapters, decode
from studio.engine.api import Ask
from studio.engine.kept import Kept
from studio.engine.neutral import NeutralReader

QUESTIONS = [
    (Message("user", f"{'Please tell me. ' * (each % 4)}What is {each} times {each}?"),) for each in range(7)
]
LENGTHS = [5, 2, 9, 1, 7, 3, 6]  # tokens of each answer


class Watching(NeutralReader):
    """Notes how many rows each pass has."""

    def __init__(self, model):
        super().__init__(model)
        self.passes = []

    def run(self, group, parts):
        self.passes.append(len(parts))
        return super().run(group, parts)


def listed(reader, template, rows, rows_at_once, kept=None, stopping=never):
    return list(decode.answer_all(reader, template, rows, rows_at_once, kept or Kept(0), stopping))


def asked(template, arms):
    return [
        row(template, question, arm, max_tokens=length)
        for question, length in zip(QUESTIONS, LENGTHS, strict=True)
        for arm in arms
    ]


@pytest.mark.parametrize("room", [0, 2**30])
def test_a_list_is_answered_as_each_question_is_alone(rehearsal_path, tuned, other, room):
    model, template = loaded(rehearsal_path)
    arms = [None, adapters.read(tuned), adapters.read(other)]
    alone = [ids(NeutralReader(model), template, [each])[0] for each in asked(template, arms)]
    rows = asked(template, arms)

    made = listed(NeutralReader(model), template, rows, 5, Kept(room))

    assert [each.ids for each in rows] == alone
    assert sorted(place for place, _ in made) == list(range(len(rows)))
    assert all(answer.done and answer.tokens == len(rows[place].ids) for place, answer in made)


def test_a_finished_row_leaves_at_once_and_the_next_question_takes_its_place(rehearsal_path):
    model, template = loaded(rehearsal_path)
    reader = Watching(model)
    rows = [row(template, SHORT, max_tokens=length) for length in (2, 6, 2, 2)]

    made = listed(reader, template, rows, 2)

    # Rows 0 and 1 begin; 2 and then 3 read in the place of the one before, beside the one that goes on.
    assert [place for place, _ in made] == [0, 2, 1, 3] or [place for place, _ in made] == [0, 2, 3, 1]
    assert max(reader.passes) == 2
    assert sum(reader.passes) == sum(
        each.room for each in rows
    )  # no row goes through the model once it is done


def test_long_rows_are_answered_fewer_at_a_time(rehearsal_path, monkeypatch):
    model, template = loaded(rehearsal_path)
    reader = Watching(model)
    rows = [row(template, each, max_tokens=4) for each in (SHORT, SHORT, SHORT, SHORT, LONG)]
    monkeypatch.setattr(decode, "TOGETHER", 2 * len(rows[-1].prompt))

    made = listed(reader, template, rows, 3)

    assert made[0][0] == 4  # the longest began, and alone
    assert reader.passes[1] == 1
    assert max(reader.passes) == 3
    assert len(made) == 5


def test_rows_of_different_lengths_are_read_without_padding(rehearsal_path):
    model, template = loaded(rehearsal_path)
    read = []
    model.get_input_embeddings().register_forward_hook(
        lambda module, given, made: read.append(given[0].numel())
    )
    rows = [row(template, each, max_tokens=1) for each in (SHORT, LONG)]

    ids(NeutralReader(model), template, rows)

    assert sum(read) == sum(len(each.prompt) for each in rows)


def test_a_drawn_answer_of_a_list_depends_on_its_seed_alone(rehearsal_path):
    model, template = loaded(rehearsal_path)

    def drawn(seeds):
        return [row(template, LONG, temperature=1.0, seed=seed, max_tokens=8) for seed in seeds]

    rows, alone = drawn(range(5)), drawn([3])
    listed(NeutralReader(model), template, rows, 2)
    ids(NeutralReader(model), template, alone)

    assert rows[3].ids == alone[0].ids
    assert len({tuple(each.ids) for each in rows}) > 1


def test_stopping_a_list_ends_it_within_a_token(rehearsal_path):
    model, template = loaded(rehearsal_path)
    rows = asked(template, [None])
    looked = []

    made = listed(
        NeutralReader(model), template, rows, 3, stopping=lambda: len(looked) > 3 or looked.append(1)
    )

    assert len(made) < len(rows)
    assert sum(len(each.ids) for each in rows) <= 3 * 4


@pytest.fixture(scope="module")
def windowed(tmp_path_factory):
    """A model whose layers forget what lies more than a window back, so that its rows cannot come and go."""
    return tiny(tmp_path_factory.mktemp("windowed") / "windowed", "mistral", sliding_window=16)


def test_a_model_whose_rows_cannot_come_and_go_answers_in_one_batch_all_the_same(windowed, monkeypatch):
    monkeypatch.setattr(decode, "CHUNK", 40)
    model, template = loaded(windowed)
    expected = [generated(model, template, each) for each in (SHORT, LONG, SHORT, LONG)]
    reader, kept = NeutralReader(model), Kept(2**30)
    rows = [row(template, each) for each in (SHORT, LONG, SHORT, LONG)]

    together = ids(reader, template, rows[:2], kept=kept)
    listed(reader, template, rows[2:], 1, kept)

    assert not reader.joinable
    assert kept.entries == []
    assert [*together, rows[2].ids, rows[3].ids] == expected


def test_a_row_that_ends_early_leaves_such_a_model_too(windowed, monkeypatch):
    monkeypatch.setattr(decode, "CHUNK", 1024)
    model, template = loaded(windowed)
    reader = Watching(model)
    rows = [row(template, SHORT, max_tokens=3), row(template, LONG, max_tokens=8)]

    made = ids(reader, template, rows)

    assert made[1] == generated(model, template, LONG, 8)
    assert reader.passes == [2, 2, 2, 1, 1, 1, 1, 1]


# --- through the engine


def test_the_engine_answers_a_list_as_it_answers_one(engine_in_fp32, tuned):
    engine = engine_in_fp32
    asks = [Ask(each, arm, Sampling(6)) for each in QUESTIONS[:4] for arm in (None, tuned)]

    made = dict(engine.answer_all("rehearsal", asks, 3, never))

    alone = [last(engine.answers("rehearsal", [each], never))[0] for each in asks]
    assert [made[place].text for place in range(len(asks))] == [each.text for each in alone]
    assert [made[place].fingerprint for place in range(len(asks))] == [each.fingerprint for each in alone]
    with pytest.raises(BadInput, match="takes 2,048"):
        next(
            engine.answer_all(
                "rehearsal", [Ask((Message("user", "word " * 3000),), None, Sampling(6))], 3, never
            )
        )
