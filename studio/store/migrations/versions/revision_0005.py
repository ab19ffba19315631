"""Watch-prompts of a project: what its model in training is asked at each evaluation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("projects", sa.Column("watch", sa.Text, nullable=False, server_default="[]"))
