import numpy as np
import pytest

from pegbox.analysis.finalists import choose_finalists, disagreement
from pegbox.analysis.selection import select_winner
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.schemas.whole_time import finalists_round


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


def test_lucky_outlier_does_not_lead_the_finalists(lucky):
    first, second, last = numbers(lucky(3))
    assert abs(lucky(3).trials[first].configuration["x"] - 0.3) < 0.2
    assert abs(lucky(3).trials[second].configuration["x"] - 0.3) < 0.2
    assert last == 36


def test_replicates_do_not_change_who_takes_part(make_history):
    values = [0.1 * number for number in range(10)]
    assert numbers(make_history(values)) == numbers(make_history(values, {3: [0.0, 0.0]}))


@pytest.fixture
def lucky(make_history):
    """A noisy valley at 0.3, and one value far from it that is better than all others; by the number of places."""
    rng = np.random.default_rng(0)
    places = np.linspace(0, 1, 40)
    values = (places - 0.3) ** 2 + 0.02 * rng.standard_normal(40)
    values[36] = values.min() - 0.05
    configurations = [{"x": float(x)} for x in places]
    return lambda top, fresh=None: make_history(
        values.tolist(), fresh, configurations=configurations, finalists={"top": top, "seeds": 3}
    )


def test_the_only_place_is_that_of_the_best_observed_trial(lucky):
    assert numbers(lucky(1)) == [36]


def test_reason_tells_where_belief_and_observation_differ(lucky):
    first, _ = numbers(lucky(2))
    alone = select_winner(lucky(1, {36: [0.3, 0.31, 0.32]})).reason
    both = select_winner(lucky(2, {36: [0.3, 0.31, 0.32], first: [0.01, 0.02, 0.03]})).reason
    told = f"Trial 36 had the best value of the search (loss {lucky(1).trials[36].value('loss'):.4g}), but the trials"
    assert told in alone
    assert f"made trial {first} the one to expect more of; there was one place" in alone
    assert both.endswith("both took part.")


@pytest.mark.parametrize("seed", range(4))
def test_values_without_noise_are_taken_as_they_are(make_history, seed):
    rng = np.random.default_rng(seed)
    places = rng.random((30, 2))
    values = [abs(x - 0.7) + 0.3 * abs(y - 0.2) for x, y in places]
    space = {name: {"min": 0.0, "max": 1.0} for name in "xy"}
    configurations = [{"x": float(x), "y": float(y)} for x, y in places]
    history = make_history(values, configurations=configurations, space=space, finalists={"top": 5, "seeds": 1})
    assert numbers(history) == np.argsort(values)[:5].tolist()
    assert disagreement(history) is None


@pytest.mark.parametrize("n_trials", [1, 3, 4, 12, 30, 50, 500])
def test_round_that_is_left_out_takes_half_of_the_search(make_history, n_trials):
    top, seeds = finalists_round(make_history([0.1] * n_trials, finalists={}))
    assert top * seeds <= max(1, n_trials / 2)
    assert max(top, seeds) <= 5


def test_round_of_a_short_search_counts_its_epochs_not_its_trials(make_history):
    history = make_history([0.1] * 40, finalists={})
    rungs = tuple(trial.model_copy(update={"budget": 1, "state": TrialState.STOPPED}) for trial in history.trials[4:])
    short = history.model_copy(update={"trials": (*history.trials[:4], *rungs)})
    assert finalists_round(history) == (5, 4)
    assert finalists_round(History(spec=short.spec, trials=short.trials)) == (2, 2)


def test_named_part_of_a_round_is_kept_and_bounds_the_other(make_history):
    assert finalists_round(make_history([0.1] * 12, finalists={"top": 3})) == (3, 2)
    assert finalists_round(make_history([0.1] * 12, finalists={"seeds": 3})) == (2, 3)
    assert finalists_round(make_history([0.1] * 12, finalists={"seeds": 10})) == (1, 10)


def test_best_known_family_is_the_one_to_beat(make_history):
    families = {"a": {"kind": "sklearn", "estimator": "a:A"}, "b": {"kind": "sklearn", "estimator": "b:B"}}
    known = [{"family": "a"}, {"family": "b"}]
    history = make_history(
        [0.5, 0.4, 0.1],
        configurations=[*known, {"family": "a", "a.x": 0.5}],
        space={"family": ["a", "b"], "a.x": {"min": 0.0, "max": 1.0, "when": {"family": "a"}}},
        train={"kind": "families", "task": "regression", "families": families},
        data={"source": "sklearn:diabetes"},
        search={"enqueue": [{"family": "a", "a.x": 0.0}, {"family": "b"}]},
        finalists={"top": 1},
    )
    assert numbers(history) == [2, 1]
