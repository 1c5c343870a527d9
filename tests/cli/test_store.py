"""`pegbox store` verifies, rebuilds and frees, and says in one line what came of it."""

import json
import os
import shutil
import zipfile

import pytest


@pytest.fixture
def copy(store, tmp_path):
    """A store of this test's own."""
    return shutil.copytree(store, tmp_path / "store")


def test_a_whole_store_is_verified(pegbox, copy):
    said = pegbox("store", "verify", "--store", copy)

    assert said.code == 0
    assert said.out.endswith("nothing is lost\n")


def test_a_lost_journal_is_named_and_costs_nothing(pegbox, copy):
    before = pegbox("ls", "--store", copy, "--json").out
    max((copy / "journal").rglob("*.jsonl*"), key=lambda path: path.stat().st_size).unlink()

    said = pegbox("store", "verify", "--store", copy)
    done = pegbox("store", "rebuild", "--store", copy)
    after = pegbox("store", "verify", "--store", copy)

    assert said.code == 1
    assert "nothing is lost, but some stand in the database alone; `pegbox store rebuild`" in said.out
    assert "that only the database held are in a journal now" in done.out
    assert "the old database is kept as" in done.out
    assert after.code == 0
    assert after.out.endswith("nothing is lost\n")
    assert pegbox("ls", "--store", copy, "--json").out == before


def test_a_rebuild_that_would_lose_something_is_refused_without_force(pegbox, copy):
    pegbox("ls", "--store", copy)
    max((copy / "journal").rglob("*.jsonl*"), key=lambda path: path.stat().st_size).unlink()
    for database in ("history.duckdb", "ingest/master.duckdb"):
        (copy / database).write_bytes(b"damaged")

    said = pegbox("store", "rebuild", "--store", copy)
    forced = pegbox("store", "rebuild", "--force", "--store", copy, "--json")

    assert said.code == 1
    assert "is gone" in said.err
    assert "--force" in said.err
    assert forced.code == 0
    assert json.loads(forced.out)["kept"] is not None


def test_a_deleted_database_is_made_again(pegbox, copy):
    before = pegbox("ls", "--store", copy, "--json").out
    (copy / "history.duckdb").unlink()
    shutil.rmtree(copy / "ingest")
    (copy / "ingest").mkdir()

    said = pegbox("store", "rebuild", "--store", copy)

    assert said.code == 0
    assert said.out.startswith("made again from ")
    assert pegbox("ls", "--store", copy, "--json").out == before


def test_garbage_is_named_first_and_deleted_only_when_asked(pegbox, copy):
    old = copy / "checkpoints" / ("0" * 32 + ".pt")
    old.write_bytes(b"x" * 5000)
    os.utime(old, (0, 0))

    named = pegbox("store", "gc", "--dry-run", "--store", copy)
    was_there = old.exists()
    done = pegbox("store", "gc", "--store", copy)

    assert "would delete 1 checkpoints (5 kB)" in named.out
    assert str(old) in named.out
    assert was_there
    assert "deleted 1 checkpoints" in done.out
    assert not old.exists()


def test_a_store_that_is_not_there_is_named(pegbox, tmp_path):
    said = pegbox("store", "verify", "--store", tmp_path / "none")

    assert said.code == 1
    assert "There is no history in" in said.err


@pytest.mark.parametrize("command", [("ls",), ("store", "verify"), ("sql", "FROM trials"), ("status", "a")])
def test_an_archive_in_place_of_a_store_is_named_with_the_remedy(pegbox, tmp_path, command):
    archive = tmp_path / "store.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("history.duckdb", "")

    said = pegbox(*command, "--store", archive)

    assert said.code == 1
    assert "A store is a directory" in said.err
    assert "unpack it first" in said.err


def test_a_study_is_renamed_forgotten_and_restored(pegbox, add_study, tmp_path):
    add_study(tmp_path, "typo")
    told = [
        pegbox("rename", "typo", "done", "--store", tmp_path).err,
        pegbox("forget", "done", "--store", tmp_path).err,
        pegbox("restore", "--store", tmp_path).out,
        pegbox("ls", "--store", tmp_path, "--json").out,
        pegbox("restore", "done", "--store", tmp_path).err,
    ]

    assert "typo is now done" in told[0]
    assert "done is forgotten; `pegbox restore done` takes it back, until `pegbox store gc`" in told[1]
    assert told[2].startswith("done  forgotten 20")
    assert json.loads(told[3]) == []
    assert "done is back" in told[4]
    assert "Run trial" in pegbox("best", "done", "--store", tmp_path, "--json").out


@pytest.mark.parametrize("command", [("rename", "a", "b"), ("forget", "a"), ("restore", "a"), ("restore",)])
def test_where_there_is_no_store_none_is_made(pegbox, tmp_path, command):
    said = pegbox(*command, "--store", tmp_path / "none")

    assert said.code == 1
    assert "There is no history in" in said.err
    assert not (tmp_path / "none").exists()
