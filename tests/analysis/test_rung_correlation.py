import pytest

from pegbox.analysis.rung_correlation import rung_correlations
from pegbox.schemas.trial import Evaluation


def with_rungs(history, low_values):
    """Every trial also has a value at budget 3."""
    trials = tuple(
        trial.model_copy(update={"evaluations": (Evaluation(budget=3, metrics={"loss": low}), *trial.evaluations)})
        for trial, low in zip(history.trials, low_values, strict=True)
    )
    return history.model_copy(update={"trials": trials})


def test_same_order_at_both_rungs_correlates_fully(make_history):
    history = with_rungs(make_history([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), [10, 20, 30, 40, 50, 60])
    (found,) = rung_correlations(history)
    assert (found.low, found.high, found.n_trials) == (3, 9, 6)
    assert found.spearman == pytest.approx(1)


def test_reversed_order_correlates_negatively(make_history):
    (found,) = rung_correlations(with_rungs(make_history([1.0, 2.0, 3.0, 4.0, 5.0]), [5, 4, 3, 2, 1]))
    assert found.spearman == pytest.approx(-1)


def test_few_shared_trials_say_nothing(make_history):
    assert rung_correlations(with_rungs(make_history([1.0, 2.0, 3.0]), [1, 2, 3])) == ()


def test_equal_values_say_nothing(make_history):
    assert rung_correlations(with_rungs(make_history([1.0] * 6), [1, 2, 3, 4, 5, 6])) == ()


def test_one_rung_has_no_correlation(make_history):
    assert rung_correlations(make_history([1.0, 2.0, 3.0, 4.0, 5.0])) == ()
