"""How busy workers are: the flow tunes a function that sleeps 0.2 to 2 seconds a trial on four workers.

    python benchmarks/utilisation.py [--quick] [--json] [--workers 4] [--trials 120]

Busy is the time that workers spend inside trials, over workers times the time from the first start to the last one
(after it there is nothing left to begin). The goal is 95 % or more. The same calls on the bare worker pool, without
flow, journal and proposals, stand beside it.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from figures import Figure, conclude, parser, tell_machine

from pegbox.execution.pool import WorkerPool
from pegbox.execution.worker_settings import WorkerSettings

LEAST_BUSY = 0.95
"""Of the workers' time; what is left is deciding, journalling and handing over."""

FUNCTION = """
import os, time

def run(seconds):
    started = time.time()
    time.sleep(seconds)
    with open("spans.txt", "a") as file:
        file.write(f"{started} {time.time()}\\n")
    return seconds
"""
STUDY = """
name: sleepers
train: {{kind: function, function: "sleeper:run"}}
space:
  seconds: {{min: 0.2, max: 2.0}}
objective: {{metric: value}}
search: {{method: random}}
budget: {{trials: {trials}}}
run: {{workers: {workers}}}
finalists: {{top: 1, seeds: 1}}
"""


def busy_share(spans: np.ndarray, workers: int) -> float:
    """Share of the workers' time inside trials, from the first start to the last; spans have shape (n_trials, 2)."""
    begin, end = spans[:, 0].min(), spans[:, 0].max()
    inside = np.minimum(spans[:, 1], end) - np.minimum(spans[:, 0], end)
    return float(inside.sum() / (workers * (end - begin)))


def of_flow(trials: int, workers: int) -> tuple[float, float]:
    """Busy share of a whole study, and its wall time in seconds."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "sleeper.py").write_text(FUNCTION)
        (directory / "study.yaml").write_text(STUDY.format(trials=trials, workers=workers))
        command = [str(Path(sys.executable).with_name("pegbox")), "run", "study.yaml"]
        started = time.perf_counter()
        # As a user starts it: what the driver costs the workers is part of the question.
        done = subprocess.run(command, cwd=directory, env=dict(os.environ), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"pegbox run failed with exit code {done.returncode}:\n{done.stderr}")
        # Without the fresh seeds of the finalist, which come after the search with one worker.
        spans = np.loadtxt(directory / "spans.txt")[:trials]
        return busy_share(spans, workers), time.perf_counter() - started


def sleep_once(seconds: float) -> tuple[float, float]:
    """What the pool's workers do."""
    started = time.time()
    time.sleep(seconds)
    return started, time.time()


def of_pool(trials: int, workers: int) -> float:
    """Busy share of the worker pool alone."""
    # Of the same distribution as the study's, though other draws: the share is of many trials, not of one order.
    durations = np.random.default_rng(0).uniform(0.2, 2.0, trials)
    with WorkerPool(workers, WorkerSettings(threads=1)) as pool, ThreadPoolExecutor(workers) as threads:
        pool.warm()
        spans = np.array(list(threads.map(lambda seconds: pool.run(sleep_once, float(seconds)), durations)))
    return busy_share(spans, workers)


def main() -> int:
    arguments = parser(__doc__, "24 trials")
    arguments.add_argument("--workers", type=int, default=4)
    arguments.add_argument("--trials", type=int, default=120)
    options = arguments.parse_args()
    tell_machine("prefect")
    trials = 24 if options.quick else options.trials
    pool = of_pool(trials, options.workers)
    flow, seconds = of_flow(trials, options.workers)
    print(f"{trials} trials of 0.2 to 2 s on {options.workers} workers")
    figures = [
        Figure("busy share, pool alone", pool, LEAST_BUSY, at_most=False),
        Figure("busy share, whole flow", flow, LEAST_BUSY, at_most=False),
        Figure("seconds from command to answer", seconds),
    ]
    return conclude(figures, options.json)


if __name__ == "__main__":
    # The pool's workers find `sleep_once` under the name of this file, not of the script that runs.
    import utilisation

    sys.exit(utilisation.main())
