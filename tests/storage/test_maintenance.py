import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pegbox.schemas.data import DECODED
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import ArtifactWritten, SelectionMade
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.storage.archive import archive_journals
from pegbox.storage.garbage import GRACE_SECONDS, KEPT_DATABASE_SECONDS, collect_garbage, drop_checkpoints
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import rebuild, verify
from pegbox.storage.reading import connect_snapshot

ADAM = {"lr": 0.1, "layers": 1, "optimizer": "adamw"}


@pytest.fixture
def copy(recorded: StoreLayout, tmp_path: Path) -> StoreLayout:
    """A store that a test may damage."""
    copy = StoreLayout(tmp_path / "copy")
    shutil.copytree(recorded.root, copy.root)
    return copy


def unpack(store: StoreLayout) -> list[Path]:
    """The journals as plain files again, drivers first."""
    import zstandard

    for path in store.archive.glob("*.zst"):
        plain = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
        (store.journal / path.name.removesuffix(".zst")).write_bytes(plain)
        path.unlink()
    return sorted(store.journal.glob("*.jsonl"))


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def all_rows(store: StoreLayout) -> dict[str, list[str]]:
    tables = ("studies", "trials", "attempts", "segments", "metrics", "evaluations", "decisions", "runs", "events")
    with open_history(store.root) as history:
        return {table: sorted(map(repr, history.sql(f"FROM {table}").fetchall())) for table in tables}


def test_a_finished_study_leaves_compressed_journals(recorded: StoreLayout) -> None:
    names = [path.name for path in recorded.journal.iterdir() if path.is_file()]
    assert [name for name in names if "-driver-" in name] == []
    assert len(list(recorded.archive.glob("*-driver-*.jsonl.zst"))) == 2


def test_a_journal_with_a_living_writer_is_not_archived(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    recorder.complete(ADAM, value=1.0)
    recorder.log.close()  # the driver's journal is closed, the worker's is not
    assert [path.name for path in store.journal.glob("*.jsonl") if "-worker-" in path.name] != []
    recorder.worker.append(*recorder.reports(0, value=5.0))
    recorder.worker.close()
    with open_history(store.root) as history:
        assert history.sql("SELECT count(*) FROM metrics").fetchall() == [(6,)]
    assert len(archive_journals(store)) == 1
    assert list(store.journal.glob("*.jsonl")) == []


def test_a_store_in_order_is_verified(copy: StoreLayout) -> None:
    found = verify(copy)
    assert found.findings == ()
    assert found.is_whole
    assert found.n_events == 159
    assert found.n_journals == 4


def test_a_rebuild_gives_the_same_tables(copy: StoreLayout) -> None:
    before = all_rows(copy)
    copy.master.unlink()
    copy.snapshot.write_bytes(b"damaged")
    done = rebuild(copy)
    assert done.n_events == 159
    assert all_rows(copy) == before


def test_a_rebuild_that_was_killed_costs_nothing(copy: StoreLayout) -> None:
    before = all_rows(copy)
    (copy.ingest / "draft").mkdir()
    (copy.ingest / "draft" / "master.duckdb").write_bytes(b"half a database")
    copy.master.rename(copy.ingest / "before-20251124T000000-master.duckdb")
    assert all_rows(copy) == before
    assert not (copy.ingest / "draft").exists()


@pytest.mark.parametrize("lost", ["history.duckdb", "ingest/master.duckdb", "ingest/seen.json"])
def test_a_deleted_file_is_made_again(copy: StoreLayout, lost: str) -> None:
    before = all_rows(copy)
    (copy.root / lost).unlink()
    assert all_rows(copy) == before
    assert (copy.root / lost).exists()


def test_a_journal_that_disappeared_is_named(copy: StoreLayout) -> None:
    gone = next(copy.archive.glob("*-driver-*.zst"))
    gone.unlink()
    found = verify(copy)
    assert not found.is_whole
    assert not found.has_loss
    assert [(item.subject, "file is gone" in item.message) for item in found.findings] == [
        (gone.name.removesuffix(".jsonl.zst"), True)
    ]


def test_a_flipped_bit_in_an_ingested_journal_is_found(copy: StoreLayout) -> None:
    path = unpack(copy)[0]
    flip(path, 500)
    found = verify(copy)
    assert not found.is_whole
    assert {item.subject for item in found.findings} == {path.stem}
    assert any("checksum" in item.message for item in found.findings)


def test_a_lost_event_shows_as_a_gap(copy: StoreLayout) -> None:
    path = next(path for path in unpack(copy) if "-driver-" in path.name)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:10] + lines[11:]))
    copy.master.unlink()
    copy.snapshot.unlink()
    found = verify(copy)
    assert found.has_loss
    assert [item.message for item in found.findings] == ["1 lines are lost", "1 of its events are missing"]


def test_an_event_that_the_database_holds_is_saved(copy: StoreLayout) -> None:
    path = next(path for path in unpack(copy) if "-driver-" in path.name)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:10] + lines[11:]))
    assert [item.is_only_in_database for item in verify(copy).findings] == [True]
    done = rebuild(copy)
    assert done.saved == (1, 0)
    found = verify(copy)
    assert found.is_whole
    assert [item.message for item in found.findings] == ["1 events that it lost stand in another journal"]
    assert len(list(copy.journal.glob("*-saved-*.jsonl"))) == 1


def test_a_rebuild_keeps_the_old_master(copy: StoreLayout) -> None:
    content = copy.master.read_bytes()
    done = rebuild(copy)
    assert done.kept is not None
    assert done.kept.read_bytes() == content
    assert rebuild(copy).kept not in {None, done.kept}


def test_a_study_that_runs_gives_no_alarm(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    stopped = threading.Event()

    def record() -> None:
        while not stopped.is_set():
            recorder.complete(ADAM, value=1.0)

    writer = threading.Thread(target=record)
    writer.start()
    try:
        assert [finding for _ in range(4) for finding in verify(store).findings] == []
    finally:
        stopped.set()
        writer.join()
    assert verify(store).is_whole


def test_a_line_that_is_half_written_gives_no_alarm(copy: StoreLayout) -> None:
    writer = Journal(copy.journal, "writer")
    writer.append(ArtifactWritten(study="digits", kind="report", path=Path("x")))
    path = next(copy.journal.glob("*-writer-*.jsonl"))
    with path.open("ab") as file:
        file.write(b'{"crc":"0000')
    assert verify(copy).findings == ()


def test_a_torn_end_of_a_dead_writer_is_no_loss(copy: StoreLayout) -> None:
    path = unpack(copy)[0]
    path.write_bytes(path.read_bytes() + b'{"crc":"0000')
    found = verify(copy)
    assert found.is_whole
    assert [item.message for item in found.findings] == ["12 bytes at its end were being written when its writer died"]


def test_quarantined_lines_are_shown_with_their_place(copy: StoreLayout) -> None:
    (copy.journal / "x-worker-y.jsonl").write_bytes(b"first\nsecond\n")
    verify(copy)
    with connect_snapshot(copy) as connection:
        shown = connection.execute("SELECT journal, byte_offset, line FROM quarantine ORDER BY ALL").fetchall()
    assert shown == [("x-worker-y", 0, "first"), ("x-worker-y", 6, "second")]


def test_nothing_is_verified_where_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no history in"):
        verify(StoreLayout(tmp_path))


def key(number: int) -> str:
    return f"{number:032x}"


def with_files(store: StoreLayout, begin: Any, running: bool, spec: StudySpec | None = None) -> StudySpec:
    """Five trials with a checkpoint and a cached result each, written two hours ago, and a fresh file."""
    recorder = begin(spec)
    for number, value in enumerate([5.0, 1.0, 2.0, 4.0, 3.0]):
        checkpoint = store.checkpoints / f"{key(number)}.pt"
        checkpoint.write_bytes(b"x" * 100)
        cached = store.cache / f"train-{key(number)}"
        cached.write_text(f'{{"checkpoint": "{checkpoint}"}}')
        for path in (checkpoint, cached):
            os.utime(path, (time.time() - 7200,) * 2)
        recorder.start(ADAM)
        trained, evaluated = recorder.outcome(number, {"val_loss": value, "size": float(number)})
        segment = trained.trained.model_copy(update={"checkpoint": checkpoint})
        recorder.log.record(trained.model_copy(update={"trained": segment}), evaluated)
    (store.checkpoints / f"{key(9)}.pt").write_bytes(b"fresh")
    if running:
        recorder.start(ADAM)
    recorder.log.close()
    return recorder.log.history.spec


@pytest.mark.parametrize("running", [True, False])
def test_garbage_is_what_the_best_and_running_do_not_need(store: StoreLayout, begin: Any, running: bool) -> None:
    with_files(store, begin, running)
    done = collect_garbage(store, keep=2)
    assert [item.path.stem for item in done.checkpoints] == [key(0), key(3), key(4)]
    assert done.n_kept == 3
    assert sorted(path.stem for path in store.checkpoints.iterdir()) == [key(1), key(2), key(9)]
    left = [path.name for path in sorted(store.cache.iterdir())]
    assert left == ([f"train-{key(1)}", f"train-{key(2)}"] if running else [])


def test_a_dry_run_shows_sizes_and_deletes_nothing(store: StoreLayout, begin: Any) -> None:
    with_files(store, begin, running=False)
    before = sorted(store.root.rglob("*"))
    would = collect_garbage(store, keep=2, dry_run=True)
    assert sum(item.n_bytes for item in would.checkpoints) == 300
    assert would.n_bytes > 300
    assert not would.deleted
    assert sorted(store.root.rglob("*")) == before


def test_a_database_that_a_rebuild_kept_goes_after_a_week(store: StoreLayout, begin: Any) -> None:
    with_files(store, begin, running=False)
    ingest(store, wait=True)
    kept, younger = (rebuild(store).kept for _ in range(2))
    assert kept is not None
    assert younger is not None
    a_week_ago = time.time() - KEPT_DATABASE_SECONDS - 1
    os.utime(kept, (a_week_ago, a_week_ago))

    done = collect_garbage(store)

    assert [item.path for item in done.databases] == [kept]
    assert (kept.exists(), younger.exists(), store.master.exists()) == (False, True, True)


@pytest.mark.parametrize("running", [True, False])
def test_decoded_pictures_go_and_prepared_data_stays(store: StoreLayout, begin: Any, running: bool) -> None:
    with_files(store, begin, running)
    decoded, prepared = store.data / DECODED, store.data / "abc"
    for directory in (decoded, prepared):
        directory.mkdir(parents=True)
        for name in ("old", "young"):
            (directory / f"{name}.npy").write_bytes(b"pixels")
        an_hour_ago = time.time() - GRACE_SECONDS - 1
        os.utime(directory / "old.npy", (an_hour_ago, an_hour_ago))

    done = collect_garbage(store)

    assert [item.path.stem for item in done.pictures] == ([] if running else ["old"])
    assert names_of(decoded) == (["old", "young"] if running else ["young"])
    assert names_of(prepared) == ["old", "young"]


def names_of(directory: Path) -> list[str]:
    return sorted(path.stem for path in directory.iterdir())


def with_fresh_seeds(recorder: Any, store: StoreLayout) -> None:
    """The two best trials are trained again, each with a checkpoint."""
    for trial, seed in ((1, 11), (2, 12)):
        trained, evaluated = recorder.outcome(trial, {"val_loss": 1.0})
        checkpoint = store.checkpoints / f"{key(seed)}.pt"
        checkpoint.write_bytes(b"x")
        segment = trained.trained.model_copy(update={"checkpoint": checkpoint})
        evaluation = evaluated.evaluation.model_copy(update={"replicate": 0})
        recorder.log.record(
            trained.model_copy(update={"trained": segment, "replicate": 0, "seed": seed}),
            evaluated.model_copy(update={"evaluation": evaluation, "checkpoints": {0: checkpoint}}),
        )


def test_a_study_drops_the_checkpoints_of_its_losers(store: StoreLayout, begin: Any) -> None:
    with_files(store, begin, running=False)

    assert drop_checkpoints(store, "digits", keep=2) == 3

    assert names_of(store.checkpoints) == [key(1), key(2), key(9)]
    assert names_of(store.cache) == [f"train-{key(1)}", f"train-{key(2)}"]


@pytest.mark.parametrize(("keep", "kept"), [(1, [4]), (2, [3, 4]), (3, [1, 3, 4])])
def test_trials_that_compete_keep_their_checkpoints_before_better_ones_that_do_not(
    store: StoreLayout, begin: Any, new_spec: Any, keep: int, kept: list[int]
) -> None:
    with_files(store, begin, running=False, spec=new_spec(constraints=[{"metric": "size", "min": 3}]))

    drop_checkpoints(store, "digits", keep=keep)

    assert names_of(store.checkpoints) == [key(number) for number in (*kept, 9)]


def test_a_study_drops_nothing_that_another_names(store: StoreLayout, begin: Any) -> None:
    spec = with_files(store, begin, running=False)
    other = begin(spec.model_copy(update={"name": "other"}))
    number = other.start(ADAM)
    trained, evaluated = other.outcome(number, {"val_loss": 9.0})
    shared = trained.trained.model_copy(update={"checkpoint": store.checkpoints / f"{key(0)}.pt"})
    other.log.record(trained.model_copy(update={"trained": shared}), evaluated)
    other.log.close()

    assert drop_checkpoints(store, "digits", keep=1) == 3

    assert names_of(store.checkpoints) == [key(0), key(1), key(9)]


def test_a_trial_that_may_go_on_keeps_its_last_checkpoint_only(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    number = recorder.start(ADAM)
    for rung in (1, 3):
        trained, evaluated = recorder.outcome(number, {"val_loss": 1.0}, state="paused")
        checkpoint = store.checkpoints / f"{key(rung)}.pt"
        checkpoint.write_bytes(b"x")
        segment = trained.trained.model_copy(update={"checkpoint": checkpoint})
        recorder.log.record(
            trained.model_copy(update={"trained": segment, "to_budget": rung}),
            evaluated.model_copy(update={"checkpoints": {0: checkpoint}}),
        )
        time.sleep(0.01)
    recorder.log.close()

    assert drop_checkpoints(store, "digits", keep=1) == 1

    assert names_of(store.checkpoints) == [key(3)]


def test_fresh_seeds_keep_their_checkpoints_until_there_is_a_winner(store: StoreLayout, begin: Any) -> None:
    with_files(store, begin, running=False)
    recorder = begin()
    with_fresh_seeds(recorder, store)
    ingest(store, wait=True, force=True)
    drop_checkpoints(store, "digits", keep=1)
    before = names_of(store.checkpoints)

    recorder.log.record(SelectionMade(study="digits", run="run-1", selection=won_by_trial_1()))
    recorder.log.close()
    drop_checkpoints(store, "digits", keep=1)

    assert before == [key(1), key(9), key(11), key(12)]
    assert names_of(store.checkpoints) == [key(1), key(9), key(11)]


def won_by_trial_1() -> Selection:
    return Selection(
        study="digits",
        metric="val_loss",
        goal="minimize",
        winner=1,
        configuration=ADAM,
        finalists=(),
        reason="it is the best",
    )
