"""When the server of a store makes its database, or copies one; that it serves is tested by every flow."""

import sqlite3
from importlib.metadata import version
from pathlib import Path

import pytest

from pegbox.flows.prefect_server.fresh_database import DATABASE, keep_fresh, lay_fresh
from pegbox.flows.prefect_server.shared_server import _is_migrated


@pytest.mark.parametrize(
    ("database", "noted", "is_migrated"),
    [(True, version("prefect"), True), (True, "3.0.0", False), (True, None, False), (False, version("prefect"), False)],
)
def test_database_is_migrated_once_by_each_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: bool, noted: str | None, is_migrated: bool
) -> None:
    monkeypatch.delenv("PREFECT_SERVER_DATABASE_MIGRATE_ON_START", raising=False)
    files = {"prefect.db": "" if database else None, "migrated": noted}
    for name, content in files.items():
        _write(tmp_path / name, content)

    assert _is_migrated(tmp_path) is is_migrated


def _write(path: Path, content: str | None) -> None:
    if content is not None:
        path.write_text(content)


def test_fresh_database_is_copied_and_one_with_rows_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    homes = {name: tmp_path / name for name in ("first", "used", "second", "third")}
    for home in homes.values():
        home.mkdir()

    assert not lay_fresh(homes["first"])  # nobody has made one
    assert not (homes["first"] / DATABASE).exists()
    _make(homes["used"] / DATABASE, rows=1)
    keep_fresh(homes["used"])
    assert not lay_fresh(homes["second"])
    _make(homes["first"] / DATABASE, rows=0)
    keep_fresh(homes["first"])

    assert lay_fresh(homes["second"])
    with sqlite3.connect(homes["second"] / DATABASE) as found:
        assert found.execute("SELECT (SELECT count(*) FROM run), * FROM alembic_version").fetchall() == [(0, "abc")]
    assert [path.name for path in homes["second"].iterdir()] == [DATABASE]
    (next((tmp_path / "cache" / "pegbox").iterdir())).write_bytes(b"no database at all" * 100)
    assert not lay_fresh(homes["third"])
    assert not list(homes["third"].iterdir())


def _make(path: Path, rows: int) -> None:
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE alembic_version (version_num TEXT)")
        made.execute("INSERT INTO alembic_version VALUES ('abc')")
        made.execute("CREATE TABLE run (id INTEGER)")
        made.executemany("INSERT INTO run VALUES (?)", [(one,) for one in range(rows)])
