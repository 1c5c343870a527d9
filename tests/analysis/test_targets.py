"""A schedule leaves few trials for the full budget: statistics rest on the rung where enough were compared."""

import numpy as np
import pytest

from pegbox.analysis.effects import effects
from pegbox.analysis.importance import importance
from pegbox.analysis.targets import target_of
from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, TrialState

RUNGS = {1: 0.4, 3: 0.2, 9: 0.0}
"""Epochs to how much worse a trial is there than in the end."""


@pytest.fixture
def climbed(make_history):
    """60 trials whose loss depends on x alone; the best third climbs to 3 epochs, the best of those to 9."""

    def climb(n_second=20, n_full=7):
        rng = np.random.default_rng(0)
        places = rng.random((60, 2))
        losses = (places[:, 0] - 0.3) ** 2
        history = make_history(
            losses.tolist(),
            configurations=[{"x": float(x), "y": float(y)} for x, y in places],
            space={name: {"min": 0.0, "max": 1.0} for name in "xy"},
            fidelity={"schedule": "asha", "min": 1, "factor": 3},
        )
        place = {int(number): order for order, number in enumerate(np.argsort(losses))}
        trials = []
        for trial in history.trials:
            budget = 9 if place[trial.number] < n_full else 3 if place[trial.number] < n_second else 1
            evaluations = tuple(
                Evaluation(budget=rung, metrics={"loss": float(losses[trial.number]) + above}, seconds=float(rung))
                for rung, above in RUNGS.items()
                if rung <= budget
            )
            state = TrialState.COMPLETED if budget == 9 else TrialState.PAUSED
            trials.append(trial.model_copy(update={"budget": budget, "evaluations": evaluations, "state": state}))
        return History(spec=history.spec, trials=tuple(trials))

    return climb


def test_importance_rests_on_the_rung_where_enough_were_compared(climbed):
    found = importance(climbed(n_second=15))

    assert (found.budget, found.n_trials) == (1, 60)
    assert [row.name for row in found.parameters if row.verdict == "matters"] == ["x"]
    assert found.sentence.startswith("For loss after 1 epoch, from 60 trials: x matters")


def test_the_highest_rung_with_enough_trials_is_taken(climbed):
    assert target_of(climbed(n_second=25)).budget == 3
    assert target_of(climbed(n_second=50, n_full=30)).budget is None


def test_values_are_those_of_the_rung_not_of_what_came_after(climbed):
    history = climbed(n_second=15)
    target = target_of(history)

    best = history.best
    assert best is not None
    row = [trial.number for trial in target.trials].index(best.number)
    assert target.losses[row] == pytest.approx(best.value("loss") + RUNGS[1])
    assert set(target_of(history, "seconds").losses) == {1.0}


def test_effects_are_told_near_the_chosen_trial_from_the_rung(climbed):
    history = climbed(n_second=15)
    found = effects(history)

    assert found.budget == 1
    assert {one.near_best.trial for one in found.parameters if one.near_best} == {history.best.number}
    assert "loss after 1 epoch" in found.sentence


def test_a_study_of_one_rung_is_told_from_all_it_has(make_history):
    assert target_of(make_history([0.1, 0.2])).budget is None
