"""The Write tab: the list of conversations, the editor beside it, and what an empty project says."""

from __future__ import annotations

import secrets
from typing import Any

import gradio as gr

from studio.core import formats
from studio.core.errors import BadInput, ChangedMeanwhile
from studio.core.records import STATUSES, Change, Conversation, Person
from studio.ui import (
    show,
    write_draft,
    write_files,
    write_find,
    write_handed,
    write_history,
    write_length,
    write_many,
    write_templates,
    write_together,
)
from studio.ui.shell import NEW, Shell
from studio.ui.wire import bind, bind_server
from studio.ui.write_find import on_page
from studio.work import importing, serving, writing
from studio.work.studio import Studio

GONE = [
    "gone"
]  # not seen, and yet there: the editor brings back what was not saved, also into an empty project
OWN_WINDOW = (
    "You saved this conversation in another window after opening it here. "
    "What you wrote here is kept in its history; choose below what shall stand."
)
# Each in one scope, in this order; what stands first is there when the next begins.
LIST_SCRIPTS = ("marks", "menu", "lay", "here", "finding", "list", "beginnings")
EDITOR_SCRIPTS = (
    "drafts",
    "menu",
    "turns",
    "labels",
    "lengths",
    "history",
    "clash",
    "draft",
    "templates",
    "parting",
    "hands",
    "together",
    "review",
    "editor",
)
LIST = """
<div class="find">
  <input class="search" type="search" placeholder="Search" aria-label="Search conversations" data-key="/">
  <select class="filter" aria-label="Show only status"><option value="">All</option>{statuses}</select>
  <button type="button" class="fold" aria-expanded="false" aria-controls="filters">Filter</button>
  <button type="button" class="new" data-key="n">New<kbd>n</kbd></button>
</div>
<ul class="rows" aria-label="Conversations"></ul>
<div class="foot soft">
  <span class="range num" role="status"></span><button type="button" class="quiet bin" aria-pressed="false">Bin</button>
  <span class="right"></span><button type="button" class="quiet back">Previous</button><button type="button" class="quiet on-page">Next</button>
  <button type="button" class="unseen up" data-key="k" tabindex="-1" aria-hidden="true"></button>
  <button type="button" class="unseen down" data-key="j" tabindex="-1" aria-hidden="true"></button>
  <button type="button" class="unseen pick-open" data-key="x" tabindex="-1" aria-hidden="true"></button>
</div>
"""


def build(studio: Studio, shell: Shell) -> gr.Tab:
    """Lay out the Write tab and wire its events."""
    with gr.Tab("Write", id="write", elem_id="tab-write") as tab:
        with gr.Column(visible=False, elem_classes="card", elem_id="first") as first:
            gr.HTML(show.stepper(), apply_default_css=False)
            gr.HTML(show.empty_state("Begin with an example", "Write what somebody might ask, and the answer you would want. Fifty to a few hundred such examples teach a manner."), apply_default_css=False)  # fmt: skip
            with gr.Row(elem_classes="buttons"):
                begin = gr.Button("Write the first example", variant="primary", elem_id="begin", scale=0)
                file = write_files.upload_button("import-first")
                starter = gr.Button(write_files.starter_label(), elem_id="starter", scale=0)
        preview = write_files.preview(studio)
        with gr.Row(equal_height=False, elem_classes=GONE, elem_id="write") as work:
            with gr.Column(scale=1, min_width=320, elem_classes="card"):
                listed = conversations(studio)
                with gr.Row(elem_classes="buttons"):
                    more = write_files.upload_button("import")
                    ready = gr.DownloadButton(visible="hidden", elem_id="export-file")
                out = write_files.files(studio)
            with gr.Column(scale=2, min_width=320, elem_classes="card"):
                editing = editor(studio)

    shown = [first, work, listed, editing]
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    # Two events, not one with two triggers: of those, Gradio drops the second while the first is on its way.
    handed = [shell.project, shell.handed], [*shown, shell.handed]
    tab.select(bind(studio, on_select), *handed, **quiet)
    shell.project.change(bind(studio, on_open), shell.project, shown, **quiet)
    editing.submit(bind(studio, on_first), shell.project, [first, work], **quiet)
    begin.click(bind(studio, on_begin), shell.project, shown, **quiet)
    starter.click(bind(studio, on_starter), shell.project, shown, concurrency_limit=None)
    write_files.wire(studio, shell.project, preview, [file, more], bind(studio, on_imported), shown)
    prepared = out.click(bind(studio, write_files.on_export), shell.project, ready, concurrency_limit=None)
    prepared.success(None, js="() => document.querySelector('#export-file').click()")
    return tab


def conversations(studio: Studio) -> gr.HTML:
    deeds = (
        on_page,
        on_review,
        on_restore,
        write_find.on_choices,
        write_many.on_mark,
        write_many.on_unmark,
        write_templates.on_templates,
        *write_together.TAKING,
    )
    statuses = "".join(f"<option>{each}</option>" for each in STATUSES)
    return gr.HTML(
        {"project": ""},
        html_template=LIST.replace("{statuses}", statuses),
        js_on_load=serving.scripts(*LIST_SCRIPTS),
        server_functions=[bind_server(studio, each) for each in deeds],
        elem_id="list",
        apply_default_css=False,
    )


def editor(studio: Studio) -> gr.HTML:
    deeds = (
        on_read,
        on_save,
        on_delete,
        on_restore,
        on_system,
        on_page,
        on_tags,
        write_history.on_history,
        write_history.on_step,
        write_history.on_walk,
        write_length.on_length,
        *write_draft.DEEDS,
        *write_templates.DEEDS,
        write_together.on_here,
        write_together.on_rejection,
    )
    return gr.HTML(
        {"project": ""},
        html_template='<div class="editor"></div>',
        js_on_load=serving.scripts(*EDITOR_SCRIPTS),
        server_functions=[bind_server(studio, each) for each in deeds],
        elem_id="editor",
        apply_default_css=False,
    )


def on_open(
    studio: Studio, person: Person, project: str | None, start: str = ""
) -> tuple[Any, Any, Any, Any]:
    """Show a project: what to do first where it is empty, else its list and the conversation that was open."""
    if not project or project == NEW:  # the page is just loading, or a new project is being named
        return gr.skip(), gr.skip(), gr.skip(), gr.skip()
    listed = writing.count(studio, project) or writing.page(studio, project, binned=True, size=1).total
    empty = not listed and not start
    turn = secrets.token_hex(4)  # what the scripts know a new showing by
    system = writing.by_id(studio, project).system
    return (
        gr.update(visible=empty),
        gr.update(elem_classes=GONE if empty else []),
        {"project": project, "turn": turn},
        {"project": project, "system": system, "start": start, "turn": turn},
    )


def on_select(studio: Studio, person: Person, project: str | None, handed: Any) -> tuple[Any, ...]:
    """The tab was opened, perhaps at a conversation that Compare hands over."""
    *shown, editing = on_open(studio, person, project)
    opened = write_handed.opened(handed) if project else {}
    if not opened:
        return *shown, editing, gr.skip()
    return *shown, {**editing, **opened}, None


def on_begin(studio: Studio, person: Person, project: str) -> tuple[Any, Any, Any, Any]:
    return on_open(studio, person, project, "new")


def on_imported(studio: Studio, person: Person, project: str) -> tuple[Any, Any, Any, Any]:
    return on_open(studio, person, project, "first")


def on_starter(studio: Studio, person: Person, project: str) -> tuple[Any, Any, Any, Any]:
    """Take the starter examples in. Doing it twice adds nothing: they are duplicates then."""
    importing.take(studio, person, project, importing.starter_examples(studio, project))
    return on_imported(studio, person, project)


def on_first(studio: Studio, person: Person, project: str) -> tuple[Any, Any]:
    """The first conversation is there: what an empty project says goes away."""
    return gr.update(visible=False), gr.update(elem_classes=[])


def on_review(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return write_find.page_value(write_together.waiting(studio, person, given))


def on_tags(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return {"tags": writing.tags(studio, str(given["project"]))}


def on_read(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return {"conversation": value(writing.read(studio, str(given["conversation"]), str(given["project"])))}


def on_save(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    """Save one change. Answers the saved conversation, or the conflict: the sentence, the newest version, and both side by side."""
    try:
        return {"conversation": value(writing.save(studio, person, asked(given)))}
    except ChangedMeanwhile as refused:
        message = OWN_WINDOW if refused.theirs.updated_by == person.name else str(refused)
        turns = write_history.side_by_side(refused.theirs.messages, refused.mine.messages)
        return {"conflict": {"message": message, "theirs": value(refused.theirs), "turns": turns}}


def on_delete(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    gone = writing.delete(studio, person, str(given["project"]), str(given["conversation"]))
    return {"conversation": value(gone)}


def on_restore(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    back = writing.restore(studio, person, str(given["project"]), str(given["conversation"]))
    return {"conversation": value(back)}


def on_system(studio: Studio, person: Person, given: dict[str, Any]) -> dict[str, Any]:
    return {"system": writing.set_system(studio, person, str(given["project"]), str(given["text"])).system}


def asked(given: dict[str, Any]) -> Change:
    """The change that the editor sent. Raises BadInput: nothing that comes from a page is taken on trust."""
    if given.get("status") not in STATUSES:
        raise BadInput(
            f"A conversation's status is one of {', '.join(STATUSES)}. Choose one of them and save again."
        )
    return Change(
        request=str(given["request"]),
        project=str(given["project"]),
        conversation=str(given["conversation"]),
        version=int(given["version"]),
        messages=write_draft.turns(given["messages"]),
        status=given["status"],
        tags=tuple(str(each) for each in given.get("tags", ())),
        note=str(given.get("note", "")),
        reason=str(given.get("reason") or ""),
    )


def value(conversation: Conversation) -> dict[str, Any]:
    """A conversation as the editor's script takes it."""
    return {
        "id": conversation.id,
        "number": conversation.number,
        "version": conversation.version,
        "messages": [formats.as_kept(each) for each in conversation.messages],
        "status": conversation.status,
        "tags": list(conversation.tags),
        "note": conversation.note,
        "reason": conversation.reason,
        "updated_at": conversation.updated_at,
        "updated_by": conversation.updated_by,
        "deleted": conversation.deleted,
    }
