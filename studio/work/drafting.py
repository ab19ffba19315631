"""A model drafts an answer for a person: under the project's prompt, with the nearest approved examples before it.

Each draft is written by a thread of its own, so that nothing else waits for it, and ends within a token when it is
stopped or when nobody asks for it any more. It is kept in memory only; the page saves what it shows, marked as a draft.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from threading import Thread
from time import monotonic

from studio.core import formats
from studio.core.errors import BadInput, ModelNotReady, NotFound, StudioError
from studio.core.nearest import Nearest, asked
from studio.core.records import Answer, Arm, Conversation, Message, Sampling
from studio.core.text import made, unlooped
from studio.store import conversations
from studio.work import comparing, examples, planning, prompting, prompts, writing
from studio.work.drafts import Approved, Draft
from studio.work.examples import Example
from studio.work.studio import Studio

SHOTS = 4
# Drawn, not the likeliest words: small models repeat those without end, and who drafts again wants another answer.
DRAFT = Sampling(max_tokens=300, temperature=0.6, top_p=0.9)

log = logging.getLogger(__name__)


def start(studio: Studio, project_id: str, own: str, messages: Sequence[Message], arm: str) -> str:
    """Begin to draft the answer to `messages`, which end with the user's turn, and return the draft's name.

    `own` is the id of the conversation itself, which is never an example for itself ("" for a new one). Raises BadInput,
    NotFound, ModelNotReady.
    """
    if reason := formats.unacceptable([*messages, Message("assistant", ".")]):
        raise BadInput(f"{reason} Mend that first, then let a model draft the answer.")
    chosen = replace(comparing.arm(studio, project_id, arm), system=system_of(studio, project_id, messages))
    base = studio.engine.base(comparing.base_of(studio, project_id, [chosen]))
    if base.path is None:
        raise ModelNotReady(
            base.trouble
            or f"The model {base.title} is not on this machine yet. The Prompt tab has a button that gets it; then draft again."
        )
    turns = [each for each in messages if each.role != "system"]
    name = secrets.token_urlsafe(16)
    what = (studio, project_id, own, chosen, turns, studio.drafts.add(name))
    Thread(target=write, args=what, daemon=True, name="draft").start()
    return name


def write(
    studio: Studio, project_id: str, own: str, arm: Arm, turns: Sequence[Message], draft: Draft
) -> None:
    """The thread: what becomes of the draft stands in it, failures too."""
    try:
        with closing(answers(studio, project_id, own, arm, turns, draft)) as growing:
            for answer in growing:
                draft.waiting = False
                draft.text = made(answer.text)
                draft.ended = "It was cut off at its longest length." if answer.cut else ""
                if once := unlooped(draft.text):
                    draft.text, draft.ended = once, "It began to repeat itself and was stopped."
                    break
        if not draft.text and not draft.unheard():
            raise BadInput("The model has no answer to this. Write it yourself, or choose another model.")
    except Exception as error:
        if not isinstance(error, StudioError):
            log.exception("a draft failed")
        draft.failure = error
    finally:
        draft.done = True


def answers(
    studio: Studio, project_id: str, own: str, arm: Arm, turns: Sequence[Message], draft: Draft
) -> Generator[Answer]:
    """The answer as it grows, under the arm's system text and the nearest examples that fit."""
    *history, last = turns
    sampling = replace(DRAFT, seed=random.getrandbits(31))
    chosen = shown(studio, project_id, own, asked(turns))
    prompt = prompting.fitted(studio, project_id, arm, chosen, history, last.content, sampling)
    draft.examples = tuple((each.conversation.id, each.conversation.number) for each in prompt.examples)
    draft.dropped = prompt.dropped

    draft.waiting = studio.engine.answering_now()
    yield from prompting.ask(studio, project_id, prompt, history, last.content, sampling, draft.unheard)


def system_of(studio: Studio, project_id: str, messages: Sequence[Message]) -> str:
    """The conversation's own system text, also an empty one, else the project's."""
    own = messages[0].role == "system"
    return messages[0].content if own else writing.by_id(studio, project_id).system


def so_far(studio: Studio, name: str) -> Draft:
    """A draft as it stands; to ask for it keeps it going. Raises NotFound, and what went wrong in it."""
    draft = studio.drafts.going.get(name)
    if draft is None:
        raise NotFound(
            "This draft is over: the studio was started again. What is there is kept; draft once more."
        )
    draft.asked_at = monotonic()
    if draft.done and draft.failure:
        raise draft.failure
    return draft


def stop(studio: Studio, name: str) -> None:
    """End a draft within a token; one that is over stays so."""
    if draft := studio.drafts.going.pop(name, None):
        draft.stopped = True


def shown(studio: Studio, project_id: str, own: str, question: str) -> list[Example]:
    """As many of the nearest approved examples as the project's kept prompt says, after those that it pins; else SHOTS."""
    kept = prompts.default(studio, project_id)
    always, _ = examples.pinned(
        studio, project_id, [each for each in kept.pinned if each != own] if kept else []
    )
    k, apart = kept.shots if kept else SHOTS, {each.conversation.id for each in always}
    near = nearest(studio, project_id, own, question, k + len(apart))
    return [*always, *[Example(each) for each in near if each.id not in apart][:k]]


def nearest(studio: Studio, project_id: str, own: str, question: str, k: int) -> list[Conversation]:
    """The `k` approved conversations in which the user asks most alike: never held-out ones, drafts, or `own`."""
    ids = [id for id in approved_of(studio, project_id).nearest.ids(question, k + 1) if id != own][:k]
    with studio.database.reading() as db:
        return [conversations.load(db, id) for id in ids]


def approved_of(studio: Studio, project_id: str) -> Approved:
    """The examples to choose from, read anew only when something in the project has changed."""
    with studio.database.reading() as db:
        state = conversations.state(db, project_id)
    held = studio.drafts.approved.get(project_id)
    if held and held.state == state:
        return held
    learned = [each for each in planning.sides(studio, project_id).learned if each.status == "approved"]
    held = Approved(state, Nearest.of(learned, held.nearest if held else None))
    studio.drafts.approved[project_id] = held
    return held
