import pytest

from pegbox.execution.trial_evaluation import evaluation_of_fold, evaluation_of_trial, missing_value, state_after
from pegbox.schemas.events import TrialEvaluated
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.plan import Constraint
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment, TrialState


def _segment(spec: StudySpec) -> Segment:
    return Segment(study="hill", trial=0, configuration={"x": 0.25}, seed=7, to_budget=9, train=spec.train, code="c")


def test_last_report_fills_what_evaluation_does_not_measure(spec: StudySpec) -> None:
    reports = (MetricReport(step=9, metrics={"train_loss": 0.1, "value": 0.5}),)
    trained = TrainedSegment(budget=9, seconds=2.0, reports=reports)

    evaluation = evaluation_of_fold(_segment(spec), trained, Evaluation(budget=9, metrics={"value": 0.4}))

    assert evaluation.metrics == {"train_loss": 0.1, "value": 0.4}
    assert evaluation.seconds == 2.0


def test_trial_value_is_the_mean_of_shared_metrics(history: History) -> None:
    folds = [
        Evaluation(budget=9, metrics={"value": 1.0, "odd": 5.0}, seconds=1.0, fold=0),
        Evaluation(budget=9, metrics={"value": 3.0}, seconds=2.0, fold=1),
    ]

    mean = evaluation_of_trial(history.trials[0], folds)

    assert mean == Evaluation(budget=9, metrics={"value": 2.0}, seconds=3.0)


def test_seconds_count_from_the_beginning_of_the_trial(history: History) -> None:
    rung = Evaluation(budget=3, metrics={"value": 1.0}, seconds=4.0)
    at_rung = history.after(TrialEvaluated(study="hill", trial=0, evaluation=rung, state=TrialState.PAUSED))

    mean = evaluation_of_trial(at_rung.trials[0], [Evaluation(budget=9, metrics={"value": 1.0}, seconds=2.0)])

    assert mean.seconds == 6.0


def test_missing_metric_names_what_was_reported(spec: StudySpec) -> None:
    failure = missing_value(spec, Evaluation(budget=9, metrics={"accuracy": 0.5}))

    assert failure is not None
    assert failure.kind is FailureKind.INVALID
    assert "'value'" in failure.message
    assert "accuracy" in failure.message


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("name", ["value", "megabytes"])
def test_what_is_judged_and_not_finite_has_diverged(spec: StudySpec, name: str, text: str) -> None:
    limited = spec.model_copy(update={"constraints": (Constraint(metric="megabytes", max=9.0),)})
    trained = TrainedSegment(budget=9, seconds=1.0, reports=(MetricReport(step=9, metrics={}, unusable={name: text}),))
    values = {other: 1.0 for other in ("value", "megabytes") if other != name}

    evaluation = evaluation_of_fold(_segment(limited), trained, Evaluation(budget=9, metrics=values))
    failure = missing_value(limited, evaluation)

    assert failure is not None
    assert failure.kind is FailureKind.DIVERGED
    assert f"{name} was {text}" in failure.message


def test_what_is_not_judged_may_be_nan(spec: StudySpec) -> None:
    assert missing_value(spec, Evaluation(budget=9, metrics={"value": 0.5}, unusable={"auc": "nan"})) is None


def test_a_text_for_the_objective_is_no_part_of_a_number(spec: StudySpec) -> None:
    failure = missing_value(spec, Evaluation(budget=9, metrics={"lr": 0.5}, unusable={"value": "1,205.13"}))

    assert failure is not None
    assert failure.kind is FailureKind.INVALID
    assert "'1,205.13', which is no number" in failure.message


def test_one_fold_that_diverged_is_the_trials_end(history: History, spec: StudySpec) -> None:
    folds = [
        Evaluation(budget=9, metrics={"value": 1.0}, fold=0),
        Evaluation(budget=9, metrics={}, unusable={"value": "nan"}, fold=1),
    ]

    failure = missing_value(spec, evaluation_of_trial(history.trials[0], folds))

    assert failure is not None
    assert failure.kind is FailureKind.DIVERGED


def test_reported_objective_is_no_failure(spec: StudySpec) -> None:
    assert missing_value(spec, Evaluation(budget=9, metrics={"value": 0.5})) is None


def test_trial_is_completed_at_the_full_budget_only(spec: StudySpec) -> None:
    assert state_after(spec, TrainedSegment(budget=9, seconds=1.0)) is TrialState.COMPLETED
    assert state_after(spec, TrainedSegment(budget=3, seconds=1.0)) is TrialState.PAUSED


def test_trial_that_patience_ended_is_completed(spec: StudySpec) -> None:
    assert state_after(spec, TrainedSegment(budget=4, seconds=1.0, stopped_early=True)) is TrialState.COMPLETED


def test_cost_must_be_reported_where_it_is_limited(spec: StudySpec) -> None:
    limited = spec.model_copy(update={"budget": spec.budget.model_copy(update={"cost": 10.0})})
    evaluation = Evaluation(budget=9, metrics={"value": 0.5})

    failure = missing_value(limited, evaluation)

    assert failure is not None
    assert "'cost'" in failure.message
    assert missing_value(spec, evaluation) is None
