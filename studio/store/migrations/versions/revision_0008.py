"""What each judge chose to judge last, and how far its answers were prepared."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "judgings",
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("judge", sa.Text, primary_key=True),
        sa.Column("arms", sa.Text, nullable=False),
        sa.Column("questions", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("preparing", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
    )
