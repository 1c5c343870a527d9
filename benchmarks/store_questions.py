"""Measures the usual questions to a large history, and the start to the first row, against their bars.

    python benchmarks/store_questions.py [--quick] [--json]

`--quick` shrinks the history; the bars stay the same. The last line of the output is a list of
{"name", "value", "bar", "holds"}.
"""

import statistics
import subprocess
import sys
import time

import duckdb
import numpy as np
from figures import Figure, conclude, parser, tell_machine
from store import best_of, make_spec, scratch

from pegbox.schemas.competition import leaders_of
from pegbox.schemas.plan import Objective
from pegbox.storage.layout import StoreLayout
from pegbox.storage.migrate import migrate, migrations
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.store import open_store
from pegbox.storage.views import refresh_views

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
                figures.append(Figure(f"{n_trials} trials, {name}, ms", seconds * 1e3, 200))
            curve = "FROM curve('big', 777, metric := 'val_loss')"
            seconds = best_of(lambda: connection.sql(curve).to_arrow_table(), 5)
            figures.append(Figure(f"{n_trials * 100} metric rows, one curve, ms", seconds * 1e3, 10))
    with scratch() as place:
        store = open_store(place / ".pegbox")
        n_trials = 100_000 if quick else 1_000_000
        fill(store, n_trials, n_steps=0)
        with connect_snapshot(store, {"threads": "2"}) as connection:
            for name in ("marginal", "interaction", "interaction with levels"):
                seconds = best_of(lambda name=name: connection.sql(QUESTIONS[name]).to_arrow_table(), 3)
                figures.append(Figure(f"{n_trials} trials, {name}, ms", seconds * 1e3, 1000))
    for item in figures:
        print(f"{item.name}: {item.value:.1f}")
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
    return [Figure("start to first row, times bare DuckDB", ours / base, 2.0)]


def run_python(code: str) -> float:
    before = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def main() -> int:
    arguments = parser(__doc__, "a history of a tenth of the size").parse_args()
    tell_machine("duckdb")
    figures = [item for part in (questions, start_up) for item in part(arguments.quick)]
    return conclude(figures, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
