"""Rounds of blind judging: shown once to a judge, voted on once, and opened again by who takes a vote back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from studio.core import formats
from studio.core.errors import NotFound
from studio.core.judging import Round, Shown
from studio.store.schema import rounds

Pair = tuple[str, str]


def add(db: sa.Connection, made: Round) -> Round:
    """Keep a new round; where the judge has met the question with these arms already, that one is returned."""
    there = rounds.c.judge == made.judge, rounds.c.base == made.base, rounds.c.question == made.question
    same = (rounds.c.project_id == made.project, rounds.c.pair == json.dumps(made.pair))
    found = db.execute(sa.select(rounds).where(*same, *there)).one_or_none()
    if found:
        return as_round(found)
    db.execute(rounds.insert().values(**as_row(made)))
    return made


def load(db: sa.Connection, project_id: str, judge: str, id: str) -> Round:
    """A judge's own round. Raises NotFound."""
    mine = (rounds.c.id == id, rounds.c.project_id == project_id, rounds.c.judge == judge)
    row = db.execute(sa.select(rounds).where(*mine)).one_or_none()
    if row is None:
        raise NotFound("This round is none of yours here. Ask for the next one.")
    return as_round(row)


def of(db: sa.Connection, project_id: str, judge: str = "") -> list[Round]:
    """A project's rounds, or one judge's, the oldest first."""
    query = sa.select(rounds).where(rounds.c.project_id == project_id).order_by(rounds.c.at, rounds.c.id)
    return [as_round(row) for row in db.execute(query.where(rounds.c.judge == judge) if judge else query)]


def decide(db: sa.Connection, id: str, choice: str | None, reasons: Sequence[str], at: str) -> None:
    """Write down a vote, or take it back with None."""
    words = json.dumps(list(reasons), ensure_ascii=False)
    db.execute(rounds.update().where(rounds.c.id == id).values(choice=choice, reasons=words, voted_at=at))


def reveal(db: sa.Connection, ids: Sequence[str]) -> None:
    db.execute(rounds.update().where(rounds.c.id.in_(ids)).values(revealed=True))


def as_row(made: Round) -> dict[str, Any]:
    sides = {
        f"{side}_{part}": getattr(getattr(made, side), part)
        for side in ("left", "right")
        for part in ("arm", "answer", "fingerprint")
    }
    return {
        "id": made.id,
        "project_id": made.project,
        "judge": made.judge,
        "base": made.base,
        "pair": json.dumps(made.pair),
        "question": made.question,
        "messages": formats.dump(made.messages),
        "at": made.at,
        "choice": made.choice,
        "reasons": json.dumps(made.reasons, ensure_ascii=False),
        "voted_at": made.voted_at,
        "revealed": made.revealed,
        **sides,
    }


def as_round(row: Any) -> Round:
    return Round(
        id=row.id,
        project=row.project_id,
        judge=row.judge,
        base=row.base,
        question=row.question,
        messages=formats.load(row.messages),
        left=Shown(row.left_arm, row.left_answer, row.left_fingerprint),
        right=Shown(row.right_arm, row.right_answer, row.right_fingerprint),
        at=row.at,
        choice=row.choice,
        reasons=tuple(json.loads(row.reasons)),
        voted_at=row.voted_at,
        revealed=row.revealed,
    )
