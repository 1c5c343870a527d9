"""Ninety ways to damage a store: none hangs or is passed over; a rebuild costs nothing that anything still holds."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path

import pytest
import zstandard
from _pytest.mark.structures import ParameterSet
from simulated_study import Simulation, write_simulation

from pegbox.schemas.errors import PegboxError, StoreLossError
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import rebuild, verify

TABLES = {
    "studies": "* EXCLUDE (view_name)",
    "trials": "*",
    "attempts": "*",
    "segments": "*",
    "metrics": "*",
    "evaluations": "*",
    "decisions": "*",
    "runs": "*",
    "selections": "*",
    "events": "* EXCLUDE (journal, seq)",
}
Damage = Callable[[Path], object]


def content(store: StoreLayout) -> dict[str, list[str]]:
    with open_history(store.root) as history:
        return {
            table: sorted(map(repr, history.sql(f"SELECT {columns} FROM {table}").fetchall()))
            for table, columns in TABLES.items()
        }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> StoreLayout:
    return write_simulation(tmp_path_factory.mktemp("whole") / ".pegbox", Simulation("damaged", 12, seed=3))


@pytest.fixture(scope="module")
def before(whole: StoreLayout) -> dict[str, list[str]]:
    return content(whole)


@pytest.fixture
def store(whole: StoreLayout, tmp_path: Path) -> Iterator[StoreLayout]:
    copy = StoreLayout(tmp_path / "copy")
    shutil.copytree(whole.root, copy.root)
    yield copy
    shutil.rmtree(copy.root)


def replaced_by(make: Callable[[Path], object]) -> Damage:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def edited(edit: Callable[[list[bytes]], list[bytes]]) -> Damage:
    return lambda path: path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))


def flipped(path: Path) -> None:
    text = bytearray(path.read_bytes())
    for place in (len(text) // 5, len(text) // 2):
        text[place] ^= 4
    path.write_bytes(text)


def packed(path: Path, end: int | None = None) -> Path:
    """Archive a journal, whole or cut."""
    target = path.parent / "archive" / f"{path.name}.zst"
    target.write_bytes(zstandard.compress(path.read_bytes())[:end])
    path.unlink()
    return target


ANY_FILE: dict[str, Damage] = {
    "deleted": Path.unlink,
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3]),
    "flipped": flipped,
    "a directory": replaced_by(Path.mkdir),
    "a named pipe": replaced_by(os.mkfifo),
    "a dead link": replaced_by(lambda path: path.symlink_to("nowhere")),
    "text": lambda path: path.write_text("this was a file once\n"),
}
JOURNALS: dict[str, Damage] = ANY_FILE | {
    "carriage returns": lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")),
    "byte order mark": lambda path: path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes()),
    "utf-16": lambda path: path.write_bytes(path.read_bytes().decode().encode("utf-16")),
    "without its last newline": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "blank lines at its end": lambda path: path.write_bytes(path.read_bytes() + b"\n\r\n"),
    "a line less": edited(lambda lines: lines[:20] + lines[21:]),
    "its first line gone": edited(lambda lines: lines[1:]),
    "two lines changed places": edited(lambda lines: [*lines[:10], lines[11], lines[10], *lines[12:]]),
    "lines twice": edited(lambda lines: lines[:30] + lines[10:]),
    "backwards": edited(lambda lines: lines[::-1]),
    "nonsense in the middle": edited(lambda lines: [*lines[:9], b"\x00\xff\n" * 3, *lines[9:]]),
    "renamed": lambda path: path.rename(path.with_stem(f"{path.stem}-copy")),
    "an archive": packed,
    "a cut archive": lambda path: packed(path, end=-40),
    "an empty archive": lambda path: packed(path, end=0),
    "a flipped archive": lambda path: flipped(packed(path)),
}
HARMLESS = {
    "carriage returns",
    "blank lines at its end",
    "two lines changed places",
    "lines twice",
    "backwards",
    "nonsense in the middle",
    "an archive",
}
NEARLY_LOST = ("deleted", "cut", "carriage returns")
"""Damages of a journal that are tried together with those of a database."""


OFTEN = {"deleted", "cut", "a named pipe", "carriage returns", "a line less", "lines twice", "a cut archive"}
"""Damages that are tried every time; the others where there is more of it."""


def some(cases: Iterable[tuple[str, str]], often: Callable[[str, str], bool]) -> list[ParameterSet]:
    return [pytest.param(*case, marks=() if often(*case) else pytest.mark.long) for case in cases]


def journal_of(store: StoreLayout, word: str) -> Path:
    return next(store.journal.glob(f"*-{word}-*.jsonl"))


def assert_rebuilt(store: StoreLayout, before: dict[str, list[str]]) -> None:
    """Everything is there again, at the first reading, after a rebuild, and after a rebuild of the journals alone."""
    rebuild(store)
    assert content(store) == before
    store.master.unlink()
    store.snapshot.unlink()
    assert content(store) == before
    assert not verify(store).has_loss


@pytest.mark.parametrize(
    ("damage", "word"),
    some(product(JOURNALS, ["driver", "worker"]), lambda damage, word: damage in OFTEN and word == "driver"),
)
def test_a_damaged_journal_costs_nothing_that_the_database_holds(
    store: StoreLayout, before: dict[str, list[str]], damage: str, word: str
) -> None:
    JOURNALS[damage](journal_of(store, word))
    assert content(store) == before
    found = verify(store)
    assert found.is_whole == (damage in HARMLESS)
    assert not found.has_loss
    assert_rebuilt(store, before)


@pytest.mark.parametrize(
    ("damage", "place"),
    some(
        product(ANY_FILE, ["history.duckdb", "ingest/master.duckdb"]),
        lambda damage, place: damage in {"cut", "a named pipe"},
    ),
)
def test_a_damaged_database_is_made_again(
    store: StoreLayout, before: dict[str, list[str]], damage: str, place: str
) -> None:
    ANY_FILE[damage](store.root / place)
    try:
        assert verify(store).is_whole
    except PegboxError as error:
        assert "pegbox store rebuild" in str(error)  # noqa: PT017 - it may do without
    rebuild(store)
    assert content(store) == before


@pytest.mark.parametrize(
    ("of_journal", "of_master"),
    some(
        product(NEARLY_LOST, ANY_FILE),
        lambda journal, master: (journal, master) in {("deleted", "flipped"), ("cut", "deleted")},
    ),
)
def test_what_the_snapshot_alone_holds_is_saved(
    store: StoreLayout, before: dict[str, list[str]], of_journal: str, of_master: str
) -> None:
    JOURNALS[of_journal](journal_of(store, "driver"))
    ANY_FILE[of_master](store.master)
    ingest(store, wait=True)  # makes the master again by itself, as any command does
    assert content(store) == before
    assert_rebuilt(store, before)


@pytest.mark.parametrize(
    "damage", ["emptied", *(pytest.param(one, marks=pytest.mark.long) for one in ("text", "a named pipe"))]
)
def test_a_rebuild_that_would_lose_is_refused_and_keeps_the_old_master(store: StoreLayout, damage: str) -> None:
    gone = journal_of(store, "worker")
    gone.unlink()
    for path in (store.master, store.snapshot):
        ANY_FILE[damage](path)
    with pytest.raises(StoreLossError, match=rf"{gone.stem} is gone.* --force"):
        rebuild(store)
    made = rebuild(store, force=True)
    assert made.kept is not None
    assert os.path.lexists(made.kept)
    assert len(content(store)["trials"]) == 12
