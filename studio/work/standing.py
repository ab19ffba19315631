"""What the blind votes of a project come to, and the preference pairs that they leave for later alignment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.core import judging
from studio.core.errors import BadInput, NotFound
from studio.core.estimate import Estimate
from studio.core.formats import as_entry
from studio.core.judging import Calibration, Round, Tally, calibration, sentence, tallies, titled, wins
from studio.core.strengths import strengths
from studio.store import runs
from studio.store.files import write_lines
from studio.store.vote_files import KINDS, encoded
from studio.work import exporting
from studio.work.judging import all_of
from studio.work.studio import Studio


@dataclass(frozen=True)
class Standing:
    """`pairs` with what may be said of each; `strengths` of three arms and more, as the chance to be preferred over the
    first; `agreement` of judges on the same questions (Krippendorff's alpha); each judge's own `calibrations`.
    """

    pairs: tuple[tuple[Tally, str], ...]
    strengths: tuple[tuple[str, Estimate], ...]
    agreement: float | None
    calibrations: tuple[tuple[str, Calibration], ...]


def standing(studio: Studio, project_id: str) -> Standing:
    """Over the votes on the base that was judged last."""
    counted = judging.on_last_base(all_of(studio, project_id))
    found = tallies(counted)
    arms, table = wins(found)
    judges = dict.fromkeys(each.judge for each in counted if each.choice)
    return Standing(
        tuple((each, sentence(each, titled(each.a), titled(each.b))) for each in found),
        tuple(zip(arms, strengths(table), strict=True)) if len(arms) > 2 else (),
        judging.agreement(counted),
        tuple((judge, calibration(each for each in counted if each.judge == judge)) for judge in judges),
    )


@dataclass(frozen=True)
class Preferences:
    """Pairs as TRL reads them, {prompt, chosen, rejected}, each a list of messages; and the questions that gave none."""

    rows: tuple[dict[str, object], ...]
    ties: int
    both_bad: int


def preferences(studio: Studio, project_id: str, run: str = "") -> Preferences:
    """Of all clear votes, or of those on arms of one run. A question gives one pair: what most of its judges preferred."""
    wanted = [
        each
        for each in all_of(studio, project_id)
        if not run or f"run:{run}" in (arm.split("+")[0].split("@")[0] for arm in each.pair)
    ]
    rows, left_out = [], []
    for voted in judging.by_question(wanted).values():
        preferred = judging.most(voted)
        if preferred in ("tie", "bad"):
            left_out.append(preferred)
        else:
            rows.append(as_pair(next(each for each in voted if each.chosen == preferred)))
    return Preferences(tuple(rows), left_out.count("tie"), left_out.count("bad"))


def votes(studio: Studio, project_id: str) -> list[dict[str, object]]:
    """Every vote of a project, calibrating ones too, flat: who chose what between which arms' answers, and why."""
    return [
        {
            "id": each.id, "judge": each.judge, "voted_at": each.voted_at, "base": each.base, "question": each.messages[-1].content,
            "conversation": each.question, "left_arm": each.left.arm, "left_answer": each.left.answer,
            "left_fingerprint": each.left.fingerprint, "right_arm": each.right.arm, "right_answer": each.right.answer,
            "right_fingerprint": each.right.fingerprint, "calibrates": each.calibrates, "choice": each.choice, "chosen": each.chosen,
            "reasons": ", ".join(each.reasons),
        }
        for each in all_of(studio, project_id)
        if each.choice
    ]  # fmt: skip


def file(studio: Studio, project_id: str, kind: str) -> bytes:
    """The votes as a file of one of `vote_files.KINDS`, or "preferences", the pairs as JSON Lines. Raises BadInput."""
    if kind == "preferences":
        return encoded("jsonl", preferences(studio, project_id).rows)
    if kind not in KINDS:
        raise BadInput(
            f"Votes are written as {', '.join(KINDS)} or preferences, not as “{kind}”. Choose one of these."
        )
    return encoded(kind, votes(studio, project_id))


def bundle(studio: Studio, run: str, out: Path | None = None) -> Path:
    """Write the preference pairs of a run's votes into a folder, and return the file. Raises NotFound, BadInput, DoesNotFit."""
    project = str(runs.load(studio.home, run).spec["project"])
    found = preferences(studio, project, run)
    if not found.rows:
        raise NotFound(f"There is no clear vote on run {run} yet. Judge it blind in the Compare tab first.")
    folder = exporting.place(out, studio.home.exports / f"run-{run}-preferences")
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(folder / "preferences.jsonl", [encoded("jsonl", found.rows)])
    return folder / "preferences.jsonl"


def save(studio: Studio, project_id: str, path: Path) -> None:
    """Write the votes to a file of the kind that its name ends with. Raises BadInput, DoesNotFit."""
    write_lines(path, [file(studio, project_id, path.suffix.removeprefix(".").lower())])


def as_pair(round: Round) -> dict[str, object]:
    better, worse = (round.left, round.right) if round.choice == "left" else (round.right, round.left)
    said = {
        name: [{"role": "assistant", "content": each.answer}]
        for name, each in (("chosen", better), ("rejected", worse))
    }
    arms = {"chosen_arm": better.arm, "rejected_arm": worse.arm}
    prints = {"chosen_fingerprint": better.fingerprint, "rejected_fingerprint": worse.fingerprint}
    return {"prompt": [as_entry(each) for each in round.messages], **said, **arms, **prints}
