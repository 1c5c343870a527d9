"""Writers and ingestors are killed at random moments while a reader watches."""

import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import verify
from pegbox.storage.recorded_history import recorded_history
from pegbox.storage.store import open_store

HERE = Path(__file__).parent
STEPS = 20
PARTIAL = (
    "SELECT count(*) FROM trials AS t WHERE state = 'completed' AND "
    f"(SELECT count(*) FROM metrics AS m WHERE m.study = t.study AND m.trial = t.number) <> {STEPS}"
)
DOUBLED = (
    "SELECT (SELECT count(*) - count(DISTINCT (study, number)) FROM trials), "
    "(SELECT count(*) - count(DISTINCT (study, trial, attempt, step, name)) FROM metrics), "
    "(SELECT count(*) - count(DISTINCT (study, version)) FROM events WHERE version IS NOT NULL)"
)


class Program:
    """A child that is killed, and what it had acknowledged until then."""

    def __init__(self, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.first = self._process.stdout.readline()

    def kill(self) -> list[list[str]]:
        """End it with SIGKILL.

        Returns:
            The words of each whole line that it said.
        """
        self._process.kill()
        said, complaint = self._process.communicate()
        assert complaint == ""
        return [line.split() for line in (self.first + said).splitlines(keepends=True) if line.endswith("\n")]


class Acknowledged:
    """The trials that writers were told are safe."""

    def __init__(self) -> None:
        self.started: dict[str, set[int]] = defaultdict(set)
        self.reported: dict[str, set[int]] = defaultdict(set)
        self.completed: dict[str, set[int]] = defaultdict(set)

    def add(self, study: str, lines: list[list[str]]) -> None:
        for kind, number in lines:
            if kind != "open":
                getattr(self, kind)[study].add(int(number))


def assert_nothing_lost_or_doubled(store: StoreLayout, acknowledged: Acknowledged) -> None:
    ingest(store, wait=True, force=True)
    with open_history(store.root) as history:
        for study in acknowledged.started:
            trials = dict(history.sql("SELECT number, state FROM trials WHERE study = ?", [study]).fetchall())
            reported = history.sql("SELECT DISTINCT trial FROM metrics WHERE study = ?", [study]).fetchall()
            assert acknowledged.started[study] <= set(trials)
            assert acknowledged.reported[study] <= {row[0] for row in reported}
            assert all(trials[number] == "completed" for number in acknowledged.completed[study])
            assert set(trials) == set(range(len(trials)))
        assert history.sql(PARTIAL).fetchall() == [(0,)]
        assert history.sql(DOUBLED).fetchall() == [(0, 0, 0)]
        assert history.sql("SELECT count(*) FROM quarantine").fetchall() == [(0,)]
    assert verify(store).is_whole


def kill_at_random(root: Path, n_kills: int, seed: int) -> None:
    """Two studies; in each round a writer or the ingestor dies and is started again."""
    store, chance = open_store(root), random.Random(seed)
    acknowledged, last_count = Acknowledged(), 0
    writers = {name: Program("store_writer.py", str(root), name, f"{name}-0") for name in ("one", "two")}
    ingestor = Program("store_ingestor.py", str(root))
    for kill in range(n_kills):
        time.sleep(chance.uniform(0.02, 0.25))
        if kill % 3 == 2:
            ingestor.kill()
            ingestor = Program("store_ingestor.py", str(root))
        else:
            name = chance.choice(["one", "two"])
            acknowledged.add(name, writers[name].kill())
            writers[name] = Program("store_writer.py", str(root), name, f"{name}-{kill + 1}")
        with open_history(root) as history:  # any error here fails the test
            n_trials = history.sql("SELECT count(*) FROM trials").fetchall()[0][0]
            assert n_trials >= last_count
            assert history.sql(PARTIAL).fetchall() == [(0,)]
            last_count = n_trials
    for name, writer in writers.items():
        acknowledged.add(name, writer.kill())
    ingestor.kill()
    assert sum(map(len, acknowledged.completed.values())) > n_kills
    assert_nothing_lost_or_doubled(store, acknowledged)


@pytest.mark.timeout(250)
def test_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    kill_at_random(tmp_path / ".pegbox", n_kills=5, seed=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    kill_at_random(tmp_path / ".pegbox", n_kills=66, seed=2)


def test_a_killed_study_goes_on_with_the_trials_it_had(tmp_path: Path) -> None:
    store = open_store(tmp_path / ".pegbox")
    acknowledged = Acknowledged()
    for run in range(3):
        writer = Program("store_writer.py", str(store.root), "one", f"run-{run}")
        assert int(writer.first.split()[1]) >= len(acknowledged.started["one"])
        time.sleep(0.1)
        acknowledged.add("one", writer.kill())
    ingest(store, wait=True, force=True)
    history = recorded_history(store, "one")
    assert history is not None
    open_trials = [trial for trial in history.trials if trial.state is not TrialState.COMPLETED]
    assert len(open_trials) <= 3
    assert acknowledged.started["one"] <= {trial.number for trial in history.trials}


def test_a_draft_of_a_killed_publisher_is_removed(tmp_path: Path) -> None:
    store = open_store(tmp_path / ".pegbox")
    draft = store.root / ".history-12345.tmp"
    draft.write_bytes(b"half a snapshot")
    ingest(store, force=True)
    assert not draft.exists()
    assert store.snapshot.exists()
