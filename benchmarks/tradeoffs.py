"""Two objectives at once: the share of the attainable area that methods have conquered, ours beside Optuna's.

    python benchmarks/tradeoffs.py [--data PATH] [--quick] [--json]

ZDT1 and DTLZ2 have curved fronts of known area, DTLZ2 once more with a limit that forbids its middle; with `--data`
(see README.md) also the accuracy of LCBench's networks against the logarithm of their training time, measured against
the area of 4,000 random configurations.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from figures import Figure, conclude, parser, tell_machine

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.methods import strategy_for
from pegbox.search.objectives import fronts, loss_table
from pegbox.search.simulation import Outcome, Simulation

METHODS = ("bayes", "genetic", "optuna:NSGAIISampler", "optuna:TPESampler", "optuna:GPSampler", "random")
UNITS = {f"x{number}": {"min": 0.0, "max": 1.0} for number in range(5)}


class Problem(NamedTuple):
    """Two losses over a space; `reference` and `attainable` scale the area."""

    name: str
    space: dict[str, Any]
    losses: Callable[[Configuration], tuple[float, float]]
    reference: tuple[float, float]
    attainable: float
    limit: float | None = None
    """The largest allowed product of both losses."""


def zdt1(configuration: Configuration) -> tuple[float, float]:
    first, *others = (float(value) for value in configuration.values())  # type: ignore[arg-type]
    off = 1 + 9 * float(np.mean(others))
    return first, off * (1 - (first / off) ** 0.5)


def dtlz2(configuration: Configuration) -> tuple[float, float]:
    first, *others = (float(value) for value in configuration.values())  # type: ignore[arg-type]
    radius = 1 + sum((other - 0.5) ** 2 for other in others)
    return radius * float(np.cos(first * np.pi / 2)), radius * float(np.sin(first * np.pi / 2))


def limited() -> Problem:
    """DTLZ2 without the middle of its front, where neither loss is small."""
    # The product of both is half of the sine of the doubled angle: 0.35 leaves both ends of the front, to 22 degrees.
    angles = np.linspace(0, np.pi / 2, 20_001)
    front = np.column_stack([np.cos(angles), np.sin(angles)])
    front = front[front.prod(axis=1) <= 0.35]
    return Problem("dtlz2 limited", UNITS, dtlz2, (1.1, 1.1), area(front, (1.1, 1.1)), limit=0.35)


def area(losses: np.ndarray, reference: tuple[float, float]) -> float:
    """Of the region that a table of losses dominates, up to the reference."""
    inside = losses[(losses < reference).all(axis=1)]
    if not len(inside):
        return 0.0
    front = np.unique(inside[fronts(inside) == 0], axis=0)
    rights = np.append(front[1:, 0], reference[0])
    return float(((rights - front[:, 0]) * (reference[1] - front[:, 1])).sum())


def lcbench(data: Path, task: str) -> Problem:
    from lcbench_tasks import EPOCHS, NAMES, SPACE, LCBench, natural

    bench = LCBench(data, task)
    rows = natural(np.random.default_rng(0).random((4000, len(NAMES))))
    answers = bench._answers(rows, np.full(len(rows), EPOCHS))
    table = np.column_stack([-answers[:, 1], np.log(answers[:, 0])])
    reference = (-bench.median, float(np.median(table[:, 1])))

    def losses(configuration: Configuration) -> tuple[float, float]:
        accuracy, seconds = bench.curve(dict(configuration))  # type: ignore[arg-type]
        return -float(accuracy[-1]), float(np.log(seconds[-1]))

    return Problem(f"lcbench {task}", SPACE, losses, reference, area(table, reference))


def measure(problem: Problem, method: str, seed: int, trials: int) -> float:
    spec = StudySpec.model_validate(
        {
            "name": "tradeoffs",
            "train": {"kind": "function", "function": "tradeoffs:train"},
            "space": problem.space,
            "objectives": [{"metric": "first"}, {"metric": "second"}],
            "constraints": [{"metric": "product", "max": problem.limit}] if problem.limit else [],
            "search": {"method": method, "seed": seed},
            "budget": {"trials": trials},
        }
    )

    def train(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
        first, second = problem.losses(configuration)
        return Outcome({"first": first, "second": second, "product": first * second})

    history = Simulation(strategy_for(spec), History(spec=spec), train).run()
    losses = loss_table(history.trials, history.objectives)
    kept = losses.prod(axis=1) <= (problem.limit or np.inf)
    return area(losses[kept], problem.reference) / problem.attainable


def main() -> int:
    arguments = parser(__doc__, "two seeds, 25 trials, without Optuna's GP")
    arguments.add_argument("--data", type=Path, help="folder with lcbench_model.onnx")
    arguments.add_argument("--tasks", default="3945,167168,189866")
    arguments.add_argument("--methods", default=",".join(METHODS))
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--trials", type=int, default=50)
    options = arguments.parse_args()
    tell_machine("optuna", "torch")
    methods = options.methods.split(",")
    if options.quick:
        options.seeds, options.trials = 2, 25
        methods = [method for method in methods if method != "optuna:GPSampler"]
    problems = [
        # Areas by hand: below the reference 1.1 × 1.1 the front of ZDT1 leaves out the integral of 1 - sqrt(x), a
        # third, and that of DTLZ2 a quarter of the unit circle.
        Problem("zdt1", UNITS, zdt1, (1.1, 1.1), 1.21 - 1 / 3),
        Problem("dtlz2", UNITS, dtlz2, (1.1, 1.1), 1.21 - np.pi / 4),
        limited(),
    ]
    problems += [lcbench(options.data, task) for task in options.tasks.split(",")] if options.data else []
    rows = []
    for method in methods:
        shares = np.array(
            [[measure(one, method, seed, options.trials) for one in problems] for seed in range(options.seeds)]
        )
        error = shares.mean(axis=1).std(ddof=1) / options.seeds**0.5
        by_problem = dict(zip([one.name for one in problems], shares.mean(axis=0).tolist(), strict=True))
        rows.append({"method": method, "mean": float(shares.mean()), "error": float(error), **by_problem})
        cells = "".join(f"  {name} {share:.3f}" for name, share in by_problem.items())
        print(f"{method:22}{shares.mean():.3f} ± {error:.3f}{cells}", flush=True)
    return conclude(
        [Figure(f"share of the reference area, {row['method']}", row["mean"]) for row in rows], options.json
    )


if __name__ == "__main__":
    sys.exit(main())
