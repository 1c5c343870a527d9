"""Where trials stand at each rung: a rung knows nothing of what came after it."""

import numpy as np

from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.schedules.rungs import Ladder
from pegbox.testing.studies import study

SPEC = study({"a": {"min": 1, "max": 99, "int": True}}, fidelity={"schedule": "asha", "min": 1, "max": 9})


def standings(losses: dict[int, float], state: TrialState) -> tuple[list[float], list[bool]]:
    """Losses and arrivals by rung of a trial with these values by budget."""
    metric, budget = SPEC.goals[0].metric, max(losses)
    evaluations = tuple(Evaluation(budget=at, metrics={metric: loss}) for at, loss in losses.items())
    trial = Trial(number=0, seed=0, configuration={"a": 1}, state=state, budget=budget, evaluations=evaluations)
    found = Ladder(SPEC).standings(History(spec=SPEC, trials=(trial,)))
    return found.losses[0, :, 0].tolist(), found.arrived[0].tolist()


def test_a_rung_holds_the_value_that_was_measured_there():
    losses, arrived = standings({1: 0.9, 3: 0.5, 9: 0.1}, TrialState.COMPLETED)
    assert losses == [0.9, 0.5, 0.1]
    assert arrived == [True, True, True]


def test_a_rung_that_was_not_reached_holds_no_value():
    losses, arrived = standings({1: 0.9, 3: 0.5}, TrialState.PAUSED)
    assert losses[:2] == [0.9, 0.5]
    assert np.isnan(losses[2])
    assert arrived == [True, True, False]


def test_a_trial_that_patience_ended_holds_its_last_value_from_there_on():
    losses, arrived = standings({1: 0.9, 2: 0.4}, TrialState.COMPLETED)
    assert losses == [0.9, 0.4, 0.4]
    assert arrived == [True, True, True]
