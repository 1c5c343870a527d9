"""Are the shares of the importance right, do their intervals hold the truth, and how long does it take?

Ishigami's function and an additive one have known Sobol indices. Every study is random points of such a function with
some noise; Optuna's fANOVA is asked about the same studies where it is installed.

    python benchmarks/importance.py [--quick] [--json]
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pegbox.analysis.importance import importance
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState

WEIGHTS = np.array([4.0, 3.0, 2.0, 1.0, 0.5, 0.0, 0.0, 0.0])
NOISE = 0.1
"""Standard deviation of the noise, in units of that of the function."""


@dataclass(frozen=True)
class Case:
    """A function on the unit cube, with the true total shares of its parameters."""

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    totals: np.ndarray


def ishigami(points: np.ndarray) -> np.ndarray:
    x = np.pi * (2 * points - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


CASES = (
    Case("ishigami", ishigami, np.array([0.558, 0.442, 0.244])),
    Case("additive", lambda points: points @ WEIGHTS, WEIGHTS**2 / (WEIGHTS**2).sum()),
)


def study_of(case: Case, n_trials: int, seed: int) -> History:
    rng = np.random.default_rng([seed, n_trials])
    points = rng.random((n_trials, len(case.totals)))
    losses = case.function(points)
    losses = losses + NOISE * losses.std() * rng.standard_normal(n_trials)
    names = [f"x{dim}" for dim in range(points.shape[1])]
    spec = StudySpec.model_validate(
        {
            "name": case.name,
            "train": {"kind": "function", "function": "known:train"},
            "space": {name: {"min": 0.0, "max": 1.0} for name in names},
            "objective": {"metric": "loss"},
            "budget": {"trials": n_trials},
        }
    )
    trials = tuple(
        Trial(
            number=number,
            seed=number,
            configuration=dict(zip(names, map(float, point), strict=True)),
            state=TrialState.COMPLETED,
            budget=1,
            evaluations=(Evaluation(budget=1, metrics={"loss": float(losses[number])}),),
        )
        for number, point in enumerate(points)
    )
    return History(spec=spec, trials=trials)


def measure(case: Case, n_trials: int, n_studies: int, *, with_optuna: bool) -> dict[str, object]:
    """Errors of the total shares, coverage of their intervals and seconds, over some studies."""
    errors, covered, wrong, seconds, theirs = [], [], [], [], []
    for seed in range(n_studies):
        history = study_of(case, n_trials, seed)
        start = time.process_time()
        rows = {row.name: row for row in importance(history).parameters}
        seconds.append(time.process_time() - start)
        for dim, truth in enumerate(case.totals):
            row = rows[f"x{dim}"]
            errors.append(abs(row.total - truth))
            covered.append(row.interval.low <= truth <= row.interval.high)
            wrong.append(
                (row.verdict == "matters" and truth < 0.05) or (row.verdict == "can be fixed" and truth > 0.05)
            )
        if with_optuna:
            theirs += optuna_errors(history, case)
    return {
        "function": case.name,
        "trials": n_trials,
        "studies": n_studies,
        "error": float(np.mean(errors)),
        "coverage": float(np.mean(covered)),
        "wrong_verdicts": float(np.mean(wrong)),
        "cpu_seconds": float(np.median(seconds)),
        "optuna_error": float(np.mean(theirs)) if theirs else None,
    }


def optuna_errors(history: History, case: Case) -> list[float]:
    """Of Optuna's fANOVA, which knows no interactions: only fair where the function is additive."""
    import optuna

    study = optuna.create_study()
    distributions = {name: optuna.distributions.FloatDistribution(0, 1) for name in history.space.order}
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=dict(trial.configuration), distributions=distributions, value=trial.value("loss")
            )
            for trial in history.trials
        ]
    )
    shares = optuna.importance.get_param_importances(study)
    return [abs(shares[f"x{dim}"] - truth) for dim, truth in enumerate(case.totals)]


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few studies of up to 300 trials")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    sizes = ((50, 3), (300, 3)) if arguments.quick else ((50, 20), (100, 20), (300, 10), (1000, 5), (10_000, 2))
    has_optuna = importlib.util.find_spec("optuna") is not None
    if has_optuna:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = [
        measure(case, n_trials, n_studies, with_optuna=has_optuna and case.name == "additive" and n_trials <= 300)
        for case in CASES
        for n_trials, n_studies in sizes
    ]
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    print("function   trials  studies  mean error  coverage  wrong verdicts  CPU s  Optuna's error")
    for row in rows:
        theirs = "" if row["optuna_error"] is None else f"{row['optuna_error']:.3f}"
        print(
            f"{row['function']:9} {row['trials']:7} {row['studies']:8}  {row['error']:10.3f}  {row['coverage']:8.2f}"
            f"  {row['wrong_verdicts']:14.3f}  {row['cpu_seconds']:5.2f}  {theirs}"
        )


if __name__ == "__main__":
    main()
