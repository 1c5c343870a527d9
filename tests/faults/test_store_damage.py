"""Full disks, read-only directories, and files that were cut or changed behind the store's back."""

import json
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pegbox.schemas.decision import Start
from pegbox.schemas.errors import StoreCorruptError, StoreError, StoreUnwritableError
from pegbox.schemas.events import DecisionMade, Event, MetricsReported, RunStarted, TrialEvaluated
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import rebuild, verify
from pegbox.storage.sandbox import open_sandbox, run_query
from pegbox.storage.store import open_store
from pegbox.storage.study_log import StudyLog, open_study

SPEC = StudySpec.model_validate(
    {
        "name": "s",
        "train": {"kind": "function", "function": "my_project.train:run"},
        "space": {"lr": {"min": 0.0, "max": 1.0}},
        "objective": {"metric": "val_loss"},
        "budget": {"trials": 1000},
    }
)
N_TRIALS = 40
COUNTS = "SELECT (SELECT count(*) FROM trials WHERE state = 'completed'), (SELECT count(*) FROM metrics)"


def begin(store: StoreLayout, run: str = "r") -> StudyLog:
    return open_study(store, SPEC, RunStarted(study="s", run=run, host="h", pid=1))


def trial(log: StudyLog) -> tuple[Event, ...]:
    number = len(log.history.trials)
    started = DecisionMade(
        study="s",
        number=log.history.n_decisions,
        saw=log.history.version,
        elapsed_seconds=0.0,
        decision=Start(configuration={"lr": 0.5}, to_budget=1),
        trial=number,
        seed=0,
    )
    evaluation = Evaluation(budget=1, metrics={"val_loss": 1.0})
    return started, TrialEvaluated(study="s", trial=number, evaluation=evaluation, state="completed")


def report(number: int) -> MetricsReported:
    return MetricsReported(study="s", trial=number, attempt=1, fold=0, seed=0, step=1, metrics={"val_loss": 1.0})


def record(store: StoreLayout, n_trials: int, run: str = "r") -> None:
    worker = Journal(store.journal, "worker")
    with begin(store, run) as log:
        for _ in range(n_trials):
            worker.append(report(len(log.history.trials)))
            log.record(*trial(log))
    worker.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of sixteen megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("mounting a small file system is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> StoreLayout:
    store = open_store(tmp_path_factory.mktemp("whole") / ".pegbox")
    record(store, N_TRIALS)
    return store


@pytest.fixture
def copy(whole: StoreLayout, tmp_path: Path) -> StoreLayout:
    store = StoreLayout(tmp_path / "copy")
    shutil.copytree(whole.root, store.root)
    return store


def counts(store: StoreLayout) -> tuple[int, int]:
    with open_history(store.root) as history:
        return tuple(history.sql(COUNTS).fetchall()[0])


def fill(disk: Path) -> Path:
    """Take all room that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    return ballast


def record_for_ever(log: StudyLog, acknowledged: list[int]) -> None:
    while True:
        log.record(*trial(log))
        acknowledged.append(log.history.version)


def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    store = open_store(small_disk / ".pegbox")
    log = begin(store)
    log.record(*trial(log))
    ballast = fill(small_disk)
    acknowledged = [0]
    with pytest.raises(StoreUnwritableError, match="No space left on device"):
        record_for_ever(log, acknowledged)
    with pytest.raises(StoreError):
        log.close()
    ballast.unlink()
    with begin(store, "again") as log:
        assert len(log.history.completed) == len(acknowledged)
        log.record(*trial(log))
    assert counts(store)[0] == len(acknowledged) + 1


def test_a_full_disk_stops_ingest_with_a_clear_error(small_disk: Path) -> None:
    store = open_store(small_disk / ".pegbox")
    record(store, 2)
    journal = Journal(store.journal, "worker")
    journal.append(*(report(number) for number in range(100, 1500)))
    ballast = fill(small_disk)
    with pytest.raises(StoreUnwritableError, match=r"(?i)no space left|could not"):
        ingest(store, force=True)
    with run_query(store.root, "SELECT count(*) FROM trials", fresh=False) as answer:
        assert list(answer) == [[2]]  # the old snapshot is read all the while
    ballast.unlink()
    assert counts(store) == (2, 1402)


def test_a_full_disk_stops_publishing_with_a_clear_error(small_disk: Path, tmp_path: Path) -> None:
    store = open_store(small_disk / ".pegbox")
    (tmp_path / "roomy").mkdir()
    store.ingest.rmdir()
    store.ingest.symlink_to(tmp_path / "roomy")  # so that the master has room and the snapshot has not
    record(store, 2)
    Journal(store.journal, "worker").append(*(report(number) for number in range(100, 1500)))
    ballast = fill(small_disk)
    with pytest.raises(StoreUnwritableError, match="The old one stays readable"):
        ingest(store, force=True)
    with run_query(store.root, "SELECT count(*) FROM metrics", fresh=False) as answer:
        assert list(answer) == [[2]]
    assert list(store.root.glob(".history-*")) == []
    ballast.unlink()
    assert counts(store) == (2, 1402)


def test_a_read_only_directory_can_be_read(small_disk: Path, copy: StoreLayout) -> None:
    store = StoreLayout(small_disk / ".pegbox")
    shutil.copytree(copy.root, store.root, ignore=shutil.ignore_patterns("*.zst"))
    (store.ingest / "seen.json").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert counts(store) == (N_TRIALS, N_TRIALS)
    with run_query(store.root, COUNTS) as answer:
        assert list(answer) == [[N_TRIALS, N_TRIALS]]
    with pytest.raises(StoreUnwritableError, match="Name another one with --store"):
        open_store(store.root)


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnwritableError, match="must be a directory that can be written"):
        open_store(tmp_path / "file")


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(3):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def answered_or_named(store: StoreLayout) -> bool:
    """True if every table is answered rightly, or the damage is named with its remedy. Other errors go through."""
    tables = ("studies", "runs", "trials", "metrics", "evaluations", "decisions", "events", "journals")
    try:
        with open_sandbox(store.root) as sandbox:
            for table in tables:
                list(sandbox.query(f"FROM {table}"))
            return list(sandbox.query(COUNTS)) == [[N_TRIALS, N_TRIALS]]
    except StoreCorruptError as error:
        return "pegbox store rebuild" in str(error)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("damage", [flip, cut])
def test_a_damaged_snapshot_is_named_and_rebuilt(
    copy: StoreLayout, damage: Callable[[Path, random.Random], None], seed: int
) -> None:
    damage(copy.snapshot, random.Random(seed))
    assert answered_or_named(copy)
    rebuild(copy)
    assert counts(copy) == (N_TRIALS, N_TRIALS)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("damage", [flip, cut])
def test_a_damaged_master_never_gives_wrong_answers(
    copy: StoreLayout, damage: Callable[[Path, random.Random], None], seed: int
) -> None:
    damage(copy.master, random.Random(seed))
    assert answered_or_named(copy)
    Journal(copy.journal, "worker").append(report(0))  # known, but makes the ingestor open the master
    assert answered_or_named(copy)
    rebuild(copy)
    assert counts(copy) == (N_TRIALS, N_TRIALS)


@pytest.mark.parametrize("seed", range(5))
def test_a_flipped_bit_in_a_journal_costs_no_more_than_its_line(copy: StoreLayout, seed: int) -> None:
    chance = random.Random(seed)
    path = plain_journal(copy, "worker")
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    copy.master.unlink()
    copy.snapshot.unlink()
    n_trials, n_metrics = counts(copy)
    assert n_trials == N_TRIALS
    assert N_TRIALS - 2 <= n_metrics < N_TRIALS  # a newline that is hit joins two lines
    assert verify(copy).has_loss


def test_a_cut_journal_loses_only_what_was_cut(copy: StoreLayout) -> None:
    path = plain_journal(copy, "worker")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:30]) + lines[30][:25])
    assert counts(copy) == (N_TRIALS, N_TRIALS)  # the database still has what the file lost
    assert not verify(copy).is_whole
    copy.master.unlink()
    copy.snapshot.unlink()
    assert counts(copy) == (N_TRIALS, 30)


def plain_journal(store: StoreLayout, word: str) -> Path:
    """A journal as a plain file, unpacked where it was archived."""
    import zstandard

    for packed in store.archive.glob(f"*-{word}-*.zst"):
        plain = zstandard.ZstdDecompressor().stream_reader(packed.read_bytes()).read()
        (store.journal / packed.name.removesuffix(".zst")).write_bytes(plain)
        packed.unlink()
    return next(store.journal.glob(f"*-{word}-*.jsonl"))


def test_what_was_seen_is_only_a_hint(copy: StoreLayout) -> None:
    (copy.ingest / "seen.json").write_text(json.dumps({"nonsense": 1}))
    assert counts(copy) == (N_TRIALS, N_TRIALS)
    (copy.ingest / "seen.json").write_text("{")
    assert counts(copy) == (N_TRIALS, N_TRIALS)


@pytest.mark.parametrize("name", ["a?b", "a\\b"])
def test_a_path_that_the_database_cannot_open_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreUnwritableError, match="must hold no '\\?' and no backslash"):
        open_store(tmp_path / name / ".pegbox")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a'b", "a*b", "[x]", "a#b", "a%20b", "ä ö", "a;b", "$(a)"])
def test_a_path_with_odd_letters_is_as_good_as_any(tmp_path: Path, name: str) -> None:
    store = open_store(tmp_path / name / ".pegbox")
    record(store, 2)
    assert counts(store) == (2, 2)
    assert verify(store).is_whole
