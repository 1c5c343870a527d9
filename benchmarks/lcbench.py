"""Mean normalised regret of search methods on LCBench, ours beside their peers, in one run on the same tasks and seeds.

    python benchmarks/lcbench.py --data PATH [--quick] [--json]

How to get the data stands in benchmarks/README.md.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: many threads make small matrices slow

import numpy as np
from comparison import Comparison, compared, tell_comparisons
from figures import Figure, conclude, tell_machine
from lcbench_tasks import DEV, EPOCHS, LOG_SPACE, SPACE, LCBench, kept
from peers import PEERS, available, use_hub

from pegbox.schemas.base import Configuration
from pegbox.schemas.decision import Decision
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.search.strategy import Strategy

QUICK_TASKS = ("3945", "167168", "189866")
NOISE = 0.01
"""Deviation of the noisy variant, in units of normalised regret."""


class Setting(NamedTuple):
    """What is run: only runs of one setting are compared."""

    variant: str
    workers: int
    full_trainings: int
    teachers: str = "Optuna TPE"
    """By which method the earlier studies were made; this one in files that do not tell."""


class Run(NamedTuple):
    """One method on one task with one seed."""

    setting: Setting
    method: str
    task: str
    seed: int
    regrets: list[float]
    """Of the best so far, after each full training's worth of epochs."""
    ask_ms: float
    """Mean time of a decision."""


class Timed:
    """A strategy, and how long its decisions took."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self.seconds: list[float] = []

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        begin = time.perf_counter()
        decision = self._strategy.next(history, rng)
        self.seconds.append(time.perf_counter() - begin)
        return decision


class Meter:
    """The objective; notes the best accuracy after each epoch that was paid for.

    Methods with rungs may stop at any epoch, so each epoch's accuracy counts; of full trainings only the last.
    """

    def __init__(self, bench: LCBench, noise: float, seed: int, has_rungs: bool, sign: float = 1.0) -> None:
        self._has_rungs, self._sign = has_rungs, sign
        self._bench, self._noise = bench, noise * (bench.best - bench.median)
        self._rng = np.random.default_rng([seed, int(bench.task)])
        self.paid = 0
        self.best: list[float] = []

    def __call__(self, configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
        accuracy, seconds = self._bench.curve(dict(configuration))  # type: ignore[arg-type]
        for epoch in range(from_budget, to_budget):
            # Full trainings are judged by their end, as their user would get them.
            counts = self._has_rungs or epoch == EPOCHS - 1
            self.best.append(max(accuracy[epoch] if counts else 0.0, self.best[-1] if self.best else 0.0))
        spent = seconds[to_budget - 1] - (seconds[from_budget - 1] if from_budget else 0.0)
        # The method sees the noisy value, the regret counts the true one: luck is no progress.
        seen = accuracy[to_budget - 1] + self._rng.normal(0, 1) * self._noise
        return Outcome({"val_accuracy": self._sign * float(seen)}, seconds=max(float(spent), 1e-3))

    def regrets(self, n_full: int) -> list[float]:
        """Regret of the best so far after 1, 2, ... full trainings; the last one holds where the method ended early."""
        ends = [min((number + 1) * EPOCHS, len(self.best)) - 1 for number in range(n_full)]
        return [self._bench.regret(self.best[end]) for end in ends]


def has_rungs(method: str) -> bool:
    if method in PEERS:
        return PEERS[method].has_rungs
    return "+" in method or method.startswith("freeze_thaw")


def study(method: str, n_full: int, seed: int, variant: str = "plain") -> StudySpec:
    """A method is `sampler` or `sampler+schedule`, each also with `/warm`, `/misled` or `/own`; or a peer's name."""
    own = "random" if method in PEERS else method.partition("/")[0]
    sampler, _, schedule = own.partition("+")
    # Rungs 2, 6, 18 and 52, as the tables of benchmarks/README.md have them; a peer decides on them itself, and of
    # `full` trainings a study has one rung.
    own_rungs = "hyperband" if method in PEERS else "full"
    fidelity = {"schedule": schedule or own_rungs, "min": 2, "factor": 3}
    budget = {"epochs": n_full * EPOCHS} if has_rungs(method) else {"trials": n_full}
    return StudySpec.model_validate(
        {
            "name": "lcbench",
            "train": {"kind": "function", "function": "lcbench:run", "epochs": EPOCHS},
            "space": LOG_SPACE if variant in ("interior", "log") else SPACE,
            "objective": {"metric": "val_accuracy", "goal": "maximize"},
            "search": {"method": sampler, "seed": seed},
            "fidelity": fidelity if has_rungs(method) else {},
            "budget": budget,
        }
    )


class Teachers:
    """Earlier studies that a learner is given: 50 full trainings each, the same for every learner."""

    # Far from the seeds of the learners, so that no teacher draws what its pupil draws.
    SEED = 99
    NIGHTS = 4
    """Earlier runs of one scheduled study; each has learnt from those before it, as they do in a store."""

    def __init__(self, data: Path, setting: Setting) -> None:
        self._data, self._variant, self._method = data, setting.variant, setting.teachers
        self._known: dict[tuple[str, bool, int], History] = {}

    def of(self, method: str, task: str) -> tuple[History, ...]:
        """What a method on a task learns from.

        `/warm`: studies of the other tasks; `/misled`: the same with accuracies that are turned around; `/own`: the
        study itself on the nights before, when its best lay elsewhere.
        """
        lesson = method.partition("/")[2]
        if lesson == "own":
            return self._own(task, 0)
        others = [other for other in DEV if other != task] if lesson else []
        return tuple(self._history(other, is_reversed=lesson == "misled") for other in others)

    def _own(self, task: str, nights: int) -> tuple[History, ...]:
        """The study's runs before a night, the latest first, as a store gives them."""
        return tuple(self._history(task, nights=night) for night in range(nights + 1, self.NIGHTS + 1))

    def _history(self, task: str, is_reversed: bool = False, nights: int = 0) -> History:
        key = task, is_reversed, nights
        if key not in self._known:
            bench = LCBench(self._data, task, self._variant == "interior", nights)
            earlier = self._own(task, nights) if nights else ()
            spec = study(self._method, 50, seed_of(task, self.SEED + nights), self._variant)
            meter = Meter(bench, 0.0, self.SEED, False, -1.0 if is_reversed else 1.0)
            self._known[key] = Simulation(built(self._method, spec, earlier), History(spec=spec), meter).run()
        return self._known[key]


def built(method: str, spec: StudySpec, earlier: tuple[History, ...]) -> Strategy:
    return PEERS[method].build(spec, spec.search_seed) if method in PEERS else strategy_for(spec, earlier)


def seed_of(task: str, seed: int) -> int:
    # Another seed on each task, or every task would begin with the same points; 997 is a prime below 1,000.
    return 1000 * seed + int(task) % 997


def run(method: str, bench: LCBench, seed: int, setting: Setting, earlier: tuple[History, ...]) -> Run:
    own_seed = seed_of(bench.task, seed)
    spec = study(method, setting.full_trainings, own_seed, setting.variant)
    strategy = Timed(built(method, spec, earlier))
    meter = Meter(bench, NOISE if setting.variant == "noisy" else 0.0, own_seed, has_rungs(method))
    Simulation(strategy, History(spec=spec), meter, setting.workers).run()
    ask_ms = 1000 * float(np.mean(strategy.seconds))
    return Run(setting, method, bench.task, seed, meter.regrets(setting.full_trainings), ask_ms)


def runs(options: argparse.Namespace) -> Iterator[Run]:
    """All runs, seed by seed; those that the file of an earlier call holds are taken from there."""
    setting = Setting(options.variant, options.workers, options.full_trainings, options.teachers)
    known = recorded(options.progress)
    teachers = Teachers(options.data, setting)
    methods = available(options.methods, [key[1] for key in known])
    # Seed by seed, so that a run that is broken off has compared all methods on equal terms.
    for seed in range(options.seeds):
        for task in options.tasks:
            bench = LCBench(options.data, task, interior=options.variant == "interior")
            for method in methods:
                done = known.get((setting, method, task, seed))
                yield done or run(method, bench, seed, setting, teachers.of(method, task))


def recorded(path: Path | None) -> dict[tuple[Setting, str, str, int], Run]:
    """Runs of earlier calls, of this process or of one with other libraries."""
    if path is None or not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    known = [Run(**{**line, "setting": Setting(*line["setting"])}) for line in lines]
    return {(one.setting, one.method, one.task, one.seed): one for one in known}


def summary(done: list[Run], at: list[int]) -> list[dict[str, Any]]:
    """One row a method: the mean over tasks and seeds, its standard error over seeds, and the worst run."""
    rows = []
    for method in dict.fromkeys(one.method for one in done):
        own = [one for one in done if one.method == method]
        seeds = sorted({one.seed for one in own})
        row: dict[str, Any] = {"method": method, "runs": len(own)}
        for n_full in at:
            values = [[one.regrets[n_full - 1] for one in own if one.seed == seed] for seed in seeds]
            means = np.array([np.mean(value) for value in values])
            # Over seeds and not over runs: the tasks are the same ones each time, so that they are no sample.
            error = means.std(ddof=1) / len(means) ** 0.5 if len(means) > 1 else float("nan")
            row[f"@{n_full}"] = {
                "mean": float(means.mean()),
                "error": float(error),
                "worst": float(max(map(max, values))),
            }
        rows.append(row | {"ask_ms": float(np.mean([one.ask_ms for one in own]))})
    return rows


def comparisons(done: list[Run], options: argparse.Namespace, own: str) -> Iterator[list[Comparison]]:
    """Of one method with each peer, a list for each of the counts that bars speak of."""
    for at in (n for n in (10, 20, 25, 50) if n <= options.full_trainings):
        regrets: dict[str, dict[tuple[str, int], float]] = {}
        for one in done:
            regrets.setdefault(one.method, {})[one.task, one.seed] = one.regrets[at - 1]
        peers = {method: found for method, found in regrets.items() if method in PEERS}
        yield compared(f"lcbench {options.variant}", at, regrets.get(own, {}), peers)


def table(rows: list[dict[str, Any]], at: list[int]) -> str:
    lines = [f"{'method':24}" + "".join(f"{f'@{n}':>26}" for n in at) + f"{'ask ms':>9}{'runs':>6}"]
    for row in rows:
        cells = "".join(
            f"{cell['mean']:>10.4f} ± {cell['error']:.4f} ({cell['worst']:.2f})" for cell in (row[f"@{n}"] for n in at)
        )
        lines.append(f"{row['method']:24}{cells}{row['ask_ms']:>9.1f}{row['runs']:>6}")
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with lcbench_model.onnx")
    parser.add_argument("--methods", default="bayes,sobol,random", help=f"ours, or of {', '.join(PEERS)}")
    parser.add_argument("--tasks", help="by number, with commas; the development tasks where none are named")
    parser.add_argument("--kept", action="store_true", help="the tasks on which no constant was chosen")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--full-trainings", type=int, default=50)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--variant", choices=("plain", "noisy", "interior", "log"), default="plain")
    parser.add_argument(
        "--teachers", default="bayes", help="the method of the studies that `/warm` and others learn from"
    )
    parser.add_argument("--quick", action="store_true", help="three tasks, two seeds, 25 full trainings")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hub", type=Path, help="a copy of OptunaHub's registry, for Optuna AutoSampler")
    parser.add_argument("--progress", type=Path, help="append each run to this file, and do not repeat what it holds")
    options = parser.parse_args()
    if options.variant != "interior" and "/own" in options.methods:
        parser.error("/own needs --variant interior: a best that lies at a corner cannot move on.")
    if options.tasks and options.kept:
        parser.error("--tasks and --kept both say which tasks; give one of them.")
    if options.hub:
        use_hub(options.hub)
    named = options.tasks.split(",") if options.tasks else kept(options.data) if options.kept else DEV
    options.methods, options.tasks = options.methods.split(","), tuple(named)
    if options.quick:
        options.tasks, options.seeds, options.full_trainings = QUICK_TASKS, 2, 25
    return options


def main() -> int:
    options = parse()
    tell_machine("optuna", "torch")
    done, known = [], recorded(options.progress)
    for one in runs(options):
        done.append(one)
        if options.progress and (one.setting, one.method, one.task, one.seed) not in known:
            with options.progress.open("a") as file:
                file.write(json.dumps(one._asdict()) + "\n")
    at = [n for n in (5, 10, 20, 25, 50, 100) if n <= options.full_trainings]
    rows = summary(done, at)
    print(table(rows, at))
    figures = [Figure(f"regret at {at[-1]}, {row['method']}", row[f"@{at[-1]}"]["mean"]) for row in rows]
    for own in (row["method"] for row in rows if row["method"] not in PEERS):
        # The bars are those of `bayes` on the kept tasks.
        figures += tell_comparisons(own, comparisons(done, options, own), options.kept and own == "bayes")
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
