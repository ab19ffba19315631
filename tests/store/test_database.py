import shutil
import sqlite3
import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from studio.core.errors import Busy, DoesNotFit, UnreadableFile
from studio.core.records import Person
from studio.store import database as databases
from studio.store import projects, schema
from studio.store.database import Database

AT = "2026-01-01T00:00:00.000+00:00"


def names(database):
    with database.reading() as db:
        return [each.name for each in projects.load_all(db)]


def add(database, name):
    with database.writing() as db:
        projects.ensure(db, name, AT)


def test_what_was_written_is_there_after_opening_again(home):
    database = Database.open(home.database)
    add(database, "harbour")
    database.close()

    assert names(Database.open(home.database)) == ["harbour"]


def test_a_commit_is_made_to_survive_a_power_cut(database):
    with database.writing() as db:
        set_to = {name: db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip

    assert set_to == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_what_raises_is_undone_whole(database):
    def half():
        with database.writing() as db:
            projects.ensure(db, "harbour", AT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert names(database) == []


def test_a_reader_sees_one_state_and_does_not_wait_for_a_writer(database):
    add(database, "one")
    with database.reading() as db:
        assert len(projects.load_all(db)) == 1
        add(database, "two")
        assert len(projects.load_all(db)) == 1

    assert sorted(names(database)) == ["one", "two"]


def test_a_reader_cannot_write(database):
    with pytest.raises(sa.exc.OperationalError, match="readonly"), database.readers.connect() as db:
        projects.ensure(db, "harbour", AT)


def test_threads_write_one_after_the_other(database):
    def count_up():
        for _ in range(20):
            with database.writing() as db:
                now = db.exec_driver_sql("PRAGMA user_version").scalar()
                db.exec_driver_sql(f"PRAGMA user_version = {now + 1}")

    threads = [threading.Thread(target=count_up) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    with database.reading() as db:
        assert db.exec_driver_sql("PRAGMA user_version").scalar() == 100


def test_a_writer_that_waited_too_long_says_so(home, database):
    second = Database.open(home.database, patience=0.1)
    with database.writing() as db:
        projects.ensure(db, "one", AT)
        with pytest.raises(Busy, match="Another save"):
            add(second, "two")
        with pytest.raises(Busy, match="Another save"), impatient(database).alone():
            pass

    add(second, "three")
    assert sorted(names(database)) == ["one", "three"]


def impatient(database):
    return Database(database.path, database.readers, database.writer, database.queue, 0.1, database.turn)


def test_another_program_in_the_database_is_told(home):
    database = Database.open(home.database, patience=0.1)
    stranger = sqlite3.connect(home.database, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")

    with pytest.raises(Busy, match="Another program is using"):
        add(database, "harbour")

    stranger.close()
    add(database, "harbour")


def test_a_full_disk_saves_nothing_and_loses_nothing(database):
    add(database, "before")
    with database.writing() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
        db.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def add_large():
        with database.writing() as db:
            projects.set_system(db, projects.ensure(db, "large", AT).id, "x" * 1_000_000)

    with pytest.raises(DoesNotFit, match="no room left"):
        add_large()
    assert names(database) == ["before"]
    with database.writing() as db:
        db.exec_driver_sql("PRAGMA max_page_count = 1000000")
    add(database, "after")
    assert sorted(names(database)) == ["after", "before"]


@pytest.mark.parametrize(
    "content", [b"not a database at all " * 100, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_damaged_database_is_told_with_the_way_out_and_left_alone(home, content):
    home.database.write_bytes(content)

    with pytest.raises(UnreadableFile, match="damaged"):
        Database.open(home.database)

    assert home.database.read_bytes() == content


def test_a_place_that_takes_no_database_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DoesNotFit, match="Nothing can be written in"):
        Database.open(tmp_path / "file" / "studio.db")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableFile, match="cannot be opened"):
        Database.open(tmp_path / "folder")


def test_a_database_of_a_newer_studio_is_refused_and_left_alone(home, database):
    with database.writing() as db:
        db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(UnreadableFile, match="newer studio"):
        Database.open(home.database)


def test_the_migrations_lead_to_the_tables_of_the_schema(database):
    with database.reading() as db:
        context = MigrationContext.configure(db, opts={"include_name": lambda name, kind, _: not of_the_index(name, kind)})  # fmt: skip
        assert compare_metadata(context, schema.metadata) == []
        assert conditions(db) == {
            "revisions_version": "kind <> 'kept aside'",
            "conversations_tagged": "tags <> '[]'",
        }


def of_the_index(name, kind):
    """Whether a table is the index of words, or one of those in which FTS5 keeps it."""
    return kind == "table" and (name == "words" or name.startswith("words_"))


def conditions(db):
    """The conditions of the partial indices, which Alembic does not compare."""
    found = db.execute(
        sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'")
    ).all()
    return {name: sql.partition(" WHERE ")[2] for name, sql in found}


def scripts(folder=databases.MIGRATIONS):
    config = Config()
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config)


def test_the_schema_names_the_newest_migration():
    assert scripts().get_heads() == [schema.REVISION]


def test_migrations_are_one_line_of_names_that_sort():
    line = [each.revision for each in scripts().walk_revisions()][::-1]

    assert line == sorted(line)
    assert line[0] == "0001"


ANOTHER = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "0900", "{newest}"
def upgrade():
    op.add_column("projects", sa.Column("colour", sa.Text, nullable=False, server_default="blue"))
    op.execute("{statement}")
"""


def with_another_migration(monkeypatch, tmp_path, statement):
    folder = shutil.copytree(databases.MIGRATIONS, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    (folder / "versions" / "revision_0900.py").write_text(
        ANOTHER.format(statement=statement, newest=schema.REVISION)
    )
    monkeypatch.setattr(databases, "MIGRATIONS", folder)
    monkeypatch.setattr(schema, "REVISION", "0900")


def test_an_older_database_is_migrated_with_its_data(home, database, monkeypatch, tmp_path):
    add(database, "harbour")
    database.close()
    with_another_migration(monkeypatch, tmp_path, "UPDATE projects SET system = 'migrated'")

    with Database.open(home.database).reading() as db:
        assert db.execute(sa.text("SELECT name, colour, system FROM projects")).all() == [("harbour", "blue", "migrated")]  # fmt: skip


def test_a_migration_that_fails_leaves_the_database_as_it_was(home, database, monkeypatch, tmp_path):
    add(database, "harbour")
    database.close()
    with monkeypatch.context() as broken:
        with_another_migration(broken, tmp_path, "SELECT nonsense")
        with pytest.raises(sa.exc.OperationalError, match="nonsense"):
            Database.open(home.database)

    again = Database.open(home.database)
    assert names(again) == ["harbour"]
    with again.reading() as db:
        assert "colour" not in {each["name"] for each in sa.inspect(db).get_columns("projects")}


def test_the_first_opening_by_two_at_once_makes_one_database(home):
    opened, together = [], threading.Barrier(2)

    def open_it():
        together.wait()
        opened.append(Database.open(home.database))

    threads = [threading.Thread(target=open_it) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    add(opened[0], "harbour")
    assert names(opened[1]) == ["harbour"]


def test_a_path_with_odd_characters_is_only_a_path(tmp_path):
    folder = tmp_path / "50% ?mode=memory#é"
    folder.mkdir()

    add(Database.open(folder / "studio.db"), Person("Ada").name)

    assert (folder / "studio.db").exists()
