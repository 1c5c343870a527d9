"""How long one ask takes as the history grows: ours beside Optuna's, 7 dimensions, in one run.

    python benchmarks/ask_latency.py [--quick] [--json]

Times are CPU times, so that other work beside it does not count, and medians of the asks that follow the first: a fresh
process also fits what it has not seen before (`cold`).
"""

import os
import sys
import time
from typing import Any

# Before numpy is imported, which reads it once: many threads make small matrices slow, for the peers as well.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from figures import Figure, conclude, parser, tell_machine
from full_peers import optuna_peer

from pegbox.schemas.decision import Start
from pegbox.schemas.events import DecisionMade, TrialEvaluated
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.methods import strategy_for
from pegbox.search.space.encoding import SpaceEncoding

SPACE = {
    "lr": {"min": 1e-5, "max": 1e-1, "log": True},
    "momentum": {"min": 0.0, "max": 0.99},
    "decay": {"min": 1e-6, "max": 1e-2, "log": True},
    "dropout": {"min": 0.0, "max": 0.6},
    "layers": {"min": 1, "max": 5, "int": True},
    "units": {"min": 32, "max": 1024, "log": True, "int": True},
    "batch": {"min": 16, "max": 512, "log": True, "int": True},
}


MOST_OF_TPE = 2.0
"""An ask of ours may take so many times one of Optuna's TPE: beside a training of seconds neither is felt."""
MOST_OF_RANDOM = 5.0
"""Milliseconds that an ask of random search may take however many trials there are: of a night of 10,000 trainings that
is a minute."""


def spec_of(method: str) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "latency",
            "train": {"kind": "function", "function": "latency:train"},
            "space": SPACE,
            "objective": {"metric": "loss"},
            "search": {"method": method},
            "budget": {"trials": 100_000},
        }
    )


def trial(number: int, configuration: dict[str, Any], loss: float) -> Trial:
    return Trial(
        number=number,
        configuration=configuration,
        seed=0,
        state=TrialState.COMPLETED,
        budget=1,
        to_budget=1,
        evaluations=(Evaluation(budget=1, metrics={"loss": loss}),),
    )


def events_of(done: Trial) -> tuple[DecisionMade, TrialEvaluated]:
    """Its begin and its end."""
    step = Start(configuration=done.configuration, to_budget=1)
    begun = DecisionMade(
        study="latency", number=done.number, saw=0, elapsed_seconds=0.0, decision=step, trial=done.number, seed=0
    )
    (evaluation,) = done.evaluations
    return begun, TrialEvaluated(study="latency", trial=done.number, evaluation=evaluation, state=TrialState.COMPLETED)


def losses(points: np.ndarray) -> np.ndarray:
    return ((points - 0.3) ** 2).sum(axis=1) + 0.05 * np.sin(12 * points).sum(axis=1)


def ours(method: str, n: int, asks: int) -> tuple[float, float]:
    spec = spec_of(method)
    encoding = SpaceEncoding(spec.space)
    # The same points for all methods: what an ask takes depends on where the history lies.
    points = np.random.default_rng(0).random((n + asks, encoding.n_dims))
    values = losses(points)
    trials = [trial(number, encoding.decode(points[number]), float(values[number])) for number in range(n + asks)]
    strategy, times = strategy_for(spec), []
    history = History(spec=spec, trials=tuple(trials[:n]))
    for ask in range(asks):
        begin = time.process_time()
        strategy.next(history, np.random.default_rng(ask))
        times.append(1000 * (time.process_time() - begin))
        # As a driver does, by events: what is known of the trials before is known of the next history as well.
        history = history.after(*events_of(trials[n + ask]))
    # The first apart, because it loads and compiles; a median, because one pause of the machine must not be the figure.
    return times[0], float(np.median(times[1:]))


THEIRS = {"Optuna TPE": "TPESampler", "Optuna GP": "GPSampler"}


def theirs(method: str, n: int, asks: int) -> tuple[float, float]:
    import optuna

    space = spec_of("random").space
    peer: Any = optuna_peer(THEIRS[method])(space, 0)
    encoding = SpaceEncoding(space)
    points = np.random.default_rng(0).random((n, encoding.n_dims))
    for point, value in zip(points, losses(points), strict=True):
        parameters = encoding.decode(point)
        peer._study.add_trial(
            optuna.trial.create_trial(params=parameters, distributions=peer._space, value=float(value))
        )
    times = []
    for _ in range(asks):
        begin = time.process_time()
        _, token = peer.ask()
        times.append(1000 * (time.process_time() - begin))
        peer.tell(token, 1.0)
    return times[0], float(np.median(times[1:]))


def methods_at(n: int) -> list[str]:
    """What is asked at so many trials: up to 5,000 peers as well, up to 200 also what grows with their cube."""
    own = ["bayes", "genetic", "grid", "random", "sobol"]
    return own + (["Optuna TPE"] if n <= 5000 else []) + (["Optuna GP"] if n <= 200 else [])


def main() -> int:
    options = parser(__doc__, "50 and 200 trials").parse_args()
    tell_machine("optuna", "torch")
    # Every third or fourth ask of 50 trials fits the hyperparameters anew: a median of two would be one of those.
    sizes, asks = (50, 200) if options.quick else (50, 200, 1000, 5000, 10_000), 8
    rows = []
    for n in sizes:
        for method in methods_at(n):
            cold, warm = (theirs if method in THEIRS else ours)(method, n, asks)
            rows.append({"trials": n, "method": method, "cold_ms": cold, "ask_ms": warm})
    print(f"{'trials':>7} {'method':14}{'cold ms':>10}{'ask ms':>10}")
    for row in rows:
        print(f"{row['trials']:>7} {row['method']:14}{row['cold_ms']:>10.1f}{row['ask_ms']:>10.1f}")
    asked = {(row["trials"], row["method"]): row["ask_ms"] for row in rows}
    figures = [
        Figure(f"one ask of bayes at {n} trials, ratio to TPE", asked[n, "bayes"] / asked[n, "Optuna TPE"], MOST_OF_TPE)
        for n in sizes
        if (n, "Optuna TPE") in asked
    ]
    figures += [Figure(f"one ask of random at {n} trials, ms", asked[n, "random"], MOST_OF_RANDOM) for n in sizes]
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
