import numpy as np
import pytest

from pegbox.analysis.finalists import choose_finalists
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.trial import Evaluation, TrialState


def numbers(history):
    return [trial.number for trial in choose_finalists(history)]


def test_lowest_values_come_first_when_minimising(make_history):
    history = make_history([0.3, 0.1, 0.2, 0.4], finalists={"top": 2})
    assert numbers(history) == [1, 2]


def test_highest_values_come_first_when_maximising(make_history):
    history = make_history([0.3, 0.1, 0.2, 0.4], goal="maximize", finalists={"top": 2})
    assert numbers(history) == [3, 0]


def test_equal_values_are_taken_by_trial_number(make_history):
    assert numbers(make_history([0.5, 0.5, 0.5], finalists={"top": 2})) == [0, 1]


def test_failed_trials_are_never_finalists(make_history):
    assert numbers(make_history([None, 0.2, None], finalists={"top": 3})) == [1]


def test_one_configuration_tried_twice_takes_one_place(make_history):
    history = make_history([0.1, 0.2, 0.3], configurations=[{"x": 0.5}, {"x": 0.5}, {"x": 0.1}], finalists={"top": 2})
    assert numbers(history) == [0, 2]


def test_first_enqueued_configuration_always_takes_part(make_history):
    history = make_history([0.9, 0.2, 0.1], finalists={"top": 1}, search={"enqueue": [{"x": 0.0}]})
    assert numbers(history) == [2, 0]


def test_study_without_any_value_has_no_finalists(make_history):
    with pytest.raises(NoTrialSucceededError, match="2 failed"):
        choose_finalists(make_history([None, None]))


def test_trials_trained_furthest_stand_in_where_none_completed(make_history):
    history = make_history([0.3, 0.2, 0.1])
    budgets = [3, 3, 1]
    paused = tuple(
        trial.model_copy(
            update={
                "state": TrialState.PAUSED,
                "budget": budget,
                "evaluations": (Evaluation(budget=budget, metrics={"loss": trial.value("loss")}),),
            }
        )
        for trial, budget in zip(history.trials, budgets, strict=True)
    )
    assert numbers(history.model_copy(update={"trials": paused})) == [1, 0]


def test_finalists_of_two_objectives_spread_over_the_front(make_history):
    objectives = [{"metric": "loss"}, {"metric": "size"}]
    history = make_history([1.0, 2.0, 3.0, 4.0, 2.5], objective=None, objectives=objectives, finalists={"top": 3})
    sizes = [9.0, 4.0, 3.9, 1.0, 8.0]  # trial 1 beats trial 4, and trial 2 adds next to nothing to it
    trials = tuple(
        trial.model_copy(
            update={"evaluations": (Evaluation(budget=9, metrics={"loss": trial.value("loss"), "size": size}),)}
        )
        for trial, size in zip(history.trials, sizes, strict=True)
    )
    assert set(numbers(history.model_copy(update={"trials": trials}))) == {0, 1, 3}


def test_trial_without_all_objectives_is_no_finalist(make_history):
    objectives = [{"metric": "loss"}, {"metric": "size"}]
    with pytest.raises(NoTrialSucceededError, match="'loss', 'size'"):
        choose_finalists(make_history([1.0, 2.0], objective=None, objectives=objectives))


def test_lucky_outlier_does_not_lead_the_finalists(make_history):
    rng = np.random.default_rng(0)
    places = np.linspace(0, 1, 40)
    values = (places - 0.3) ** 2 + 0.02 * rng.standard_normal(40)
    values[36] = values.min() - 0.05  # luck, far from the valley at 0.3
    history = make_history(values.tolist(), configurations=[{"x": float(x)} for x in places], finalists={"top": 3})
    first, second, last = numbers(history)
    assert abs(places[first] - 0.3) < 0.2
    assert abs(places[second] - 0.3) < 0.2
    assert last == 36


def test_replicates_do_not_change_who_takes_part(make_history):
    values = [0.1 * number for number in range(10)]
    assert numbers(make_history(values)) == numbers(make_history(values, {3: [0.0, 0.0]}))
