"""The verbs of templates: keep a conversation's text as a beginning for others, name it, use it, let it go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from studio.core.errors import BadInput
from studio.core.records import Message, Person, Template
from studio.core.text import clean
from studio.store import projects, templates
from studio.work.studio import Studio
from studio.work.writing import check_turns, now

MOST = 100  # of one project
NAME = 80  # characters


def all_of(studio: Studio, project_id: str) -> list[Template]:
    """Every template of a project, by name."""
    with studio.database.reading() as db:
        return templates.load_all(db, project_id)


def read(studio: Studio, project_id: str, id: str) -> Template:
    """Raises NotFound."""
    with studio.database.reading() as db:
        return templates.load(db, project_id, clean(id, "The template's id", 100))


def save(studio: Studio, person: Person, project_id: str, name: str, messages: Sequence[Message]) -> Template:
    """Keep `messages` under a name; a template that has the name already gets the new text. Raises BadInput, NotFound."""
    wanted = named(name)
    check_turns(messages)
    if not any(each.content.strip() for each in messages):
        raise BadInput("There is nothing to keep yet. Write what every new conversation should begin with.")
    with studio.database.writing() as db:
        projects.load(db, project_id)
        there = templates.find(db, project_id, wanted)
        if not there and len(templates.load_all(db, project_id)) >= MOST:
            raise BadInput(f"A project may have {MOST} templates. Delete one first.")
        id = there.id if there else uuid4().hex
        made = Template(id, project_id, wanted, tuple(messages), now(), person.name)
        templates.put(db, made)
    return made


def rename(studio: Studio, person: Person, project_id: str, id: str, name: str) -> Template:
    """Raises BadInput for a name that another template has, NotFound."""
    wanted = named(name)
    with studio.database.writing() as db:
        found = templates.load(db, project_id, clean(id, "The template's id", 100))
        other = templates.find(db, project_id, wanted)
        if other and other.id != found.id:
            raise BadInput(f"There is a template named “{wanted}” already. Choose another name.")
        made = replace(found, name=wanted, at=now(), by=person.name)
        templates.put(db, made)
    return made


def delete(studio: Studio, person: Person, project_id: str, id: str) -> Template:
    """Let a template go and return it, so that it can be saved again. Raises NotFound."""
    with studio.database.writing() as db:
        found = templates.load(db, project_id, clean(id, "The template's id", 100))
        templates.remove(db, found.id)
    return found


def named(name: str) -> str:
    """A name on one line. Raises BadInput where there is none."""
    wanted = " ".join(clean(name, "The template's name", NAME).split())
    if not wanted:
        raise BadInput("A template needs a name. Write one.")
    return wanted
