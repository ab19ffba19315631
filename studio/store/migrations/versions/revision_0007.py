"""Rounds of blind judging: two answers to a question before a judge, and what they chose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "rounds",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("pair", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("messages", sa.Text, nullable=False),
        sa.Column("left_arm", sa.Text, nullable=False),
        sa.Column("left_answer", sa.Text, nullable=False),
        sa.Column("left_fingerprint", sa.Text, nullable=False),
        sa.Column("right_arm", sa.Text, nullable=False),
        sa.Column("right_answer", sa.Text, nullable=False),
        sa.Column("right_fingerprint", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("choice", sa.Text),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("voted_at", sa.Text, nullable=False),
        sa.Column("revealed", sa.Boolean, nullable=False),
        sa.UniqueConstraint("project_id", "judge", "base", "pair", "question", name="rounds_once"),
    )
