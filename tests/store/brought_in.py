"""Conversations brought in at once, as an import does it."""

from studio.core.records import Conversation
from studio.store import conversations


def bring_in(db, project, talks, person, at):
    drafts = [Conversation("", "", 0, 0, talk, "ready", (), "", at, person.name) for talk in talks]
    conversations.insert_many(db, project, drafts)
