"""Finding: an index of words takes the place of the searched column; lists by change, length, person and tag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("projects", sa.Column("place", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE projects SET place = (SELECT count(*) FROM projects AS other WHERE other.id <= projects.id)"
    )
    op.create_index("projects_place", "projects", ["place"], unique=True)
    op.add_column("conversations", sa.Column("size", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE conversations SET size = "
        "(SELECT coalesce(sum(length(json_extract(value, '$.content'))), 0) FROM json_each(messages))"
    )
    op.drop_column("conversations", "searchable")
    for name, column in (("change", "updated_at"), ("size", "size")):
        op.create_index(
            f"conversations_by_{name}", "conversations", ["project_id", "deleted", column, "number"]
        )
    op.create_index("conversations_by_person", "conversations", ["project_id", "deleted", "updated_by"])
    tagged = sa.text("tags <> '[]'")
    op.create_index("conversations_tagged", "conversations", ["project_id", "deleted", "tags"],
                    sqlite_where=tagged, postgresql_where=tagged)  # fmt: skip
