"""What was read is kept over the turns of a conversation, and never changes an answer."""

import torch
from answered import LONG, SHORT, ids, last, loaded, never, row, save_adapter, told

from studio.core.records import Message, Sampling
from studio.engine import adapters
from studio.engine.api import Ask
from studio.engine.kept import Entry, Kept
from studio.engine.neutral import NeutralReader

PLENTY = 2**30  # bytes
NEXT = Message("user", "And what does it cost?")


def entry(adapter, *ids, size=1, begun=0, asked=1):
    return Entry(adapter, ids, f"read {ids}", size, begun, asked)


def test_the_longest_common_beginning_is_found_and_one_token_is_left_to_read():
    kept = Kept(PLENTY)
    kept.keep(entry("a", 1, 2, 9))
    kept.keep(entry("a", 1, 2, 3, 4))
    kept.keep(entry("b", 1, 2, 3, 4, 5))

    assert kept.find("a", [1, 2, 3, 7]) == ("read (1, 2, 3, 4)", 3)
    assert kept.find("a", [1, 2, 3, 4]) == ("read (1, 2, 3, 4)", 3)
    assert kept.find("a", [5, 1, 2]) == (None, 0)
    assert kept.find("", [1, 2, 3]) == (None, 0)


def test_the_same_question_again_is_read_as_it_was_the_first_time():
    kept = Kept(PLENTY)
    kept.keep(entry("", 1, 2, 3, 4, 5, 6, begun=2, asked=4))

    assert kept.find("", [1, 2, 3, 4]) == ("read (1, 2, 3, 4, 5, 6)", 2)
    assert kept.find("", [1, 2, 3, 4, 5]) == ("read (1, 2, 3, 4, 5, 6)", 4)
    assert kept.find("", [1, 2, 3, 9]) == ("read (1, 2, 3, 4, 5, 6)", 3)


def test_the_oldest_rows_make_way_and_a_continued_one_is_replaced():
    kept = Kept(10)
    kept.keep(entry("a", 1, 2, size=4))
    kept.keep(entry("", 1, 2, size=3))
    kept.keep(entry("a", 1, 2, 3, size=5))
    assert [each.ids for each in kept.entries] == [(1, 2), (1, 2, 3)]

    kept.keep(entry("a", 7, size=4))
    assert [each.ids for each in kept.entries] == [(1, 2, 3), (7,)]

    kept.keep(entry("a", 8, size=11))
    assert kept.entries == []


class Counting(NeutralReader):
    """Counts the tokens that it reads."""

    read = 0

    def forward(self, parts):
        self.read += sum(len(part) for _, part in parts)
        return super().forward(parts)


def talk(reader, template, kept, arms):
    """Two turns with each arm; the ids of the second answers."""
    first = [row(template, LONG, each) for each in arms]
    *_, answers = told(reader, template, first, kept=kept)
    histories = [(*LONG, Message("assistant", each.text), NEXT) for each in answers]
    reader.read = 0
    second = [row(template, each, arm) for each, arm in zip(histories, arms, strict=True)]
    return ids(reader, template, second, kept=kept), second


def test_the_next_turn_reads_only_what_is_new_and_answers_the_same(rehearsal_path, tuned):
    model, template = loaded(rehearsal_path)
    reader, arms = Counting(model), [None, adapters.read(tuned)]

    forgetful, second = talk(reader, template, Kept(0), arms)
    whole = reader.read
    keeping, _ = talk(reader, template, Kept(PLENTY), arms)

    assert keeping == forgetful
    assert keeping[0] != keeping[1]
    assert whole - reader.read > 0.8 * sum(len(each.prompt) for each in second)


def test_a_changed_turn_is_read_anew_from_where_it_differs(rehearsal_path):
    model, template = loaded(rehearsal_path)
    reader, kept = Counting(model), Kept(PLENTY)
    ids(reader, template, [row(template, LONG)], kept=kept)
    changed = (*LONG[:-1], Message("user", LONG[-1].content + "Or my letter?"))
    reader.read = 0

    again = ids(reader, template, [row(template, changed, max_tokens=8)], kept=kept)

    assert again == ids(reader, template, [row(template, changed, max_tokens=8)])
    assert 8 < reader.read < 2 * len(row(template, changed).prompt)


def test_an_answer_that_was_stopped_or_closed_is_kept_as_far_as_it_was_read(rehearsal_path):
    model, template = loaded(rehearsal_path)
    reader, kept = NeutralReader(model), Kept(PLENTY)
    question = row(template, LONG)

    answers = told(reader, template, [question], kept=kept)
    next(answers)
    next(answers)
    answers.close()

    assert [list(each.ids) for each in kept.entries] == [question.prompt + question.ids[:1]]


def test_control_a_kept_row_whose_tokens_are_not_those_of_the_prompt_is_seen_in_the_answer(rehearsal_path):
    model, template = loaded(rehearsal_path)
    reader, kept = NeutralReader(model), Kept(PLENTY)
    expected = ids(reader, template, [row(template, LONG)])
    ids(
        reader, template, [row(template, (LONG[0], Message("user", "What is the weather? " * 15)))], kept=kept
    )
    wrong = kept.entries[0]
    length = len(row(template, LONG).prompt) - 1

    kept.entries = [Entry("", tuple(row(template, LONG).prompt[:length]), wrong.past, 1, 0, 1)]

    assert len(wrong.ids) >= length
    assert ids(reader, template, [row(template, LONG)], kept=kept) != expected


def test_what_is_kept_is_a_copy_of_one_row_and_its_size_is_told_rightly(rehearsal_path):
    model, template = loaded(rehearsal_path)
    kept = Kept(PLENTY)
    ids(NeutralReader(model), template, [row(template, SHORT), row(template, LONG)], kept=kept)

    for each in kept.entries:
        tensors = [tensor for pair in each.past for tensor in pair]
        assert all(tensor.shape[1] == len(each.ids) for tensor in tensors)
        assert each.size == sum(tensor.untyped_storage().nbytes() for tensor in tensors)


# --- through the engine


def test_the_engine_keeps_a_conversation_until_the_model_is_unloaded(engine_in_fp32, tuned):
    first = [Ask(LONG, arm, Sampling(8)) for arm in (None, tuned)]
    told = last(engine_in_fp32.answers("rehearsal", first, never))
    kept = engine_in_fp32.answering.loaded.kept
    assert len(kept.entries) == 2

    second = [
        Ask((*LONG, Message("assistant", answer.text), NEXT), arm, Sampling(8))
        for answer, arm in zip(told, (None, tuned), strict=True)
    ]
    went_on = last(engine_in_fp32.answers("rehearsal", second, never))
    assert all(each.begun > 100 for each in kept.entries[-2:])
    engine_in_fp32.unload()
    anew = last(engine_in_fp32.answers("rehearsal", second, never))

    assert [each.text for each in went_on] == [each.text for each in anew]
    assert all(each.begun == 0 for each in engine_in_fp32.answering.loaded.kept.entries)


def test_an_adapter_written_anew_does_not_go_on_from_what_the_old_one_read(
    engine_in_fp32, rehearsal_path, tmp_path
):
    folder = save_adapter(tmp_path / "adapter", rehearsal_path, seed=1, strength=0.2)
    ask = [Ask(LONG, folder, Sampling(8))]
    last(engine_in_fp32.answers("rehearsal", ask, never))
    old = engine_in_fp32.answering.loaded.kept.entries[0].adapter
    save_adapter(folder, rehearsal_path, seed=9, strength=0.2)

    second = last(engine_in_fp32.answers("rehearsal", ask, never))[0]
    engine_in_fp32.unload()

    assert second.text == last(engine_in_fp32.answers("rehearsal", ask, never))[0].text
    assert old not in [each.adapter for each in engine_in_fp32.answering.loaded.kept.entries]


def test_an_adapter_whose_strength_alone_was_changed_is_read_anew(engine_in_fp32, rehearsal_path, tmp_path):
    folder = save_adapter(tmp_path / "adapter", rehearsal_path, seed=1, strength=0.2)
    first = last(engine_in_fp32.answers("rehearsal", [Ask(LONG, folder, Sampling(8))], never))[0]
    settings = folder / "adapter_config.json"
    settings.write_text(settings.read_text().replace('"lora_alpha": 8', '"lora_alpha": 64'))

    second = last(engine_in_fp32.answers("rehearsal", [Ask(LONG, folder, Sampling(8))], never))[0]

    assert second.fingerprint != first.fingerprint
    assert second.text != first.text


def test_reading_leaves_no_gradients_behind(rehearsal_path):
    model, template = loaded(rehearsal_path)
    kept = Kept(PLENTY)
    ids(NeutralReader(model), template, [row(template, SHORT)], kept=kept)

    assert not any(tensor.requires_grad for pair in kept.entries[0].past for tensor in pair)
    assert not torch.is_inference_mode_enabled()
