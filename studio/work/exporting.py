"""Taking a run's result home: its adapter folder, or base and adapter merged into one model, and the proof that it is it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap, takewhile
from pathlib import Path

from studio.core.errors import BadInput, DoesNotFit, NotFound
from studio.core.records import Message, Run, Sampling
from studio.engine.api import PLAIN, Ask
from studio.store import runs
from studio.store.home import require_space
from studio.work.studio import Studio

FORMATS = {
    "adapter": "The adapter in PEFT's own layout, a few MB. PeftModel.from_pretrained loads it on top of the base.",
    "merged": "Base and adapter as one 16-bit model folder (safetensors). Any tool that loads transformers models reads it.",
}


ASKED = 3  # held-out questions that an export is asked
PROOF = Sampling(max_tokens=48)


@dataclass(frozen=True)
class Parity:
    """How many held-out questions an export was asked, and how many it answered word for word as the studio does.

    `alike` is the share of words, on average, that come before the first one that differs.
    """

    asked: int
    same: int
    alike: float


def bundle(studio: Studio, run_id: str, format: str, out: Path | None = None) -> list[Path]:
    """Write a run's result into folder `out` (default: the studio's exports) and return its files.

    Raises NotFound for a run without an adapter, BadInput for an unknown format or a folder in use, DoesNotFit.
    """
    if format not in FORMATS:
        raise BadInput(f"“{format}” is no export format. Choose one of {', '.join(FORMATS)}.")
    run = runs.load(studio.home, run_id)
    if not run.card:
        raise NotFound(
            f"Run {run_id} has no adapter to export. Choose a run that finished, or was stopped and kept."
        )
    folder = place(out, studio.home.exports / f"run-{run_id}-{format}")
    try:
        return write(studio, run, format, folder)
    except OSError as error:
        raise DoesNotFit(f"The export could not be written to {folder} ({error.strerror}). Free some space or choose another folder.") from error  # fmt: skip


def place(out: Path | None, usual: Path) -> Path:
    """Where an export is written: the `usual` folder, or one that a person named. Raises BadInput where that one is in use."""
    if out and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} is not empty. Name a new folder, so that nothing is written over.")
    return out or usual


def write(studio: Studio, run: Run, format: str, folder: Path) -> list[Path]:
    base, staging = str(run.spec["base"]), folder.with_name(f".{folder.name}.staging")
    shutil.rmtree(staging, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if format == "adapter":
        require_space(folder.parent, 2**27, "This export")
        shutil.copytree(studio.home.adapter(run.id), staging)
        if base.startswith(PLAIN):  # the base knows nothing of the template that was learned
            for each in studio.engine.reading_files(base):
                shutil.copy2(each, staging)
    else:
        require_space(folder.parent, 2 * (studio.engine.base(base).parameters or 10**9), "A merged model")
        studio.engine.merge(base, studio.home.adapter(run.id), staging)
    if folder.exists():
        shutil.rmtree(folder)
    staging.rename(folder)
    return sorted(each for each in folder.rglob("*") if each.is_file())


def folder_of(files: Sequence[Path]) -> Path:
    """The folder that an export's files lie in, some of them perhaps deeper."""
    return min((each.parent for each in files), key=lambda each: len(each.parts))


def parity(studio: Studio, run_id: str, format: str, folder: Path) -> Parity:
    """Load an export again, and put the same held-out questions to it and to the run as the studio has it.

    A merged model holds the adapter rounded into 16 bits, so that a word may differ where two were almost equally likely.
    Raises ModelNotReady, DoesNotFit, Busy.
    """
    run = runs.load(studio.home, run_id)
    base, adapter = str(run.spec["base"]), studio.home.adapter(run.id)
    asked = [question(each) for each in runs.frozen(run.folder, "held_out")[:ASKED]]
    ours = answers(studio, base, [Ask(each, adapter, PROOF) for each in asked])
    if format == "adapter":
        theirs = answers(studio, base, [Ask(each, folder, PROOF) for each in asked])
    else:
        theirs = answers(studio, str(folder), [Ask(each, None, PROOF) for each in asked])
        studio.engine.unload()  # the next question is for the project's own base again
    pairs = list(zip(ours, theirs, strict=True))
    return Parity(
        len(asked), sum(one == other for one, other in pairs), sum(starmap(alike, pairs)) / len(pairs)
    )


def alike(one: str, other: str) -> float:
    """The share of the words of two answers that they have in common from the beginning."""
    words, others = one.split(), other.split()
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(words, others, strict=False)))
    return common / max(len(words), len(others), 1)


def question(messages: Sequence[Message]) -> tuple[Message, ...]:
    """A conversation up to its first answer."""
    first = next(place for place, each in enumerate(messages) if each.role == "assistant")
    return tuple(messages[:first])


def answers(studio: Studio, base: str, asks: Sequence[Ask]) -> list[str]:
    *_, last = studio.engine.answers(base, asks, lambda: False)
    return [each.text for each in last]
