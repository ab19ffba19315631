"""The verbs of kept prompts: keep words under a name, read their versions, and let a project use one of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import uuid4

from studio.core.errors import BadInput, NotFound
from studio.core.records import Person, Prompt
from studio.core.text import clean
from studio.store import projects, prompts
from studio.work.studio import Studio
from studio.work.writing import now

MOST = 100  # prompts of one project
SHOTS = 8  # examples that may be shown: the nearest ones, and as many pinned ones
SYSTEM = 100_000  # characters
NOTE = 1000  # characters
# No comma, colon, plus or at sign: in a list of arms these stand for something.
NAME = re.compile(r"\w[\w .'()-]{0,59}")


def all_of(studio: Studio, project_id: str) -> list[Prompt]:
    """The newest version of every kept prompt, by name."""
    with studio.database.reading() as db:
        return prompts.newest(db, project_id)


def versions(studio: Studio, project_id: str, id: str) -> list[Prompt]:
    """Every version of a prompt, newest first. Raises NotFound."""
    with studio.database.reading() as db:
        return prompts.versions(db, project_id, clean(id, "The prompt's id", 100))


def read(studio: Studio, project_id: str, id: str, version: int) -> Prompt:
    """Raises NotFound."""
    with studio.database.reading() as db:
        return one_of(prompts.versions(db, project_id, clean(id, "The prompt's id", 100)), version)


def called(studio: Studio, project_id: str, name: str) -> Prompt:
    """The prompt that a name such as "friendly" means, or "friendly@2" for an older version. Raises NotFound."""
    wanted, _, version = clean(name, "The prompt's name", 100).strip().partition("@")
    with studio.database.reading() as db:
        found = prompts.find(db, project_id, wanted)
        if found is None:
            known = ", ".join(each.name for each in prompts.newest(db, project_id)) or "none yet"
            raise NotFound(f"There is no prompt named “{wanted}” here. Those that are kept: {known}.")
        if not version:
            return found
        number = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
        return one_of(prompts.versions(db, project_id, found.id), number)


def one_of(found: Sequence[Prompt], version: int) -> Prompt:
    """Raises NotFound."""
    for each in found:
        if each.version == version:
            return each
    raise NotFound(f"“{found[0].name}” has no such version. It has {found[0].version}, counted from 1.")


def keep(
    studio: Studio,
    person: Person,
    project_id: str,
    name: str,
    system: str,
    shots: int = 0,
    pinned: Sequence[str] = (),
    note: str = "",
) -> Prompt:
    """Keep words and examples under a name; one that is there gets a new version. Raises BadInput, NotFound.

    What the newest version says already makes no new one: who sends it again, as after a lost answer, gets that.
    """
    wanted = named(name)
    text = worded(system)
    said = clean(note, "The note", NOTE).strip()
    taken = tuple(dict.fromkeys(clean(each, "The id of a pinned conversation", 100) for each in pinned))
    if not 0 <= shots <= SHOTS or len(taken) > SHOTS:
        raise BadInput(f"At most {SHOTS} nearest and {SHOTS} pinned examples can be shown. Take fewer.")
    with studio.database.writing() as db:
        projects.load(db, project_id)
        there = prompts.find(db, project_id, wanted)
        if there and (there.system, there.shots, there.pinned) == (text, shots, taken) and said in ("", there.note):  # fmt: skip
            return there
        if not there and len(prompts.newest(db, project_id)) >= MOST:
            raise BadInput(f"A project may have {MOST} prompts. Keep this as a version of one that is there.")
        id, version = (there.id, there.version + 1) if there else (uuid4().hex, 1)
        made = Prompt(id, project_id, wanted, version, text, shots, taken, said, now(), person.name)
        prompts.add(db, made)
    return made


def make_default(studio: Studio, person: Person, project_id: str, id: str, version: int) -> Prompt:
    """Let the project use a version: its words as the system text of conversations, runs and drafts, its examples in drafts.

    Raises NotFound.
    """
    with studio.database.writing() as db:
        found = one_of(prompts.versions(db, project_id, clean(id, "The prompt's id", 100)), version)
        projects.set_system(db, project_id, found.system)
        prompts.set_default(db, project_id, found)
    return found


def default(studio: Studio, project_id: str) -> Prompt | None:
    """The version that the project uses; None where its system text is no kept prompt's."""
    with studio.database.reading() as db:
        return prompts.default(db, project_id)


def named(name: str) -> str:
    """A name on one line. Raises BadInput."""
    wanted = " ".join(clean(name, "The prompt's name", 200).split())
    if not wanted:
        raise BadInput("A prompt needs a name. Write one, such as “friendly”.")
    if not NAME.fullmatch(wanted):
        raise BadInput(
            "A prompt's name has up to 60 letters, digits, spaces, dots, hyphens, apostrophes and brackets, and begins "
            "with a letter or a digit. Write it so."
        )
    return wanted


def worded(system: str) -> str:
    """Raises BadInput for a system text that is empty, too long, or cannot be kept."""
    text = clean(system, "The system text", SYSTEM)
    if not text.strip():
        raise BadInput("The system text is empty. Write what the model should be told, then keep it.")
    return text
