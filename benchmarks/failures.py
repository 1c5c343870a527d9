"""Half of the batch sizes always fail: how soon do search methods learn to leave them alone?

    python benchmarks/failures.py [--quick] [--json]

Counts the failures among trials 50 to 99. The training is a smooth function, so nothing else hides what is learnt.
"""

import os
import sys
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from figures import Figure, conclude, parser, tell_machine
from peers import PEERS

from pegbox.schemas.base import Configuration
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Outcome, Simulation

SPACE = {
    "lr": {"min": 1e-5, "max": 1e-1, "log": True},
    "batch_size": {"min": 8, "max": 1024, "power_of_two": True},
    "dropout": {"min": 0.0, "max": 0.6},
    "layers": {"min": 1, "max": 5, "int": True},
}
# Four of the eight powers of two, so that random search fails at half.
FAILING = (128, 256, 512, 1024)
METHODS = ("bayes", "random", "Optuna TPE", "Optuna GP")
N_TRIALS = 100


MOST_FAILURES = 0.3
"""Of the later trials, where half of the space fails, and with it half of a random search."""


def train(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
    """Larger batches would be better, if they did not run out of memory."""
    lr, batch, dropout, layers = (float(configuration[name]) for name in SPACE)  # type: ignore[arg-type]
    if batch in FAILING:
        return Outcome(Failure(kind=FailureKind.OUT_OF_MEMORY, message="The batch does not fit into memory."))
    loss = (np.log10(lr) + 3) ** 2 / 4 + (dropout - 0.2) ** 2 + (layers - 3) ** 2 / 20 - np.log2(batch) / 20
    return Outcome({"loss": float(loss)})


def measure(method: str, seed: int) -> dict[str, Any]:
    spec = StudySpec.model_validate(
        {
            "name": "failures",
            "train": {"kind": "function", "function": "failures:train"},
            "space": SPACE,
            "objective": {"metric": "loss"},
            "search": {"method": "random" if method in PEERS else method, "seed": seed},
            "budget": {"trials": N_TRIALS},
        }
    )
    strategy = PEERS[method].build(spec, seed) if method in PEERS else strategy_for(spec)
    history = Simulation(strategy, History(spec=spec), train).run()
    failed = [trial.state is TrialState.FAILED for trial in history.trials]
    best = min((trial.value("loss") or 0.0 for trial in history.completed), default=float("nan"))
    # The second half: in the first one a method has yet to meet the failures that it is to learn from.
    return {"failed": float(np.mean(failed[50:])), "best": best}


def main() -> int:
    arguments = parser(__doc__, "bayes and random only, two seeds")
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--methods", default=",".join(METHODS))
    options = arguments.parse_args()
    tell_machine("optuna", "torch")
    methods = ["bayes", "random"] if options.quick else options.methods.split(",")
    rows = []
    for method in methods:
        runs = [measure(method, seed) for seed in range(2 if options.quick else options.seeds)]
        rates = [run["failed"] for run in runs]
        error = float(np.std(rates, ddof=1) / len(rates) ** 0.5)
        best = float(np.mean([run["best"] for run in runs]))
        rows.append({"method": method, "failed": float(np.mean(rates)), "error": error, "best": best})
    print(f"{'method':16}{'failures in trials 50-99':>28}{'best loss':>12}")
    for row in rows:
        print(f"{row['method']:16}{row['failed']:>18.0%} ± {row['error']:.0%}{row['best']:>17.4f}")
    bars = {"bayes": MOST_FAILURES}
    figures = [Figure(f"failing share of {row['method']}", row["failed"], bars.get(row["method"])) for row in rows]
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
