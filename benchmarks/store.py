"""Measures writing into a store and reading all of it, against its bars and Optuna's storages in the same run.

    python benchmarks/store.py [--quick] [--json]

What questions to a large history take, `store_questions` measures. `--quick` shrinks every size so that all of it takes
a minute; the bars are ratios or latencies and stay the same. The last line of the output is a list of
{"name", "value", "bar", "holds"}.
"""

import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from figures import Figure, conclude, parser, tell_machine

from pegbox.schemas.decision import Start
from pegbox.schemas.events import DecisionMade, Event, MetricsReported, RunStarted, SegmentTrained, TrialEvaluated
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrainedSegment
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

N_STEPS = 20


@contextmanager
def scratch(place: str | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=place) as directory:
        yield Path(directory)


def make_spec(name: str) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": name,
            "train": {"kind": "function", "function": "my_project.train:run", "epochs": N_STEPS},
            "space": {"lr": {"min": 0.0, "max": 1.0}, "units": {"min": 1, "max": 999, "int": True}},
            "objective": {"metric": "val_loss"},
            "budget": {"trials": 10_000_000},
        }
    )


def started(study: str, number: int) -> Event:
    return DecisionMade(
        study=study,
        number=number,
        saw=number,
        elapsed_seconds=0.0,
        decision=Start(configuration={"lr": (number % 997) / 997, "units": 1 + number % 999}, to_budget=N_STEPS),
        trial=number,
        seed=0,
    )


def reported(study: str, number: int) -> list[Event]:
    return [
        MetricsReported(
            study=study, trial=number, attempt=1, fold=0, seed=0, step=step, metrics={"val_loss": 1 / (step + number)}
        )
        for step in range(1, N_STEPS + 1)
    ]


def ended(study: str, number: int) -> tuple[Event, Event]:
    trained = TrainedSegment(budget=N_STEPS, seconds=0.1, worker="w")
    segment = SegmentTrained(
        study=study, trial=number, attempt=1, from_budget=0, to_budget=N_STEPS, fold=0, seed=0, trained=trained
    )
    evaluation = Evaluation(budget=N_STEPS, metrics={"val_loss": 1 / (1 + number % 991)}, seconds=0.1)
    return segment, TrialEvaluated(study=study, trial=number, evaluation=evaluation, state="completed")


def durable_write(quick: bool) -> list[Figure]:
    """One trial with 20 reports, made durable as a flow and its worker do it: three appends."""
    n_ours, n_sqlite, n_journal = (200, 5, 20) if quick else (2000, 40, 200)
    with scratch() as place:
        driver, worker = Journal(place, "driver"), Journal(place, "worker")

        def ours(number: int) -> None:
            driver.append(started("s", number), version=3 * number + 1)
            worker.append(*reported("s", number))
            driver.append(*ended("s", number), version=3 * number + 2)

        mine = seconds_each(ours, n_ours)
        sqlite = seconds_each(told_to(optuna_sqlite(place)), n_sqlite)
        journal = seconds_each(told_to(optuna_journal(place)), n_journal)
    print(f"durable write of a trial: ours {mine * 1e3:.2f} ms, SQLite {sqlite * 1e3:.1f}, journal {journal * 1e3:.1f}")
    return [
        Figure("durable write, share of Optuna SQLite", mine / sqlite, 1 / 50),
        Figure("durable write, share of Optuna JournalStorage", mine / journal, 1 / 10),
    ]


def seconds_each(write: Callable[[int], None], n: int) -> float:
    """Median seconds of a call, the first left out."""
    taken = []
    for number in range(n + 1):
        before = time.perf_counter()
        write(number)
        taken.append(time.perf_counter() - before)
    # Without the first call, which creates files and tables; a median, since an fdatasync sometimes waits for others.
    return statistics.median(taken[1:])


def optuna_sqlite(place: Path) -> optuna.storages.BaseStorage:
    return optuna.storages.RDBStorage(f"sqlite:///{place}/optuna.db")


def optuna_journal(place: Path) -> optuna.storages.BaseStorage:
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(place / "optuna.log")))


def told_to(storage: optuna.storages.BaseStorage) -> Callable[[int], None]:
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))

    def write(number: int) -> None:
        trial = study.ask()
        trial.suggest_float("lr", 0.0, 1.0)
        trial.suggest_int("units", 1, 999)
        for step in range(1, N_STEPS + 1):
            trial.report(1 / (step + number), step)
        study.tell(trial, 1.0)

    return write


def write_on_time(root: str, study: str, seconds: float, rate: float, answers: Any) -> None:
    """Write trials on a schedule, and say how late the latest was accepted."""
    store, spec = StoreLayout(Path(root)), make_spec(study)
    driver, worker = Journal(store.journal, "driver"), Journal(store.journal, "worker")
    from pegbox.schemas.events import StudyOpened

    driver.append(StudyOpened(study=study, spec=spec), version=1)
    begun, number, late = time.monotonic(), 0, 0.0
    while (due := begun + number / rate) < begun + seconds:
        # On a schedule and not as fast as possible: a writer that waits would else lower the load that makes it wait.
        time.sleep(max(0.0, due - time.monotonic()))
        driver.append(started(study, number), version=2 + 3 * number)
        worker.append(*reported(study, number))
        driver.append(*ended(study, number), version=3 + 3 * number)
        late = max(late, time.monotonic() - due)
        number += 1
    answers.put((number, late))


def ingest_for(root: str, seconds: float, answers: Any) -> None:
    answers.put("ready")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ingest(StoreLayout(Path(root)))
        time.sleep(1.0)


def many_writers(quick: bool) -> list[Figure]:
    """Four writers at 50 trials/s, one ingestor, one reader that asks how old the newest trial is."""
    seconds, rate = (8.0, 50.0) if quick else (30.0, 50.0)
    # A fork with an open DuckDB connection loses rows without a word (measured on 2.0.0).
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with scratch() as place:
        store = open_store(place / ".pegbox")
        ingest(store, force=True)
        root = str(store.root)
        writers = [
            context.Process(target=write_on_time, args=(root, f"s{number}", seconds, rate, answers))
            for number in range(4)
        ]
        ingestor = context.Process(target=ingest_for, args=(root, seconds + 60, answers))
        ingestor.start()
        # The ingestor says when it is ready: its imports would count as a reader that is behind.
        answers.get()
        for process in writers:
            process.start()
        n_errors, behind = read_until(store, lambda: all(not writer.is_alive() for writer in writers))
        said = [answers.get() for _ in writers]
        for process in writers:
            process.join()
        ingestor.terminate()
        ingestor.join()
        ingest(store, wait=True, force=True)
        with open_history(store.root) as history:
            n_trials, n_metrics = history.sql(
                "SELECT (SELECT count(*) FROM trials WHERE state = 'completed'), (SELECT count(*) FROM metrics)"
            ).fetchall()[0]
    n_written, late = sum(number for number, _ in said), max(late for _, late in said)
    print(f"four writers: {n_written} trials, latest {late:.2f} s, reader {behind:.2f} s behind, {n_errors} errors")
    return [
        Figure("four writers, trials lost", n_written - n_trials + n_written * N_STEPS - n_metrics, 0),
        Figure("four writers, trials a second", n_written / seconds, 4 * rate * 0.99, at_most=False),
        Figure("four writers, latest write in seconds", late, 1.0),
        Figure("reader errors", n_errors, 0),
        Figure("reader behind, seconds", behind, 3.0),
    ]


def read_until(store: StoreLayout, is_over: Callable[[], bool]) -> tuple[int, float]:
    """How many reads failed, and by how much the newest trial was ever older than the read."""
    n_errors, behind = 0, 0.0
    newest = "SELECT epoch(max(ended_at)) FROM trials"
    while not is_over():
        asked = time.time()
        try:
            with connect_snapshot(store) as connection:
                row = connection.execute(newest).fetchone()
        except Exception as error:  # noqa: BLE001 - counted
            print("reader:", error)
            n_errors += 1
        else:
            if row and row[0]:
                behind = max(behind, asked - row[0])
        time.sleep(0.1)
    return n_errors, behind


def trials_as_a_table(quick: bool) -> list[Figure]:
    """All trials as a data frame, from opening the storage on: each reads what lies on the disk."""
    n = 4000 if quick else 10_000
    # In memory, where there is such a place: filling Optuna's storages takes minutes on a disk, and reading counts.
    with scratch("/dev/shm" if Path("/dev/shm").is_dir() else None) as place:
        store = open_store(place / ".pegbox")
        spec = make_spec("s")
        with open_study(store, spec, RunStarted(study="s", run="r", host="h", pid=1)) as log:
            log.record(*(event for number in range(n) for event in (started("s", number), *ended("s", number))))
        mine = best_of(lambda: our_table(store), 5)
        ratios = {}
        for name, storage in (("SQLite", optuna_sqlite), ("JournalStorage", optuna_journal)):
            study = optuna.create_study(storage=storage(place), study_name="s")
            study.add_trials([finished(number) for number in range(n)])
            ratios[name] = mine / best_of(lambda storage=storage: their_table(storage(place)), 3)
    print(f"{n} trials as a table: {mine * 1e3:.1f} ms, " + ", ".join(f"{k} 1/{1 / v:.0f}" for k, v in ratios.items()))
    return [
        Figure(f"{n} trials as a table, share of Optuna SQLite", ratios["SQLite"], 1 / 50),
        Figure(f"{n} trials as a table, share of Optuna JournalStorage", ratios["JournalStorage"], 1 / 15),
    ]


def our_table(store: StoreLayout) -> Any:
    with open_history(store.root) as history:
        return history.trials("s").df()


def their_table(storage: optuna.storages.BaseStorage) -> Any:
    return optuna.load_study(study_name="s", storage=storage).trials_dataframe()


def finished(number: int) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(
        params={"lr": (number % 997) / 997, "units": 1 + number % 999},
        distributions={
            "lr": optuna.distributions.FloatDistribution(0.0, 1.0),
            "units": optuna.distributions.IntDistribution(1, 999),
        },
        value=float(number),
    )


def best_of(call: Callable[[], Any], n: int) -> float:
    taken = []
    for _ in range(n):
        before = time.perf_counter()
        call()
        taken.append(time.perf_counter() - before)
    # The least and not the median: what is read is the same each time, and only disturbances make it slower.
    return min(taken)


def main() -> int:
    arguments = parser(__doc__, "small sizes").parse_args()
    tell_machine("duckdb", "optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    figures = [item for part in (durable_write, many_writers, trials_as_a_table) for item in part(arguments.quick)]
    return conclude(figures, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
