"""Measures the store against its bars, and against Optuna's storages in the same run.

    python benchmarks/store.py [--quick] [--json]

`--quick` shrinks every size so that all of it takes a minute; the bars are ratios or latencies and stay the same. The
last line of the output is a list of {"name", "value", "bar", "holds"}.
"""

import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import optuna
from figures import Figure, conclude, parser, tell_machine

from pegbox.schemas.competition import leaders_of
from pegbox.schemas.decision import Start
from pegbox.schemas.events import DecisionMade, Event, MetricsReported, RunStarted, SegmentTrained, TrialEvaluated
from pegbox.schemas.plan import Objective
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrainedSegment
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.migrate import migrate, migrations
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study
from pegbox.storage.views import refresh_views

N_STEPS = 20


def figure(name: str, value: float, bar: float, *, at_most: bool = True) -> Figure:
    return Figure(name, value, bar, at_most)


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
        figure("durable write, share of Optuna SQLite", mine / sqlite, 1 / 50),
        figure("durable write, share of Optuna JournalStorage", mine / journal, 1 / 10),
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
        figure("four writers, trials lost", n_written - n_trials + n_written * N_STEPS - n_metrics, 0),
        figure("four writers, trials a second", n_written / seconds, 4 * rate * 0.99, at_most=False),
        figure("four writers, latest write in seconds", late, 1.0),
        figure("reader errors", n_errors, 0),
        figure("reader behind, seconds", behind, 3.0),
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
        figure(f"{n} trials as a table, share of Optuna SQLite", ratios["SQLite"], 1 / 50),
        figure(f"{n} trials as a table, share of Optuna JournalStorage", ratios["JournalStorage"], 1 / 15),
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


SPACE = """{"space": {"lr": {"min": 1e-5, "max": 0.1}, "units": {"min": 32, "max": 1024},
"momentum": {"min": 0, "max": 1}, "optimizer": {"values": ["adamw", "sgd"]}}}"""


def fill(store: StoreLayout, n_trials: int, n_steps: int) -> None:
    """A snapshot with many trials, put into its tables directly."""
    # Into the tables at once: how long journals take is measured above, and only the questions count here.
    with duckdb.connect(str(store.snapshot), config={"threads": 2}) as connection:
        migrate(connection, migrations())
        refresh_views(connection)
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            "INSERT INTO studies BY NAME SELECT 'big' AS study, ['val_loss', 'cost'] AS metrics, "
            "['minimize', 'minimize'] AS goals, 'random' AS method, 'full' AS schedule, 27 AS full_budget, 0 AS seed, "
            "MAP {}::MAP(VARCHAR, VARCHAR) AS tags, now() AS created_at, now() AS changed_at, ? AS spec, [27] AS rungs",
            [SPACE],
        )
        connection.execute(
            """
            INSERT INTO trials BY NAME
            SELECT 'big' AS study, i AS number, if(h < 0.9, 'completed', 'failed') AS state,
                if(h < 0.9, v, NULL) AS value,
                [v, cost] AS "values", MAP {'val_loss': v, 'cost': cost} AS metrics, 27 AS budget, cost AS seconds,
                ('{"lr":' || lr || ',"units":' || units || ',"optimizer":"' || o || '"'
                    || if(o = 'sgd', ',"momentum":' || m, '') || '}')::JSON::VARIANT AS params,
                1 AS attempt, to_timestamp(1.7e9 + i) AS started_at, to_timestamp(1.7e9 + i + 60) AS ended_at,
                h < 0.9 AS competes, if(h < 0.9, v, NULL) AS loss
            FROM (
                SELECT i, random() AS h, pow(10, -5 + 4 * random()) AS lr, (32 + random() * 992)::INTEGER AS units,
                    if(random() < 0.5, 'sgd', 'adamw') AS o, random() AS m, random() * 10 AS cost, random() AS v
                FROM range($1) AS t(i)
            )
            """,
            [n_trials],
        )
        lead_of(connection)
        for low in range(0, n_trials if n_steps else 0, 10_000):
            connection.execute(
                "INSERT INTO metrics SELECT 'big', i, 1, 0, NULL, step, 'val_loss', random(), i, now() "
                "FROM range($1, $2) AS t(i), range(1, $3 + 1) AS u(step) ORDER BY i, step",
                [low, min(low + 10_000, n_trials), n_steps],
            )


def lead_of(connection: duckdb.DuckDBPyConnection) -> None:
    """Who leads, by the rule that an ingest asks."""
    found = connection.execute(
        'SELECT number, "values"[1] AS a, "values"[2] AS b FROM trials WHERE competes ORDER BY number'
    ).fetchnumpy()
    spec = make_spec("big").model_copy(update={"objective": None, "objectives": (LOSS, COST)})
    led = leaders_of(spec, found["number"], np.column_stack([found["a"], found["b"]]), None)
    connection.execute(
        "INSERT INTO leaders SELECT 'big', $1, value, false, $1, value, $2 FROM trials WHERE number = $1",
        [led.best, list(led.front)],
    )


LOSS, COST = Objective(metric="val_loss"), Objective(metric="cost")
QUESTIONS = {
    "marginal": "FROM marginal('big', 'lr')",
    "interaction": "FROM interaction('big', 'lr', 'units')",
    "interaction with levels": "FROM interaction('big', 'lr', 'optimizer')",
    "best so far": "FROM best_so_far('big')",
    "Pareto": "FROM pareto('big')",
    "top k": "FROM top('big', k := 10)",
}


def questions(quick: bool) -> list[Figure]:
    """The usual questions to a large history, warm, best of five, on two threads."""
    n_trials = 10_000 if quick else 100_000
    figures = []
    with scratch() as place:
        store = open_store(place / ".pegbox")
        fill(store, n_trials, n_steps=100)
        with connect_snapshot(store, {"threads": "2"}) as connection:
            for name, query in QUESTIONS.items():
                seconds = best_of(lambda query=query: connection.sql(query).to_arrow_table(), 5)
                figures.append(figure(f"{n_trials} trials, {name}, ms", seconds * 1e3, 200))
            curve = "FROM curve('big', 777, metric := 'val_loss')"
            seconds = best_of(lambda: connection.sql(curve).to_arrow_table(), 5)
            figures.append(figure(f"{n_trials * 100} metric rows, one curve, ms", seconds * 1e3, 10))
    with scratch() as place:
        store = open_store(place / ".pegbox")
        n_trials = 100_000 if quick else 1_000_000
        fill(store, n_trials, n_steps=0)
        with connect_snapshot(store, {"threads": "2"}) as connection:
            for name in ("marginal", "interaction", "interaction with levels"):
                seconds = best_of(lambda name=name: connection.sql(QUESTIONS[name]).to_arrow_table(), 3)
                figures.append(figure(f"{n_trials} trials, {name}, ms", seconds * 1e3, 1000))
    for item in figures:
        print(f"{item['name']}: {item['value']:.1f}")
    return figures


def start_up(quick: bool) -> list[Figure]:
    """From nothing to the first row, beside DuckDB doing the same; the two take turns."""
    with scratch() as place:
        store = open_store(place / ".pegbox")
        fill(store, 1000, n_steps=1)
        bare = (
            f"import duckdb; c = duckdb.connect(); c.execute(\"ATTACH '{store.snapshot}' AS store (READ_ONLY)\"); "
            "print(c.execute('SELECT count(*) FROM store.trials').fetchall())"
        )
        mine = (
            "from pegbox.storage.sandbox import run_query\n"
            f"with run_query({str(store.root)!r}, 'SELECT count(*) FROM trials', fresh=False) as r: print(list(r))"
        )
        # In pairs, so that both see the same state of the machine.
        pairs = [(run_python(bare), run_python(mine)) for _ in range(5 if quick else 15)]
    base, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"start to first row: {ours:.3f} s, bare DuckDB {base:.3f} s")
    return [figure("start to first row, times bare DuckDB", ours / base, 2.0)]


def run_python(code: str) -> float:
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def main() -> int:
    arguments = parser(__doc__, "small sizes").parse_args()
    tell_machine("duckdb", "optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    figures = [
        item
        for part in (durable_write, many_writers, trials_as_a_table, questions, start_up)
        for item in part(arguments.quick)
    ]
    return conclude(figures, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
