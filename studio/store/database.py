"""The database: many readers, one writer, and a commit that is acknowledged only when the disk has it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from studio.core.errors import Busy, ChangedMeanwhile, DoesNotFit, StudioError, UnreadableFile
from studio.store import schema, search

PATIENCE = 30.0  # seconds; importing 100,000 conversations took 22 on a busy machine with two cores
MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Database:
    """One SQLite file in WAL mode. `open` makes it; every thread may use it.

    Writers of this and other processes stand in one queue, by a lock beside the file. SQLite's own lock would order
    them as well, but before its version 3.51.3 a checkpoint and a commit of two connections at the same instant could
    damage the file; in the queue there is one of them at a time, and readers never make either.
    """

    path: Path
    readers: sa.Engine = field(repr=False)
    writer: sa.Engine = field(repr=False)
    queue: FileLock = field(repr=False)
    patience: float  # seconds that a save waits for another one
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, path: Path, patience: float = PATIENCE) -> Database:
        """Open the database, make it where it is missing, and migrate it where it is old.

        Raises UnreadableFile for a damaged one or one of a newer studio, DoesNotFit, Busy.
        """
        database = cls(
            path,
            readers=engine(path, patience, "BEGIN", "PRAGMA query_only = ON"),
            writer=engine(
                path, patience, "BEGIN IMMEDIATE", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"
            ),
            queue=FileLock(f"{path}.lock", poll_interval=0.01),
            patience=patience,
        )
        try:
            with database.writing() as db:
                migrate(db, path)
                search.ensure(db)
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One unchanging view of everything that was committed before. Raises UnreadableFile, Busy."""
        with foreseen(self.path), self.readers.connect() as db:
            yield db

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: committed and on the disk when the block has ended, undone when it raises.

        ChangedMeanwhile alone does not undo: what was kept aside before it was raised is committed, and then it is
        raised. Raises Busy, DoesNotFit, UnreadableFile.
        """
        with self.alone(), foreseen(self.path), self.writer.connect() as db:
            refusal = None
            with db.begin():
                try:
                    yield db
                except ChangedMeanwhile as error:
                    refusal = error
            if refusal:
                raise refusal

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only writer of this and every other process. Raises Busy, DoesNotFit."""
        if not self.turn.acquire(timeout=self.patience):
            raise another_save()
        try:
            self.stand_in_queue()
            try:
                yield
            finally:
                self.queue.release()
        finally:
            self.turn.release()

    def stand_in_queue(self) -> None:
        try:
            self.queue.acquire(timeout=self.patience)
        except Timeout as error:
            raise another_save() from error
        except OSError as error:
            raise DoesNotFit(f"Nothing can be written in {self.path.parent} ({error.strerror}). Free some space, or check who owns it.") from error  # fmt: skip

    def close(self) -> None:
        self.readers.dispose()
        self.writer.dispose()


def engine(path: Path, patience: float, begin: str, *settings: str) -> sa.Engine:
    """Connections to `path` that begin their transactions with `begin` and are set up with `settings`."""
    made = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": patience},
        # As many as there are threads; each handler holds one for a few milliseconds.
        pool_size=8,
        max_overflow=-1,
    )

    def on_connect(connection: sqlite3.Connection, _: object) -> None:
        # Python's driver begins transactions late, and deferred: a read that turns into a write in one fails at once,
        # whatever the timeout. So its own beginnings are turned off, and ours are the only ones.
        connection.isolation_level = None
        for setting in ("PRAGMA foreign_keys = ON", *settings):
            connection.execute(setting)
        search.prepare(connection)

    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    sa.event.listen(made, "connect", on_connect)
    sa.event.listen(made, "begin", on_begin)
    return made


def another_save() -> Busy:
    return Busy("Another save or import is still being written. Wait a moment and try again.")


@contextmanager
def foreseen(path: Path) -> Iterator[None]:
    """Turn what can befall a database on a healthy program into sentences; all else stays as it is."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error) and (said := sentence(error.orig, path)):
            raise said from error
        raise
    except sqlite3.Error as error:  # from `on_connect`, where SQLAlchemy does not wrap
        if said := sentence(error, path):
            raise said from error
        raise


def sentence(error: sqlite3.Error, path: Path) -> StudioError | None:
    """What an error of SQLite's means to a person; None for one that only a mistake of ours can cause."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return DoesNotFit(f"The disk under {path.parent} has no room left or fails, so nothing was saved. Free some space and save again.")  # fmt: skip
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Busy(
            "Another program is using the studio's database. Close it, or wait a moment, and try again."
        )
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return UnreadableFile(
            f"The studio's database {path} is damaged. Move it away and put a backup in its place."
        )
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return UnreadableFile(
            f"The studio's database {path} cannot be opened for writing. Check who owns it and its folder."
        )
    return None


def migrate(db: sa.Connection, path: Path) -> None:
    """Bring the database to schema.REVISION within the transaction of `db`. Raises UnreadableFile for a newer one."""
    found = revision(db)
    if found == schema.REVISION:
        return
    if found > schema.REVISION:
        raise UnreadableFile(f"{path} was written by a newer studio. Update this one, or choose another folder with --home.")  # fmt: skip
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = db
    command.upgrade(config, schema.REVISION)


def revision(db: sa.Connection) -> str:
    """The step at which the database is; "" for an empty one. Steps are named so that later ones sort later."""
    if not sa.inspect(db).has_table("alembic_version"):
        return ""
    return db.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or ""
