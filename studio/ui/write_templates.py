"""Templates for the editor and the list: which there are, what one says, and keeping, naming and deleting them."""

from __future__ import annotations

from typing import Any

from studio.core import formats
from studio.core.records import Person, Template
from studio.ui import write_draft
from studio.work import templates
from studio.work.studio import Studio


def on_templates(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """The templates of a project, by name, without their texts."""
    found = templates.all_of(studio, str(given["project"]))
    return {"templates": [{"id": each.id, "name": each.name} for each in found]}


def on_template(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return value(templates.read(studio, str(given["project"]), str(given["template"])))


def on_template_save(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    messages = write_draft.turns(given["messages"])
    return value(templates.save(studio, person, str(given["project"]), str(given["name"]), messages))


def on_template_rename(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    project, id, name = (str(given[each]) for each in ("project", "template", "name"))
    return value(templates.rename(studio, person, project, id, name))


def on_template_delete(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Answers the template that was deleted: who deleted it by mistake saves it again."""
    return value(templates.delete(studio, person, str(given["project"]), str(given["template"])))


def value(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "messages": [formats.as_kept(each) for each in template.messages],
    }


DEEDS = (on_templates, on_template, on_template_save, on_template_rename, on_template_delete)
