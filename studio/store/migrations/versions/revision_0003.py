"""Working together: reasons of a review, who is at which conversation, templates, and imports that can be undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in ("conversations", "revisions"):
        op.add_column(table, sa.Column("reason", sa.Text, nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("imported", sa.Text))
    op.create_index("conversations_by_import", "conversations", ["imported"])
    op.create_table(
        "imports",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("messages", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.UniqueConstraint("project_id", "name", name="templates_name"),
    )
    op.create_table(
        "leases",
        sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("window", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
    )
