"""The tables as they are now. Databases get there by the migrations, and a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

REVISION = "0008"  # the newest migration: a database that is there already is opened without loading Alembic

metadata = MetaData()

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("system", Text, nullable=False),
    Column("base", Text, nullable=False),
    # The highest number given so far: no number is given twice, whatever becomes of its conversation.
    Column("numbered", Integer, nullable=False),
    # Given once, and with a conversation's number its place in the index of words: SQLite's own row numbers may change.
    Column("place", Integer, nullable=False, server_default="0"),
    Column("created_at", Text, nullable=False),
    # JSON, a list of texts: what a model in training is asked at each evaluation; empty for held-out questions.
    Column("watch", Text, nullable=False, server_default="[]"),
    Index("projects_place", "place", unique=True),
)

# The newest version of each conversation, with what lists and searches need derived from it.
conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("messages", Text, nullable=False),  # JSON
    Column("status", Text, nullable=False),
    Column("tags", Text, nullable=False),  # JSON
    Column("note", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),  # why it was rejected
    Column("imported", Text),  # the import that it came by
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("turns", Integer, nullable=False),
    Column("size", Integer, nullable=False, server_default="0"),  # characters
    Column("content_hash", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("updated_by", Text, nullable=False),
    UniqueConstraint("project_id", "number", name="conversations_number"),
    Index("conversations_listed", "project_id", "deleted", "number"),
    Index("conversations_by_status", "project_id", "deleted", "status", "number"),
    Index("conversations_by_change", "project_id", "deleted", "updated_at", "number"),
    Index("conversations_by_size", "project_id", "deleted", "size", "number"),
    Index("conversations_by_person", "project_id", "deleted", "updated_by"),
    Index(
        "conversations_tagged",
        "project_id",
        "deleted",
        "tags",
        sqlite_where=text("tags <> '[]'"),
        postgresql_where=text("tags <> '[]'"),
    ),
    Index("conversations_by_content", "project_id", "content_hash"),
    Index("conversations_by_import", "imported"),
)

# Every step ever made; only ever appended to.
revisions = Table(
    "revisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("request", Text, unique=True),  # null where nobody sends it again, as in an import
    Column("messages", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("deleted", Boolean, nullable=False),
    Column("restores", Integer),  # the version whose content an undo or a redo brought back
    Index("revisions_of", "conversation_id", "id"),
    # What was kept aside has the version it was made from, beside the one that won.
    Index(
        "revisions_version",
        "conversation_id",
        "version",
        unique=True,
        sqlite_where=text("kind <> 'kept aside'"),
        postgresql_where=text("kind <> 'kept aside'"),
    ),
)

# Files that were brought in: each can be undone as one.
imports = Table(
    "imports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("file", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
)

# What a new conversation may begin with.
templates = Table(
    "templates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("messages", Text, nullable=False),  # JSON
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    UniqueConstraint("project_id", "name", name="templates_name"),
)

# System texts with examples that people have kept by name. What each of them said stands in its versions.
prompts = Table(
    "prompts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("project_id", "name", name="prompts_name"),
)

# Only ever appended to: what was tried under a version stays what it was.
prompt_versions = Table(
    "prompt_versions",
    metadata,
    Column("prompt_id", Text, ForeignKey("prompts.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("system", Text, nullable=False),
    Column("shots", Integer, nullable=False),  # how many of the nearest examples are shown
    Column("pinned", Text, nullable=False),  # JSON, ids of the conversations that are always shown, in order
    Column("note", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
)

# The version that a project uses; none where its system text was written without a prompt, or is empty.
default_prompts = Table(
    "default_prompts",
    metadata,
    Column("project_id", Text, ForeignKey("projects.id"), primary_key=True),
    Column("prompt_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    ForeignKeyConstraint(["prompt_id", "version"], ["prompt_versions.prompt_id", "prompt_versions.version"]),
)

# Blind judging: two answers to a question before one judge, and what they chose.
rounds = Table(
    "rounds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("judge", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("pair", Text, nullable=False),  # JSON, both arms in order: no judge meets a question twice
    Column("question", Text, nullable=False),  # a conversation's id, or what the text of a typed one makes
    Column("messages", Text, nullable=False),  # JSON, up to and with the question
    Column("left_arm", Text, nullable=False),
    Column("left_answer", Text, nullable=False),
    Column("left_fingerprint", Text, nullable=False),
    Column("right_arm", Text, nullable=False),
    Column("right_answer", Text, nullable=False),
    Column("right_fingerprint", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("choice", Text),  # left, right, tie or bad; NULL until it was voted on
    Column("reasons", Text, nullable=False),  # JSON
    Column("voted_at", Text, nullable=False),
    Column("revealed", Boolean, nullable=False),  # the judge has been told which arm was where
    UniqueConstraint("project_id", "judge", "base", "pair", "question", name="rounds_once"),
)

# What each judge chose to judge last, and how far its answers were prepared: told after a restart, too.
judgings = Table(
    "judgings",
    metadata,
    Column("project_id", Text, ForeignKey("projects.id"), primary_key=True),
    Column("judge", Text, primary_key=True),
    Column("arms", Text, nullable=False),  # JSON, both names as they were chosen
    Column("questions", Text, nullable=False),  # JSON, typed ones; empty: the held-out ones
    Column("at", Text, nullable=False),
    Column("preparing", Integer, nullable=False),  # how many questions were to be prepared from then on
    Column("outcome", Text, nullable=False),  # of preparing: empty while it goes on
)

# Who is at which conversation, until when unless they say so again: so that two people do not meet by chance.
leases = Table(
    "leases",
    metadata,
    Column("conversation_id", Text, ForeignKey("conversations.id"), primary_key=True),
    Column("person", Text, nullable=False),
    Column("window", Text, nullable=False),  # of a browser, by the page's own random id
    Column("until", Text, nullable=False),
)
