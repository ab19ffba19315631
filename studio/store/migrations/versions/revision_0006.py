"""Kept prompts: their names, their versions, and which of them a project uses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("project_id", "name", name="prompts_name"),
    )
    op.create_table(
        "prompt_versions",
        sa.Column("prompt_id", sa.Text, sa.ForeignKey("prompts.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("shots", sa.Integer, nullable=False),
        sa.Column("pinned", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "default_prompts",
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), primary_key=True),
        sa.Column("prompt_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["prompt_id", "version"], ["prompt_versions.prompt_id", "prompt_versions.version"]
        ),
    )
