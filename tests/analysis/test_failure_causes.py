import numpy as np

from pegbox.analysis.failure_causes import main_failure_cause
from pegbox.schemas.failure import Failure, FailureKind


def failing(make_history, is_failed, kind, space=None, configurations=None, **changes):
    history = make_history(
        [None if failed else 0.5 for failed in is_failed], space=space, configurations=configurations, **changes
    )
    trials = tuple(
        trial.model_copy(update={"failure": Failure(kind=kind, message="Seen.")}) if failed else trial
        for trial, failed in zip(history.trials, is_failed, strict=True)
    )
    return history.model_copy(update={"trials": trials})


def learning_rates(count=80):
    return [float(lr) for lr in 10 ** np.linspace(-5, -1, count)]


def test_divergence_is_located_where_it_happens(make_history):
    rates = learning_rates()
    history = failing(
        make_history,
        [lr > 1e-2 for lr in rates],
        FailureKind.DIVERGED,
        space={"lr": {"min": 1e-5, "max": 1e-1, "log": True}},
        configurations=[{"lr": lr} for lr in rates],
    )
    advice = main_failure_cause(history)
    assert "Keep away from lr above 0.01" in advice.what
    assert "20 of the 20 trials with lr above 0.01 failed" in advice.evidence
    assert advice.command == (
        """pegbox resume written-down --set 'space.forbid=[{"lr": {"min": 0.01}}]' --set budget.trials=150"""
    )


def test_failures_at_random_are_not_blamed_on_a_place(make_history):
    points = np.random.default_rng(0).random((30, 2))
    history = failing(
        make_history,
        [number % 3 == 0 for number in range(30)],
        FailureKind.DIVERGED,
        space={"a": {"min": 0.0, "max": 1.0}, "b": {"min": 0.0, "max": 1.0}},
        configurations=[{"a": float(a), "b": float(b)} for a, b in points],
    )
    assert "Keep away" not in main_failure_cause(history).what


def test_failing_category_is_named(make_history):
    kinds = ["adam", "lbfgs", "sgd"] * 10
    history = failing(
        make_history,
        [kind == "lbfgs" for kind in kinds],
        FailureKind.OUT_OF_MEMORY,
        space={"optimizer": ["adam", "lbfgs", "sgd"]},
        configurations=[{"optimizer": kind} for kind in kinds],
    )
    assert "optimizer = lbfgs" in main_failure_cause(history).what


def test_failures_everywhere_get_a_remedy_for_their_kind(make_history):
    is_failed = [number % 4 == 0 for number in range(40)]
    history = failing(make_history, is_failed, FailureKind.TIMEOUT, run={"timeout": "1m"})
    advice = main_failure_cause(history)
    assert advice.command == "pegbox retry written-down --set run.timeout=120"
    assert advice.evidence == "10 of 40 finished trials ended as timeout (25%)."


def test_rare_failures_need_no_advice(make_history):
    assert main_failure_cause(failing(make_history, [n < 3 for n in range(100)], FailureKind.ERROR)) is None


def test_study_that_only_fails_gets_the_cause(make_history):
    advice = main_failure_cause(failing(make_history, [True] * 6, FailureKind.ERROR))
    assert "6 of 6" in advice.evidence
    assert "pegbox sql" in advice.command


def test_study_without_failures_needs_no_advice(make_history):
    assert main_failure_cause(make_history([0.1, 0.2])) is None
