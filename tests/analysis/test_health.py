import numpy as np
import pytest

from pegbox.analysis.health import advise
from pegbox.schemas.failure import Failure, FailureKind

SPACE = {"lr": {"min": 1e-5, "max": 1e-1, "log": True}, "decay": {"min": 1e-6, "max": 1e-2, "log": True}}


def sick(make_history):
    """Trials fail at a high lr, and the best crowd at the lowest decay."""
    rng = np.random.default_rng(0)
    configurations = [
        {"lr": float(10 ** rng.uniform(-5, -1)), "decay": float(10 ** rng.uniform(-6, -2))} for _ in range(200)
    ]
    losses = [None if one["lr"] > 10**-1.5 else float(np.log10(one["decay"])) for one in configurations]
    history = make_history(losses, space=SPACE, configurations=configurations)
    failure = Failure(kind=FailureKind.DIVERGED, message="The loss became NaN.")
    trials = tuple(
        trial.model_copy(update={"failure": failure}) if loss is None else trial
        for trial, loss in zip(history.trials, losses, strict=True)
    )
    return history.model_copy(update={"trials": trials})


def test_failures_come_before_the_edge(make_history):
    assert [one.kind for one in advise(sick(make_history))] == ["failures", "edge"]


def test_study_that_should_look_further_is_not_told_to_stop(make_history):
    assert "stagnation" not in [one.kind for one in advise(sick(make_history))]


def test_search_at_rest_is_told_to_stop(make_history):
    places = [float(x) for x in np.random.default_rng(0).random(60)]
    history = make_history(
        [abs(x - 0.5) for x in sorted(places, key=lambda x: abs(x - 0.5))],
        configurations=[{"x": x} for x in sorted(places, key=lambda x: abs(x - 0.5))],
    )
    assert [one.kind for one in advise(history)] == ["stagnation"]


@pytest.mark.parametrize("values", [[], [0.1], [0.1, 0.2], [None], [None, None], [0.3] * 12])
def test_small_or_odd_studies_are_judged_without_error(make_history, values):
    assert len(advise(make_history(values))) <= 3
