"""More than two hundred files that something is wrong with: none crashes, hangs or is changed in silence, each refusal
names its row and the reason, and the good rows of a partly bad file come in."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from studio.core import formats, strict_json
from studio.core.errors import StudioError, UnreadableFile
from studio.core.records import Person, Wanted
from studio.store import exports, tables
from studio.store.database import Database
from studio.store.home import open_home
from studio.work import importing, writing
from studio.work.studio import Studio
from tests.bad_files import of_archives, of_files, of_rows
from tests.bad_files.expected import Bad

LONGEST = 5.0  # seconds for a file
ADA = Person("Ada")


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    home = open_home(tmp_path_factory.mktemp("bad") / "home")
    database = Database.open(home.database)
    # Hundreds of commits, none of which is about power cuts.
    database.writer.dispose()
    sa.event.listen(database.writer, "connect", lambda found, _: found.execute("PRAGMA synchronous = OFF"))
    yield Studio(home, database, engine=None, jobs=None)
    database.close()


def made():
    for source in (of_rows, of_files, of_archives):
        yield from source.corpus()


def wrong_with(studio, bad: Bad, path: Path) -> list[str]:
    """What did not become of a bad file what must."""
    path.write_bytes(bad.content)
    project = writing.project(studio, bad.name[:75]).id
    begun = time.perf_counter()
    try:
        found = importing.read_file(studio, project, path)
        taken = importing.take(studio, ADA, project, found)
    except UnreadableFile as refused:
        return [] if bad.whole and bad.whole in str(refused) and str(refused).endswith(".") else [f"was refused: {refused}"]  # fmt: skip
    except StudioError as error:
        return [f"failed otherwise: {error!r}"]
    problems = [f"took {took:.1f} s"] if (took := time.perf_counter() - begun) > LONGEST else []
    if bad.whole and not ((len(taken.rejected) == taken.read) and bad.whole in taken.rejected[0][1]):
        problems.append("came in")
    there = writing.all_conversations(studio, project)
    texts = tuple(tuple(each.content for each in conversation.messages) for conversation in there)
    if texts != bad.taken:
        problems.append(f"has {str(texts)[:300]}")
    if not bad.whole and [row for row, _ in taken.rejected] != [row for row, _ in bad.refused]:
        problems.append(f"refused {taken.rejected}")
    for (_, reason), (_, part) in zip(taken.rejected, bad.refused, strict=False):
        if part not in reason or not reason.endswith("."):
            problems.append(f"said {reason}")
    return problems


def test_nothing_of_a_bad_file_is_changed_in_silence_and_its_good_rows_come_in(studio, tmp_path):
    names, problems = set(), {}
    for bad in made():
        assert bad.name not in names
        names.add(bad.name)
        if found := wrong_with(studio, bad, tmp_path / bad.name):
            problems[bad.name] = found
        (tmp_path / bad.name).unlink()

    assert not problems, "\n".join(f"{name}: {'; '.join(each)}" for name, each in problems.items())
    assert len(names) >= 200


@pytest.mark.parametrize(
    ("place", "gate", "open_gate", "name"),
    [
        (formats, "unacceptable", lambda messages: "", "two questions in a row.jsonl"),
        (formats, "clean", lambda text, *_: text, "bell in an answer.json"),
        (strict_json, "twice", lambda pairs: "", "line, the same name twice.jsonl"),
        (tables, "unguarded", lambda cell: cell, "table, ours with formulas.csv"),
    ],
)
def test_an_open_gate_is_noticed(studio, tmp_path, monkeypatch, place, gate, open_gate, name):
    monkeypatch.setattr(place, gate, open_gate)
    (bad,) = (each for each in made() if each.name == name)

    assert wrong_with(studio, replace(bad, name=f"gate {bad.name}"), tmp_path / bad.name)


@pytest.mark.parametrize("kind", exports.KINDS)
def test_what_came_in_goes_out_and_comes_in_again_to_the_letter(studio, tmp_path, kind):
    """All odd texts by every way out and in again, with tags, notes, weights and names where the way has room for them."""
    project = writing.project(studio, f"out {kind}").id
    lines = b"\n".join(bad.content for bad in of_rows.corpus() if bad.taken and not bad.refused and bad.name.endswith(".jsonl"))  # fmt: skip
    extra = '{"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "x", "name": "\'=Ben"}, {"role": "assistant", "content": "y", "weight": 0}, {"role": "user", "content": "z", "weight": 0.5}, {"role": "assistant", "content": "w", "weight": 1}], "tags": ["a, b", "=c"], "note": "-n"}'
    (tmp_path / "in.jsonl").write_bytes(lines + b"\n" + extra.encode())
    importing.take(studio, ADA, project, importing.read_file(studio, project, tmp_path / "in.jsonl"))
    path = tmp_path / f"out.{exports.KINDS[kind]}"

    written, _ = writing.export_file(studio, Wanted(project), path, kind)
    again = writing.project(studio, f"in again {kind}").id
    importing.take(studio, ADA, again, importing.read_file(studio, again, path))

    def contents(project, names):
        return [
            [getattr(each, name) for name in names] for each in writing.all_conversations(studio, project)
        ]

    names = ("messages",) if kind == "jsonl" else ("messages", "tags", "note")
    assert written == len(contents(project, names)) > 60
    assert contents(again, names) == contents(project, names)
