import shutil
import tarfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pegbox.schemas.errors import StoreCorruptError, StoreError, StoreNewerError
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import rebuild
from pegbox.storage.migrate import SCHEMA_VERSION, Migration, applied, migrate, migrations
from pegbox.storage.store import open_store


def old_store(root: Path, version: int) -> StoreLayout:
    """A store whose master was made by the first `version` migrations."""
    store = open_store(root)
    with duckdb.connect(str(store.master)) as master:
        migrate(master, migrations()[:version])
    return store


def test_migrations_are_numbered_without_gaps() -> None:
    assert [step.version for step in migrations()] == list(range(1, SCHEMA_VERSION + 1))


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION + 1))
def test_a_store_of_each_older_schema_is_brought_up_to_date(
    tmp_path: Path, recorded: StoreLayout, version: int
) -> None:
    store = old_store(tmp_path / "old", version)
    with duckdb.connect(str(store.master)) as master:
        master.execute(
            "INSERT INTO trials (study, number, state, budget, attempt) VALUES ('kept', 0, 'completed', 3, 1)"
        )
    shutil.copytree(recorded.journal, store.journal, dirs_exist_ok=True)
    with open_history(store.root) as history:
        assert history.sql("SELECT study, count(*) FROM trials GROUP BY 1 ORDER BY 2").fetchall()[0] == ("kept", 1)
        assert history.sql("SELECT count(*) FROM top('digits')").fetchall() == [(10,)]
        assert history.sql("SELECT count(*) FROM schema_migrations").fetchall() == [(SCHEMA_VERSION,)]


@pytest.fixture
def made_by_schema_2(tmp_path: Path) -> StoreLayout:
    """A store as the last program of schema 2 left it.

    In one study the best trial breaks a limit on fresh seeds; in the other the space was narrowed past the best, and
    trial 6 was retried.
    """
    with tarfile.open(Path(__file__).parent / "store-schema-2.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return StoreLayout(tmp_path / ".pegbox")


def answers(history: HistoryFile) -> list[Any]:
    """What both studies say, whichever way their tables were made."""
    queries = [
        "SELECT study, best, round(best_value, 12), is_selected, incumbent, front FROM leaders ORDER BY study",
        "SELECT study, number, state, competes, excluded_by, loss, attempt FROM trials ORDER BY ALL",
        "SELECT study, number, metric, value, violation FROM violations ORDER BY ALL",
        "SELECT study, rungs, view_name FROM studies ORDER BY study",
        "SELECT study, trials, completed, competing, best_trial FROM study_summary ORDER BY study",
    ]
    return [history.sql(query).fetchall() for query in queries]


def test_a_store_of_the_version_before_answers_what_its_events_say(made_by_schema_2: StoreLayout) -> None:
    store = made_by_schema_2
    with open_history(store.root) as history:
        migrated = answers(history)
        leaders = {name: history.history(name).leaders for name in ("limited", "narrowed")}
        attempt = history.sql("SELECT attempt FROM trials WHERE study = 'narrowed' AND number = 6").fetchall()
    assert [(row[0], row[1], row[4]) for row in migrated[0]] == [("limited", 3, 3), ("narrowed", 29, 29)]
    assert [(one.best, one.incumbent) for one in leaders.values()] == [(3, 3), (29, 29)]
    assert attempt == [(2,)]
    rebuild(store)
    with open_history(store.root) as history:
        assert answers(history) == migrated


def test_a_store_of_the_version_before_that_cannot_be_written_says_what_to_do(made_by_schema_2: StoreLayout) -> None:
    with pytest.raises(StoreError, match=r"has schema 2, but this pegbox reads schema \d.*pegbox store rebuild"):
        HistoryFile(made_by_schema_2)


@pytest.mark.parametrize("says_so", [True, False])
def test_a_newer_store_is_refused_and_left_untouched(tmp_path: Path, says_so: bool) -> None:
    store = old_store(tmp_path / "newer", SCHEMA_VERSION)
    with duckdb.connect(str(store.master)) as master:
        master.execute("INSERT INTO schema_migrations VALUES (99, 'from_the_future', 'x', now())")
    if says_so:
        (store.root / "store.json").write_text('{"schema": 99}')
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    with pytest.raises(StoreNewerError, match=r"schema 99.*Upgrade pegbox"):
        ingest(store, force=True)
    after = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file() and path.name != "ingest.lock"}
    assert after == {path: content for path, content in before.items() if path.name != "ingest.lock"}


def test_a_newer_store_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    (store.root / "store.json").write_text('{"schema": 99}')
    with pytest.raises(StoreNewerError, match="Nothing was changed"):
        open_store(tmp_path)


def test_an_edited_migration_is_noticed() -> None:
    first = migrations()[0]
    with duckdb.connect() as master:
        migrate(master, (first,))
        edited = first._replace(sql=first.sql + "\n-- edited")
        with pytest.raises(StoreCorruptError, match="pegbox store rebuild"):
            migrate(master, (edited,))


def test_a_migration_that_fails_leaves_nothing_behind() -> None:
    broken = Migration(2, "broken", "CREATE TABLE half (a INTEGER); SELECT 1 / 'x';")
    with duckdb.connect() as master:
        migrate(master, migrations()[:1])
        with pytest.raises(duckdb.Error):
            migrate(master, (*migrations()[:1], broken))
        assert list(applied(master)) == [1]
        tables: list[Any] = master.execute("SELECT * FROM duckdb_tables() WHERE table_name = 'half'").fetchall()
        assert tables == []


def test_applied_migrations_are_not_applied_again() -> None:
    with duckdb.connect() as master:
        assert len(migrate(master, migrations())) == SCHEMA_VERSION
        assert migrate(master, migrations()) == []
