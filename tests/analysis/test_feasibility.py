import pytest

from pegbox.analysis.cost import cost_front
from pegbox.analysis.finalists import choose_finalists
from pegbox.analysis.health import advise
from pegbox.analysis.selection import select_winner
from pegbox.schemas.errors import NoTrialSucceededError

LIMIT = [{"metric": "parameters", "max": 1000}]


def limited(make_history, losses, sizes, replicates=None, fresh_sizes=None, **changes):
    """Completed trials with a size each, of which the study allows 1000; None where it was not measured."""
    history = make_history(losses, replicates, **{"constraints": LIMIT, **changes})
    trials = list(history.trials)
    for number, size in enumerate(sizes):
        trial = trials[number]
        seen = () if size is None else (("parameters", size),)
        fresh = seen if fresh_sizes is None else (("parameters", fresh_sizes[number]),)
        trials[number] = trial.model_copy(
            update={
                "evaluations": tuple(with_metrics(one, seen) for one in trial.evaluations),
                "replicates": tuple(with_metrics(one, fresh) for one in trial.replicates),
            }
        )
    return history.model_copy(update={"trials": tuple(trials)})


def with_metrics(evaluation, metrics):
    return evaluation.model_copy(update={"metrics": {**evaluation.metrics, **dict(metrics)}})


def test_trial_outside_a_constraint_is_no_finalist(make_history):
    history = limited(make_history, [0.1, 0.2, 0.3], [5000, 900, 1000])
    assert [trial.number for trial in choose_finalists(history)] == [1, 2]


def test_trial_without_the_metric_is_not_known_to_keep_it(make_history):
    history = limited(make_history, [0.1, 0.2], [None, 900])
    assert [trial.number for trial in choose_finalists(history)] == [1]


def test_nearest_trial_is_named_where_none_keeps_the_constraints(make_history):
    history = limited(make_history, [0.1, 0.2, 0.3], [5000, 1200, 3000])
    with pytest.raises(NoTrialSucceededError, match=r"trial 1 is nearest, with parameters = 1200 \(at most 1000\)"):
        choose_finalists(history)


def test_metric_that_nobody_reports_is_named(make_history):
    with pytest.raises(NoTrialSucceededError, match="none reports 'parameters'"):
        choose_finalists(limited(make_history, [0.1, 0.2], [None, None]))


def test_finalist_outside_in_the_mean_of_its_seeds_cannot_win(make_history):
    replicates = {0: [0.10, 0.11, 0.12], 1: [0.90, 0.91, 0.92]}
    selection = select_winner(limited(make_history, [0.1, 0.2], [900, 900], replicates, fresh_sizes=[1100, 800]))
    assert (selection.winner, selection.ties) == (1, ())
    assert "trial 0 with parameters = 1100 (at most 1000)" in selection.reason
    assert [(one.trial, one.is_feasible, one.probability_best) for one in selection.finalists] == [
        (0, False, 0.0),
        (1, True, None),
    ]


def test_no_finalist_within_the_constraints_is_an_error(make_history):
    replicates = {0: [0.10, 0.11, 0.12]}
    history = limited(make_history, [0.1], [900], replicates, fresh_sizes=[1100])
    with pytest.raises(NoTrialSucceededError, match="parameters = 1100"):
        select_winner(history)


def test_front_is_that_of_the_trials_within_the_constraints(make_history):
    objectives = [{"metric": "loss"}, {"metric": "parameters"}]
    replicates = {0: [0.1, 0.1], 1: [0.5, 0.5], 2: [0.6, 0.6]}
    history = limited(
        make_history, [0.1, 0.5, 0.6], [5000, 900, 950], replicates, objective=None, objectives=objectives
    )
    selection = select_winner(history)
    assert [point.trial for point in selection.front] == [1]


def test_faster_trials_outside_are_left_out_of_the_cost_front(make_history):
    history = limited(make_history, [0.3, 0.2], [5000, 900], seconds=[1.0, 2.0])
    assert [point.trial for point in cost_front(history)] == [1]


def test_advice_says_that_nothing_keeps_the_constraints(make_history):
    (advice,) = advise(limited(make_history, [0.1, 0.2], [5000, 1200]))
    assert advice.kind == "constraints"
    assert advice.command == "pegbox resume written-down --set budget.trials=150"
