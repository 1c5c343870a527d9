"""Are the shares of the importance right, do their intervals hold the truth, and how long does it take?

Ishigami's function and an additive one have known Sobol indices, and were looked at while the intervals were made. The
others were not: engineering models from the literature, and a space with categories and a conditional parameter. Every
study is random points of such a function with some noise; Optuna's fANOVA is asked about the same studies where it is
installed.

    python benchmarks/importance.py [--quick] [--json]
"""

import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from figures import Figure, conclude, parser, tell_machine
from scipy.stats import sobol_indices, uniform

from pegbox.analysis.importance import importance
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.space.encoding import SpaceEncoding

# Three idle ones at the end: an interval must hold a share of 0 as well.
WEIGHTS = np.array([4.0, 3.0, 2.0, 1.0, 0.5, 0.0, 0.0, 0.0])
POOLED = ("error", "coverage", "wrong_verdicts", "cpu_seconds")
# Picked by hand: what fresh seeds do to a loss that hyperparameters spread widely.
NOISE = 0.1
"""Standard deviation of the noise, in units of that of the function."""
# A power of two, as Sobol points ask for; picked by hand, so that the reference errs less than what is measured with
# it.
N_REFERENCE = 2**15
"""Points for the true shares of a function without a formula for them."""


LEAST_COVERAGE = 0.9
"""Of intervals that claim 95 %: what a few dozen studies can tell apart from it."""


@dataclass(frozen=True)
class Case:
    """A function on the unit cube, with the true total shares of its parameters.

    Attributes:
        space: Its parameters as a study file writes them; plain numbers in [0, 1] where None. A point of the unit cube
            is laid out on them in order.
        is_fresh: False where the function was looked at while the intervals were made.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    totals: np.ndarray
    space: dict[str, Any] | None = None
    is_fresh: bool = True


def ishigami(points: np.ndarray) -> np.ndarray:
    x = np.pi * (2 * points - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def g_function(points: np.ndarray) -> np.ndarray:
    """Sobol's g-function, with a = 0, 1, 4.5, 9, 99, 99 (Saltelli et al. 2008)."""
    a = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0])
    return np.asarray(((np.abs(4 * points - 2) + a) / (1 + a)).prod(axis=1))


def borehole(points: np.ndarray) -> np.ndarray:
    """Flow of water through a borehole (Morris, Mitchell & Ylvisaker 1993)."""
    low = np.array([0.05, 100, 63070, 990, 63.1, 700, 1120, 9855])
    high = np.array([0.15, 50000, 115600, 1110, 116, 820, 1680, 12045])
    rw, r, tu, hu, tl, hl, length, kw = (low + (high - low) * points).T
    log = np.log(r / rw)
    return np.asarray(2 * np.pi * tu * (hu - hl) / (log * (1 + 2 * length * tu / (log * rw**2 * kw) + tu / tl)))


def otl_circuit(points: np.ndarray) -> np.ndarray:
    """Voltage of a push-pull circuit without a transformer (Ben-Ari & Steinberg 2007)."""
    low, high = np.array([50, 25, 0.5, 1.2, 0.25, 50]), np.array([150, 70, 3, 2.5, 1.2, 300])
    rb1, rb2, rf, rc1, rc2, beta = (low + (high - low) * points).T
    vb1, gain = 12 * rb2 / (rb1 + rb2), beta * (rc2 + 9)
    return np.asarray(
        (vb1 + 0.74) * gain / (gain + rf) + 11.35 * rf / (gain + rf) + 0.74 * rf * gain / ((gain + rf) * rc1)
    )


def friedman(points: np.ndarray) -> np.ndarray:
    """Friedman's function with five idle parameters beside its five (Friedman 1991)."""
    x = points.T
    return np.asarray(10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4])


def training(points: np.ndarray) -> np.ndarray:
    """Like a loss: a valley in the learning rate, an optimizer, a momentum for one of the two, an idle category."""
    lr, optimizer, momentum, _, units = points.T
    is_sgd = optimizer >= 0.5
    return np.asarray(
        8 * (lr - 0.6) ** 2 + 0.6 * is_sgd + np.where(is_sgd, 3 * (momentum - 0.9) ** 2, 0.0) - 0.5 * units
    )


TRAINING_SPACE = {
    "x0": {"min": 1e-5, "max": 1e-1, "log": True},
    "x1": ["adamw", "sgd"],
    "x2": {"min": 0.0, "max": 1.0, "when": {"x1": "sgd"}},
    "x3": ["relu", "gelu", "tanh"],
    "x4": {"min": 16, "max": 1024, "log": True, "int": True},
}


def totals_of(function: Callable[[np.ndarray], np.ndarray], n_dims: int) -> np.ndarray:
    """Total Sobol indices by pick and freeze (Saltelli et al. 2010)."""
    indices = sobol_indices(
        func=lambda columns: function(columns.T),
        n=N_REFERENCE,
        dists=[uniform()] * n_dims,
        rng=np.random.default_rng(0),
    )
    return np.clip(np.asarray(indices.total_order), 0.0, 1.0)


CASES = (
    Case("ishigami", ishigami, np.array([0.558, 0.442, 0.244]), is_fresh=False),
    Case("additive", lambda points: points @ WEIGHTS, WEIGHTS**2 / (WEIGHTS**2).sum(), is_fresh=False),
    Case("g-function", g_function, totals_of(g_function, 6)),
    Case("borehole", borehole, totals_of(borehole, 8)),
    Case("circuit", otl_circuit, totals_of(otl_circuit, 6)),
    Case("friedman", friedman, totals_of(friedman, 10)),
    Case("training", training, totals_of(training, 5), TRAINING_SPACE),
)


def study_of(case: Case, n_trials: int, seed: int) -> History:
    rng = np.random.default_rng([seed, n_trials])
    points = rng.random((n_trials, len(case.totals)))
    losses = case.function(points)
    losses = losses + NOISE * losses.std() * rng.standard_normal(n_trials)
    spec = StudySpec.model_validate(
        {
            "name": case.name,
            "train": {"kind": "function", "function": "known:train"},
            "space": case.space or {f"x{dim}": {"min": 0.0, "max": 1.0} for dim in range(len(case.totals))},
            "objective": {"metric": "loss"},
            "budget": {"trials": n_trials},
        }
    )
    encoding = SpaceEncoding(spec.space)
    columns = [int(name.removeprefix("x")) for name in encoding.names]
    trials = tuple(
        Trial(
            number=number,
            seed=number,
            configuration=encoding.decode(point[columns]),
            state=TrialState.COMPLETED,
            budget=1,
            evaluations=(Evaluation(budget=1, metrics={"loss": float(losses[number])}),),
        )
        for number, point in enumerate(points)
    )
    return History(spec=spec, trials=trials)


def measure(case: Case, n_trials: int, n_studies: int, *, with_optuna: bool) -> dict[str, Any]:
    """Errors of the total shares, coverage of their intervals and seconds, over some studies."""
    errors, covered, wrong, seconds, theirs = [], [], [], [], []
    for seed in range(n_studies):
        history = study_of(case, n_trials, seed)
        # CPU time, because the forests may use several cores and a busy machine must not look slow.
        start = time.process_time()
        rows = {row.name: row for row in importance(history).parameters}
        seconds.append(time.process_time() - start)
        if not rows:  # it says that nothing can be ranked
            continue
        for dim, truth in enumerate(case.totals):
            row = rows[f"x{dim}"]
            errors.append(abs(row.total - truth))
            covered.append(row.interval.low <= truth <= row.interval.high)
            wrong.append(
                # 5 % is where the verdicts draw their own line.
                (row.verdict == "matters" and truth < 0.05) or (row.verdict == "can be fixed" and truth > 0.05)
            )
        if with_optuna:
            theirs += optuna_errors(history, case)
    return {
        "function": case.name,
        "is_fresh": case.is_fresh,
        "trials": n_trials,
        "studies": n_studies,
        "intervals": len(covered),
        "error": float(np.mean(errors)),
        "coverage": float(np.mean(covered)),
        "wrong_verdicts": float(np.mean(wrong)),
        "cpu_seconds": float(np.median(seconds)),
        "optuna_error": float(np.mean(theirs)) if theirs else None,
    }


def pooled(rows: list[dict[str, Any]], is_fresh: bool) -> dict[str, Any]:
    """The intervals of several functions together, each parameter of each study counting once."""
    chosen = [row for row in rows if row["is_fresh"] is is_fresh]
    # Weighted, because functions have three to ten parameters, and each interval is one trial of the claim.
    weights = np.array([row["intervals"] for row in chosen])
    means = {key: float(np.average([row[key] for row in chosen], weights=weights)) for key in POOLED}
    return {
        "function": "all fresh" if is_fresh else "all known",
        "is_fresh": is_fresh,
        "trials": 0,
        "studies": sum(row["studies"] for row in chosen),
        "intervals": int(weights.sum()),
        "optuna_error": None,
        **means,
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


def main() -> int:
    """Print a table and how often the intervals hold the truth."""
    arguments = parser(__doc__, "a few studies of up to 300 trials").parse_args()
    tell_machine("optuna", "scikit-learn")
    sizes = ((50, 3), (300, 3)) if arguments.quick else ((50, 20), (100, 20), (300, 10), (1000, 5), (10_000, 1))
    has_optuna = importlib.util.find_spec("optuna") is not None
    if has_optuna:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows = [
        measure(case, n_trials, n_studies, with_optuna=has_optuna and case.name == "additive" and n_trials <= 300)
        for case in CASES
        for n_trials, n_studies in sizes
    ]
    rows += [pooled(rows, is_fresh) for is_fresh in (False, True)]
    print("function    trials  studies  mean error  coverage  wrong verdicts  CPU s  Optuna's error")
    for row in rows:
        theirs = "" if row["optuna_error"] is None else f"{row['optuna_error']:.3f}"
        print(
            f"{row['function']:10} {row['trials']:7} {row['studies']:8}  {row['error']:10.3f}  {row['coverage']:8.2f}"
            f"  {row['wrong_verdicts']:14.3f}  {row['cpu_seconds']:5.2f}  {theirs}"
        )
    figures = [
        Figure(f"coverage of 95 % intervals, {row['function']}", row["coverage"], LEAST_COVERAGE, at_most=False)
        for row in rows[-2:]
    ]
    return conclude(figures, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
