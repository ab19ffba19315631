"""Things for the tests of the tabs, made as the studio makes them: examples through its verbs, runs as folders on disk."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from dataclasses import asdict

import gradio as gr
from filelock import FileLock

from studio.core.recipe import preset
from studio.core.records import Change, Message
from studio.store import runs
from studio.ui.shell import Shell
from studio.work import writing


def talk(question="Where is my parcel?", answer="On its way to you."):
    return (Message("user", question), Message("assistant", answer))


def write(studio, person, project, *conversations):
    """Save conversations and return them, numbered from 1."""
    return [
        writing.save(studio, person, Change(uuid.uuid4().hex, project, "", 0, messages))
        for messages in conversations
    ]


def write_many(studio, person, project, count):
    return write(studio, person, project, *(talk(f"Question {n}?", f"Answer {n}.") for n in range(count)))


def freeze(studio, project, place=0, **spec):
    """`place` in the queue; 0 for a run that does not wait."""
    id = runs.next_id(studio.home)
    whole = {
        "name": f"Run {id}", "project": project, "project_name": "Harbour", "preset": "standard",
        "recipe": asdict(preset("standard", 100)), "base": "starter", "by": "Ada", **spec,
    }  # fmt: skip
    return runs.freeze(studio.home, id, whole, {"train": [], "held_out": HELD_OUT}, place)


HELD_OUT = [(f"h{n}", (Message("user", f"Where is {n}?"), Message("assistant", "Here."))) for n in range(5)]


def say(folder, *events):
    with (folder / "events.jsonl").open("a", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"at": time.time(), **each}) + "\n" for each in events)


def planned(updates=40):
    return {"kind": "planned", "updates": updates, "learned_tokens": 900, "held_out": 5, "general": 20, "path": "x", "left_out": 0}  # fmt: skip


def stepped(update, loss):
    return {"kind": "stepped", "update": update, "loss": loss, "learning_rate": 2e-4, "tokens": 1000, "seconds": 5.0, "grad_norm": 0.5}  # fmt: skip


def evaluated(update, held_out, general=1.5):
    return {
        "kind": "evaluated",
        "update": update,
        "held_out_loss": held_out,
        "general_loss": general,
        "best": True,
    }


def finish(folder, before=3.6, best=2.34, state="finished"):
    adapter = folder / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (adapter / "adapter_config.json").write_text("{}")
    card = {
        "state": state, "updates": 40, "seconds": 130.0, "learned_tokens": 900, "best_step": 30,
        "held_out_loss": {"before": before, "best": best, "last": best},
        "general_loss": {"before": 1.5, "best": 1.49}, "peak_memory_mb": 2100,
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card))


def finished(studio, project, **spec):
    """A run that went well, with its events, its adapter and its card."""
    folder = freeze(studio, project, **spec)
    say(
        folder,
        planned(),
        evaluated(0, 3.6),
        stepped(20, 3.0),
        evaluated(20, 2.8),
        stepped(30, 2.5),
        evaluated(30, 2.34, 1.49),
    )
    finish(folder)
    return folder


@contextlib.contextmanager
def going(studio, project, **spec):
    """A run whose worker is alive: its lock is held."""
    folder = freeze(studio, project, **spec)
    with FileLock(folder / "lock"):
        say(folder, planned(), evaluated(0, 3.6), stepped(1, 3.4))
        yield folder


def built(tab, studio):
    """A tab in a page of its own, wired."""
    with gr.Blocks() as page:
        projects, tick, handed = gr.Dropdown(), gr.Timer(), gr.JSON()
        with gr.Tabs() as tabs:
            return tab.build(studio, Shell(projects, tick, tabs, page, handed))
