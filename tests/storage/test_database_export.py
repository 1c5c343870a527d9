"""Studies in databases that others read: a DuckDB file, PostgreSQL where a server can be started, a DuckLake."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

import duckdb
import pytest
from simulated_study import Simulation, write_simulation

from pegbox.schemas.errors import NotFoundError, StoreError, StudyError
from pegbox.storage.database_export import export_to_database
from pegbox.storage.history_file import open_history

TRIALS = "SELECT study, number, value, state, budget FROM {}trials ORDER BY ALL"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    write_simulation(root, Simulation("it's digits", n_trials=6))
    return write_simulation(root, Simulation("wine", n_trials=5, seed=1)).root


def here(root, query=None):
    query = query or TRIALS.format("")
    with open_history(root) as file:
        return file.sql(query).fetchall()


@pytest.fixture
def team(tmp_path):
    path = tmp_path / "team.duckdb"

    def asked(query):
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(query).fetchall()

    return f"duckdb:{path}", asked


def test_studies_are_published_and_replaced(root, team):
    to, asked = team
    only = export_to_database(root, to, "it's digits")
    assert asked("SELECT DISTINCT study FROM pegbox.metrics") == [("it's digits",)]
    everything = export_to_database(root, to)

    assert only["studies"] == 1
    assert (everything["studies"], everything["trials"]) == (2, 11)
    assert asked(TRIALS.format("pegbox.")) == here(root)
    assert asked("SELECT count(*) FROM pegbox.metrics") == here(root, "SELECT count(*) FROM metrics")
    assert export_to_database(root, to) == everything
    assert asked("SELECT count(*) FROM pegbox.trials") == [(11,)]
    # What a DuckDB reads that knows no VARIANT.
    assert json.loads(asked("SELECT params FROM pegbox.trials WHERE study = 'wine'")[0][0])["lr"] > 0


def test_two_stores_may_have_a_study_of_one_name(root, team, tmp_path):
    to, asked = team
    other = write_simulation(tmp_path / "other", Simulation("wine", n_trials=4, seed=2)).root
    export_to_database(root, to)
    export_to_database(other, to)

    assert asked("SELECT count(*), count(DISTINCT source) FROM pegbox.trials WHERE study = 'wine'") == [(9, 2)]
    assert {row[0] for row in asked("SELECT source FROM pegbox.studies")} == {
        f"{socket.gethostname()}:{one}" for one in (root, other)
    }


def test_tables_of_another_form_are_left_as_they_are(root, team):
    to, asked = team
    with duckdb.connect(to.removeprefix("duckdb:")) as connection:
        connection.execute("CREATE SCHEMA pegbox")
        connection.execute("CREATE TABLE pegbox.trials AS SELECT 'x' AS source, 'wine' AS study, 1 AS number")

    with pytest.raises(StoreError, match=r"drop the schema pegbox there and export again with --all"):
        export_to_database(root, to)
    assert asked("FROM pegbox.trials") == [("x", "wine", 1)]
    assert asked("SELECT table_name FROM duckdb_tables()") == [("trials",)]


@pytest.mark.parametrize("to", ["mysql://host/db", "duckdb:", "team.duckdb", "duckdb"])
def test_a_database_of_another_kind_is_refused(root, to):
    with pytest.raises(StudyError, match=r"such as postgres://HOST/NAME.*Known: duckdb|Did you mean"):
        export_to_database(root, to)


def test_a_study_that_is_not_there_is_refused_before_anything_is_made(root, team):
    to, _ = team
    with pytest.raises(NotFoundError, match="no study 'vine'"):
        export_to_database(root, to, "vine")
    assert not os.path.exists(to.removeprefix("duckdb:"))  # noqa: PTH110


def test_an_extension_that_is_missing_is_named_with_how_to_get_it(root, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))  # where DuckDB looks for those that were installed

    with pytest.raises(StoreError, match=r"'ducklake' for DuckDB \d.*INSTALL ducklake"):
        export_to_database(root, f"ducklake:{tmp_path}/team.ducklake")


def test_a_password_is_masked(root):
    pytest.importorskip("adbc_driver_postgresql")
    with pytest.raises(StoreError, match=r"postgres://me:\*\*\*@127.0.0.1:9/team") as caught:
        export_to_database(root, "postgres://me:hunter22@127.0.0.1:9/team")
    assert "hunter22" not in str(caught.value)


@pytest.fixture
def postgres():
    """A server of its own, on a socket in a folder; it refuses to run as root."""
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        pytest.skip("no PostgreSQL on this machine")
    pytest.importorskip("adbc_driver_postgresql")
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short, and pytest's folders are not
        if user:
            shutil.chown(folder, "nobody")
        made = ["initdb", "-D", f"{folder}/data", "-U", "me", "--auth=trust", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, **user)
        server = subprocess.Popen(
            ["postgres", "-D", f"{folder}/data", "-k", folder, "-c", "listen_addresses=", "-F"],
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **user,
        )
        deadline = time.monotonic() + 60
        while not os.path.exists(f"{folder}/.s.PGSQL.5432") and time.monotonic() < deadline:  # noqa: PTH110
            time.sleep(0.05)
        time.sleep(0.5)
        yield f"host={folder} user=me dbname=postgres"
        server.terminate()
        server.wait()


@pytest.mark.long
def test_studies_are_published_to_postgres_and_replaced(root, postgres, tmp_path):
    import adbc_driver_postgresql.dbapi as driver

    to = f"postgres:{postgres}"
    export_to_database(root, to, "it's digits")
    everything = export_to_database(root, to)
    assert export_to_database(root, to) == everything
    other = write_simulation(tmp_path / "other", Simulation("wine", n_trials=4, seed=2)).root
    export_to_database(other, to)

    with driver.connect(postgres) as connection, connection.cursor() as cursor:

        def asked(query):
            cursor.execute(query)
            return cursor.fetchall()

        assert asked("SELECT count(*), count(DISTINCT source) FROM pegbox.trials") == [(15, 2)]
        mine = f"(SELECT * FROM pegbox.trials WHERE source LIKE '%{root}') AS "
        by_name = TRIALS.format(mine).replace("BY ALL", 'BY study COLLATE "C", number')
        assert asked(by_name) == here(root)
        [(lr, worst, steps)] = asked(
            "SELECT min((params->>'lr')::float8), max(metrics->>'val_loss'), "
            "(SELECT count(*) FROM pegbox.metrics) FROM pegbox.trials"
        )
        assert lr > 0
        assert worst
        assert steps > everything["metrics"]
        asked("SELECT 1")
        cursor.execute("ALTER TABLE pegbox.trials DROP COLUMN loss")
        connection.commit()
        with pytest.raises(StoreError, match=r"drop the schema pegbox there"):
            export_to_database(root, to)
        assert asked("SELECT count(*) FROM pegbox.trials") == [(15,)]
