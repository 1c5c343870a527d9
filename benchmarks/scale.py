"""How many workers one driver feeds: 10,000 simulated ones, each training in no time on a clock of its own.

    python benchmarks/scale.py [--quick] [--json] [--workers 10000] [--completions 10000]

All of the driver is real but Prefect: the strategy decides, the journal is flushed to the disk, the history folds, and
DuckDB is brought up to date beside it. First every worker gets a trial; then, as the first is done, it gets the next.
A driver that takes `s` seconds for a segment feeds `T / s` workers whose segments last `T` seconds: there it ends.
Prefect's task runs come on top; `overhead.py` measures them.
"""

import heapq
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from figures import Figure, conclude, parser, tell_machine

from pegbox.execution.segment_plan import SegmentPlan
from pegbox.flows.segment_records import SegmentRecords
from pegbox.schemas.decision import Done, Stop, Wait
from pegbox.schemas.events import RunStarted
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.search.decision_events import decide
from pegbox.search.narrowed_space import study_strategy
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store
from pegbox.storage.study_log import StudyLog, open_study

SEGMENT_SECONDS = 600.0
"""Of the workers whose number is told. Picked by hand: an epoch or a few of a network on one card."""
LEAST_FED = 10_000.0
"""Workers with such segments that one driver is to feed, where the method decides by rule (asha over random)."""
METHODS: dict[str, dict[str, Any]] = {
    "random": {"search": {"method": "random"}},
    "random+asha": {
        "search": {"method": "random"},
        "fidelity": {"schedule": "asha", "min": 1, "max": 9, "factor": 3},
    },
    "genetic": {"search": {"method": "genetic"}},
}


class Measured(NamedTuple):
    """Of one method; seconds are wall times of the driver."""

    method: str
    fill_seconds: float
    """Until every worker had its first segment."""
    steady_seconds: float
    """Of the completions, each with the decision that follows."""
    cpu_seconds: float
    """Of the whole process meanwhile, which other work on the machine does not lengthen."""
    last_share: float
    """Time of the last fifth of the completions over that of the first: 1 where it does not grow."""
    n_steady: int
    journal_bytes: int
    n_segments: int


def spec_of(method: str, n_trials: int) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "scale",
            "train": {"kind": "function", "function": "nowhere:train", "epochs": 9},
            "space": {
                "lr": {"min": 1e-5, "max": 0.1, "log": True},
                "units": {"min": 16, "max": 512, "int": True, "log": True},
                "dropout": {"min": 0.0, "max": 0.6},
                "optimizer": ["adamw", "sgd"],
            },
            "objective": {"metric": "loss"},
            "budget": {"trials": n_trials},
            **METHODS[method],
        }
    )


class Driver:
    """The loop of a study, with workers that a clock stands for."""

    def __init__(self, study: StudyLog, seed: int = 0) -> None:
        self._study = study
        self._strategy = study_strategy(study.history.spec)
        self._records = SegmentRecords(study, 1)
        self._plan = SegmentPlan(study.history, None)
        self._rng = np.random.default_rng(seed)
        self._running: list[tuple[float, int, Segment]] = []
        self._clock = 0.0
        self.n_segments = 0

    def fill(self, workers: int) -> None:
        """Give every free worker a segment; fewer where the strategy has none."""
        while len(self._running) < workers:
            made = decide(self._study.history, self._strategy)
            if isinstance(made, Wait | Done):
                return
            history = self._study.record(made)
            if isinstance(made.decision, Stop):
                continue
            (segment,) = self._plan.of_trial(history.trials[made.trial])
            self._records.started(segment)
            self.n_segments += 1
            # Of one length they would all end at once: half to one and a half of the mean.
            ends = self._clock + float(self._rng.uniform(0.5, 1.5)) * (segment.to_budget - segment.from_budget)
            heapq.heappush(self._running, (ends, self.n_segments, segment))

    def complete(self) -> None:
        """The worker that is done first hands over what it trained and measured."""
        self._clock, _, segment = heapq.heappop(self._running)
        trained = TrainedSegment(budget=segment.to_budget, seconds=1.0)
        self._records.trained(segment, trained, is_cached=False, has_reports=False)
        loss = abs(np.log10(float(segment.configuration["lr"])) + 3) + 1 / segment.to_budget
        self._records.evaluated(
            segment, trained, Evaluation(budget=segment.to_budget, metrics={"loss": loss}, seconds=1.0)
        )


def measure(method: str, workers: int, completions: int) -> Measured:
    with tempfile.TemporaryDirectory() as name:
        store = open_store(Path(name))
        spec = spec_of(method, workers + completions)
        with open_study(store, spec, RunStarted(study=spec.name, run="scale", host="here", pid=1)) as study:
            driver = Driver(study)
            began = time.perf_counter()
            driver.fill(workers)
            filled, cpu = time.perf_counter(), time.process_time()
            ends = [filled]
            for _ in range(completions):
                driver.complete()
                driver.fill(workers)
                ends.append(time.perf_counter())
            cpu = time.process_time() - cpu
            study.close("interrupted")
        spans, fifth = np.diff(ends), completions // 5
        return Measured(
            method,
            filled - began,
            ends[-1] - filled,
            cpu,
            float(spans[-fifth:].sum() / spans[:fifth].sum()),
            completions,
            journal_bytes(store),
            driver.n_segments,
        )


def journal_bytes(store: StoreLayout) -> int:
    """Of what the driver wrote; an interrupted study is not archived."""
    return sum(path.stat().st_size for path in store.journal.glob("*.jsonl"))


def figures_of(one: Measured) -> list[Figure]:
    seconds = one.steady_seconds / one.n_steady
    fed = SEGMENT_SECONDS / seconds
    # All of its segments were handed out, and as many as were completed wrote all of their events.
    per_segment = one.journal_bytes / (one.n_segments + one.n_steady) * 2
    bar = LEAST_FED if one.method == "random+asha" else None
    return [
        Figure(f"{one.method}: seconds until all workers train", one.fill_seconds),
        Figure(f"{one.method}: completions and decisions a second", 1 / seconds),
        Figure(f"{one.method}: milliseconds of CPU for one", one.cpu_seconds / one.n_steady * 1000),
        Figure(f"{one.method}: journal bytes a second at that", per_segment / seconds),
        Figure(f"{one.method}: journal bytes a segment", per_segment),
        Figure(f"{one.method}: time of the last fifth over the first", one.last_share),
        Figure(f"{one.method}: workers fed, segments of 10 minutes", fed, bar, at_most=False),
    ]


def main() -> int:
    arguments = parser(__doc__, "300 workers, 300 completions")
    arguments.add_argument("--workers", type=int, default=10_000)
    arguments.add_argument("--completions", type=int, default=10_000)
    arguments.add_argument("--methods", default=",".join(METHODS), help="some of them, with commas between")
    options = arguments.parse_args()
    tell_machine("duckdb")
    workers, completions = (300, 300) if options.quick else (options.workers, options.completions)
    print(f"{workers} workers, {completions} completions", flush=True)
    figures = []
    for method in options.methods.split(","):
        figures += figures_of(measure(method, workers, completions))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures.append(Figure(f"{method}: peak memory of the driver so far, MiB", peak))
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
