"""The nouns: what a project, a conversation, a run and an answer are. Frozen values without behaviour of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
Status = Literal["draft", "ready", "approved", "rejected"]
STATUSES: tuple[Status, ...] = ("draft", "ready", "approved", "rejected")


@dataclass(frozen=True)
class Person:
    """Who acts: the owner of this machine's account, or who somebody says they are (there are no passwords)."""

    name: str


@dataclass(frozen=True)
class Message:
    """One turn. `weight` and `name` are OpenAI's fields, kept as they came; weight 0 on an answer means: not learned.

    `drafted` names the arm that wrote the text, until a person has accepted or edited it; it never leaves the studio.
    """

    role: Role
    content: str
    weight: float | None = None
    name: str | None = None
    drafted: str | None = None

    @property
    def learned(self) -> bool:
        return self.role == "assistant" and self.weight != 0


@dataclass(frozen=True)
class Project:
    id: str
    name: str
    system: str  # put before conversations that have no system text of their own; "" for none
    created_at: str
    base: str = "starter"  # the id of its base model
    watch: tuple[str, ...] = ()  # asked at each evaluation of a training; () for held-out questions


@dataclass(frozen=True)
class Conversation:
    """The newest version of a conversation. `number` counts from 1 within its project and is what a person sees."""

    id: str
    project: str
    number: int
    version: int
    messages: tuple[Message, ...]
    status: Status
    tags: tuple[str, ...]
    note: str
    updated_at: str  # ISO 8601, UTC
    updated_by: str
    deleted: bool = False
    reason: str = ""  # why it was rejected


@dataclass(frozen=True)
class Change:
    """What a person wants a conversation to be, made from `version` of it (0: it is new).

    `request` names this one attempt: the same request twice is done once, so a save whose answer was lost can be
    sent again. `conversation` is "" for a new one; the store gives it an id.
    """

    request: str
    project: str
    conversation: str
    version: int
    messages: tuple[Message, ...]
    status: Status = "draft"
    tags: tuple[str, ...] = ()
    note: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Revision:
    """One step in a conversation's history; never changed, never removed while its conversation exists."""

    conversation: str
    version: int
    kind: Literal["saved", "imported", "deleted", "restored", "kept aside", "undone", "redone"]
    at: str
    by: str
    messages: tuple[Message, ...]
    status: Status
    tags: tuple[str, ...]
    note: str
    reason: str = ""


@dataclass(frozen=True)
class Template:
    """What a new conversation may begin with: any turns, a system text too, with gaps to be filled in, such as [NAME]."""

    id: str
    project: str
    name: str
    messages: tuple[Message, ...]
    at: str  # ISO 8601, UTC
    by: str


@dataclass(frozen=True)
class Prompt:
    """One version of a kept prompt. `shots`: how many of the nearest examples stand before the question.

    `pinned` are the ids of the conversations that always stand there as well, in their order; they may be gone or held
    out by now. Versions count from 1 and never change.
    """

    id: str
    project: str
    name: str
    version: int
    system: str
    shots: int
    pinned: tuple[str, ...]
    note: str
    at: str  # ISO 8601, UTC
    by: str


@dataclass(frozen=True)
class Row:
    """A conversation as the list shows it."""

    id: str
    number: int
    question: str  # the first user turn, cut to one line
    answer: str  # the first answer, cut to one line
    status: Status
    tags: tuple[str, ...]
    turns: int
    updated_by: str = ""
    excerpt: str = ""  # where the searched words stand, if not in the question or answer above


Length = Literal["short", "middle", "long"]
Sort = Literal["newest", "oldest", "changed", "longest", "shortest"]


@dataclass(frozen=True)
class Wanted:
    """What a list shall show, "" for no matter, and in which order. All of it must hold.

    `search`: words of the turns, the last one as a beginning, "quoted" ones as a phrase; or a conversation's number.
    `person` changed it last, `finding` is a rule's name or "any", `imported` the id of the import that brought it.
    """

    project: str
    search: str = ""
    status: str = ""
    tag: str = ""
    person: str = ""
    length: str = ""
    finding: str = ""
    imported: str = ""
    binned: bool = False
    sort: Sort = "newest"


@dataclass(frozen=True)
class Place:
    """Where a page of a list begins: at the row of the cursor `at`, after it or before it; "" is the list's beginning.

    `first` is the position of its first row as it was known last, for when counting would take too long; without
    a cursor the page begins at that position.
    """

    at: str = ""
    way: Literal["from", "after", "before"] = "from"
    first: int = 1


@dataclass(frozen=True)
class Page:
    """One page of the list. `first` is the position (from 1) of its first row among the `total` that match.

    `more`: there are more than `total`. `start` and `end` are the cursors of its first and last row, "" without rows.
    """

    rows: tuple[Row, ...]
    total: int
    first: int
    more: bool = False
    start: str = ""
    end: str = ""
    following: bool = False  # there are rows after these


@dataclass(frozen=True)
class Lease:
    """Somebody is at a conversation, until when unless they say so again. Nothing is locked by it."""

    conversation: str
    person: str
    window: str  # of a browser, by the page's own random id
    until: str


@dataclass(frozen=True)
class Finding:
    """What a rule found, where, and how to mend it. `message` counts from 0; None: the whole conversation."""

    rule: str
    severity: Literal["error", "warning"]
    conversation: str
    number: int
    message: int | None
    text: str


@dataclass(frozen=True)
class Token:
    """One token of a conversation as the model sees it. `cut`: beyond the model's limit, so never seen.

    `control`: a mark of the chat template's, such as the one that begins a turn; told in prompts only.
    """

    id: int
    text: str
    learned: bool
    cut: bool
    control: bool = False


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: the base, a run's adapter or a model elsewhere, under a system text and example conversations."""

    run: str | None = None  # a run's id; None: the base model as it came
    system: str = ""
    shots: tuple[tuple[Message, ...], ...] = ()
    prompt: Prompt | None = None  # its examples are chosen once the question is known: `prompting.under`
    point: int | None = None  # the run's adapter after so many updates; None: its best
    endpoint: str = ""  # the name of a model elsewhere, as `core.endpoint` makes it; then there is no run

    @property
    def name(self) -> str:
        """What `comparing.arm` reads: "base", "run:7", "run:7@120", "prompt:calm@2", "run:7+prompt:calm@2", "endpoint:llama3@host"."""
        model = f"run:{self.run}{f'@{self.point}' if self.point else ''}" if self.run else self.endpoint
        words = [model] if model else []
        words += [f"prompt:{self.prompt.name}@{self.prompt.version}"] if self.prompt else []
        return "+".join(words) or "base"


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn. Temperature 0 is greedy; `seed` makes drawn answers repeatable."""

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 0.95
    seed: int = 0


@dataclass(frozen=True)
class Answer:
    """An arm's answer so far. `fingerprint` tells which weights and prompt it came from; `cut`: it ended at its longest length."""

    text: str
    tokens: int
    seconds: float
    done: bool
    fingerprint: str
    cut: bool = False
    error: str = ""  # why a model elsewhere gave none; `text`, which came before that, is no answer


RunState = Literal[
    "queued", "starting", "running", "finished", "stopped", "discarded", "failed", "paused", "killed"
]
ACTIVE: tuple[RunState, ...] = ("starting", "running")
RESUMABLE: tuple[RunState, ...] = ("failed", "paused", "killed")


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it. `events` are the worker's own, oldest first, as plain dicts with a "kind"."""

    id: str
    folder: Path
    state: RunState
    spec: dict[str, object]
    card: dict[str, object] | None
    events: tuple[dict[str, object], ...] = field(default=(), repr=False)
    ended: dict[str, Any] | None = None  # how its last process ended: {"code", "memory", "at"}
    note: str = ""  # what a person wrote of it
