"""What each judge chose to judge last in a project, and how far its answers were prepared."""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa

from studio.core.judging import Judging
from studio.store.schema import judgings


@dataclass(frozen=True)
class Last:
    """`at`: when it was chosen (ISO 8601, UTC). `preparing`: how many questions were to be prepared from then on, 0 for none.

    `outcome`: what became of preparing them; "" while it goes on, and after a crash.
    """

    wanted: Judging
    at: str
    preparing: int = 0
    outcome: str = ""


def keep(db: sa.Connection, project_id: str, judge: str, last: Last) -> None:
    """Keep it in the place of what was chosen before."""
    db.execute(judgings.delete().where(*of(project_id, judge)))
    arms, questions = (json.dumps(each, ensure_ascii=False) for each in (last.wanted.arms, last.wanted.questions))  # fmt: skip
    db.execute(
        judgings.insert().values(
            project_id=project_id, judge=judge, arms=arms, questions=questions, at=last.at, preparing=last.preparing, outcome=last.outcome
        )
    )  # fmt: skip


def end(db: sa.Connection, project_id: str, judge: str, at: str, outcome: str) -> None:
    """Say what became of preparing what was chosen at that time; nothing, where another was chosen since."""
    db.execute(judgings.update().where(*of(project_id, judge), judgings.c.at == at).values(outcome=outcome))


def load(db: sa.Connection, project_id: str, judge: str) -> Last | None:
    row = db.execute(sa.select(judgings).where(*of(project_id, judge))).one_or_none()
    if row is None:
        return None
    one, two = json.loads(row.arms)
    return Last(Judging((one, two), tuple(json.loads(row.questions))), row.at, row.preparing, row.outcome)


def of(project_id: str, judge: str) -> tuple[sa.ColumnElement[bool], ...]:
    return judgings.c.project_id == project_id, judgings.c.judge == judge
