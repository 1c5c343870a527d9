"""The surrogate model of a history."""

from typing import Any

import numpy as np
import pytest

from pegbox.schemas.base import Configuration
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.methods import strategy_for
from pegbox.search.model.budget_surrogate import ModelSettings, Surrogate, SurrogateBuilder
from pegbox.search.model.loss_scaling import SCALINGS, held
from pegbox.search.model.observations import Observer
from pegbox.search.simulation import Outcome, Simulation
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.studies import finished, study

SQUARE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}


def built(losses: Any, points: Any, **settings: Any) -> Surrogate:
    spec = study(SQUARE)
    encoding = SpaceEncoding(spec.space)
    configurations: list[Configuration] = [{"x": float(x), "y": float(y)} for x, y in points]
    seen = Observer(encoding).observe(finished(spec, configurations, [float(loss) for loss in losses]))
    return SurrogateBuilder(encoding, 9, ModelSettings(**settings)).build(seen)


POINTS = np.random.default_rng(0).random((40, 2))
WAVES = np.sin(6 * POINTS[:, 0]) + np.cos(5 * POINTS[:, 1])
EXPLODED = np.where(POINTS[:, 0] > 0.66, 1e6 * (1 + POINTS[:, 1]), (POINTS[:, 0] - 0.4) ** 2 + POINTS[:, 1])


def same(one: Surrogate, other: Surrogate) -> bool:
    return bool(np.array_equal(one.losses, other.losses))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_losses_that_explode_leave_the_good_ones_apart(scaling: Any) -> None:
    good = POINTS[:, 0] <= 0.66
    for model in (built(EXPLODED, POINTS), built(EXPLODED, POINTS, scalings=(scaling,))):
        assert np.ptp(model.losses[good]) > 0.5 * np.ptp(model.losses)


def test_losses_without_outliers_keep_their_distances() -> None:
    assert same(built(WAVES, POINTS), built(WAVES, POINTS, scalings=(held,)))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_unit_of_the_model_is_told_in_that_of_the_metric(scaling: Any) -> None:
    model = built(WAVES * 100, POINTS, scalings=(scaling,))
    good = np.argsort(WAVES)[:20]
    assert np.ptp(model.losses[good]) * model.unit == pytest.approx(100 * np.ptp(WAVES[good]))


def test_an_explosion_is_no_worse_than_a_failure() -> None:
    def lowest(outcome_there: Any) -> float:
        def answer(configuration: Any, *_: int) -> Outcome:
            x, y = configuration["x"], configuration["y"]
            return outcome_there(y) if x > 0.66 else Outcome({"loss": (x - 0.4) ** 2 + (y - 0.7) ** 2})

        spec = study(SQUARE, search={"method": "bayes"}, budget={"trials": 25})
        history = Simulation(strategy_for(spec), History(spec=spec), answer).run()
        return min(trial.value("loss") or 0.0 for trial in history.completed)

    failed = lowest(lambda y: Outcome(Failure(kind=FailureKind.DIVERGED, message="NaN")))
    exploded = lowest(lambda y: Outcome({"loss": 1e6 * (1 + y)}))
    assert exploded < max(failed, 1e-3)


@pytest.mark.parametrize(("turn", "uses_rungs"), [(1.0, True), (-3.0, False)])
def test_low_rungs_are_left_out_where_they_mislead(turn: float, uses_rungs: bool) -> None:
    spec = study(SQUARE, fidelity={"schedule": "asha", "min": 1, "max": 9})
    losses = {1: turn * WAVES, 9: WAVES + 0.1}

    def trial(number: int) -> Trial:
        # Every other one was trained whole at once.
        budget = 1 if number % 2 else 9
        evaluations = (Evaluation(budget=budget, metrics={"loss": losses[budget][number]}),)
        at = {"x": float(POINTS[number, 0]), "y": float(POINTS[number, 1])}
        state = TrialState.PAUSED if number % 2 else TrialState.COMPLETED
        return Trial(number=number, configuration=at, seed=0, state=state, budget=budget, evaluations=evaluations)

    encoding = SpaceEncoding(spec.space)
    seen = Observer(encoding).observe(History(spec=spec, trials=tuple(trial(number) for number in range(len(POINTS)))))
    builder = SurrogateBuilder(encoding, 9)
    assert (len(builder.build(seen, believe_unfinished=True).seen) > 20) is uses_rungs
    # Whoever weighs one rung against another needs them all.
    assert len(builder.build(seen).seen) == len(POINTS)
