"""What is told of a study while it runs: log lines and events, made from recorded events alone."""

import logging
from pathlib import Path

import pytest

from pegbox.report.event_lines import decided
from pegbox.schemas.decision import Continue, Fork, Start, Step, Stop
from pegbox.schemas.events import DecisionMade, Event, SearchEnded, TrialEvaluated, TrialFailed
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.plan import FidelitySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.tasks import prefect_events, study_news
from pegbox.tasks.prefect_events import Announced
from pegbox.tasks.study_news import StudyNews

ABOUT = Announced("hill", Path("store"))
COMPLETED = Evaluation(budget=9, metrics={"value": 0.5}, seconds=4.2)


@pytest.fixture(autouse=True)
def _no_flow_run(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(study_news, "get_run_logger", lambda: logging.getLogger("told"))


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    events: list[str] = []
    monkeypatch.setattr(prefect_events, "emit_event", lambda event, resource, payload: events.append(event))
    return events


def _tell(history: History, event: Event) -> History:
    after = history.after(event)
    StudyNews(ABOUT).tell(history, after, event)
    return after


def _evaluated(evaluation: Evaluation, state: TrialState) -> TrialEvaluated:
    return TrialEvaluated(study="hill", trial=0, evaluation=evaluation, state=state)


def _decided(decision: Step, trial: int) -> DecisionMade:
    return DecisionMade(study="hill", number=1, saw=1, elapsed_seconds=0.0, decision=decision, trial=trial, seed=7)


def test_first_completed_trial_improves_the_study(
    history: History, emitted: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    _tell(history, _evaluated(COMPLETED, TrialState.COMPLETED))

    assert emitted == ["pegbox.trial.completed", "pegbox.study.improved"]
    assert caplog.messages == ["trial 0: completed with value 0.5000 after 4.2 s; the best so far"]


def test_trial_that_is_no_better_only_completes(
    history: History, emitted: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    rival = history.after(_decided(Start(configuration={"x": 0.75}, to_budget=9), trial=1))
    before = rival.after(TrialEvaluated(study="hill", trial=1, evaluation=COMPLETED, state=TrialState.COMPLETED))

    _tell(before, _evaluated(COMPLETED.model_copy(update={"metrics": {"value": 0.6}}), TrialState.COMPLETED))

    assert emitted == ["pegbox.trial.completed"]
    assert caplog.messages == ["trial 0: completed with value 0.6000 after 4.2 s"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [({"fold": 0}, []), ({"replicate": 1}, ["trial 0 on fresh seed 1: value 0.5000 after 4.2 s"])],
)
def test_fold_and_replicate_are_no_events(
    history: History, emitted: list[str], caplog: pytest.LogCaptureFixture, changes: dict[str, int], line: list[str]
) -> None:
    _tell(history, _evaluated(COMPLETED.model_copy(update=changes), TrialState.COMPLETED))

    assert emitted == []
    assert caplog.messages == line


def test_paused_trial_is_a_line_and_no_event(
    history: History, emitted: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    _tell(history, _evaluated(Evaluation(budget=3, metrics={"value": 0.1}), TrialState.PAUSED))

    assert emitted == []
    assert caplog.messages == ["trial 0: paused at epoch 3 with value 0.1000 after 0 ms"]


@pytest.mark.parametrize(
    ("decision", "line"),
    [
        (Start(configuration={"x": 1e-9, "act": "gelu"}, to_budget=9), "begins with x=1e-9, act=gelu, to epoch 9"),
        (Continue(trial=4, to_budget=9), "goes on to epoch 9"),
        (Stop(trial=4), "is stopped"),
        (
            Fork(parent=2, replaces=3, configuration={"x": 0.5}, from_budget=3, to_budget=6),
            "takes the place of trial 3: goes on from trial 2 at epoch 3 to epoch 6 with x=0.5",
        ),
    ],
)
def test_each_decision_is_a_line(history: History, caplog: pytest.LogCaptureFixture, decision: Step, line: str) -> None:
    StudyNews(ABOUT).tell(history, history, _decided(decision, trial=4))

    assert caplog.messages == [f"trial 4: {line}"]


def test_a_rung_of_rows_is_told_by_rows(history: History) -> None:
    fidelity = FidelitySpec(of="rows", min=100, max=900)
    spec = history.spec.model_copy(update={"fidelity": fidelity})

    line = decided(Continue(trial=4, to_budget=300), history.model_copy(update={"spec": spec}))

    assert line == "goes on to 300 rows"


@pytest.mark.parametrize(("final", "end"), [(True, ""), (False, " It is tried again.")])
def test_failure_is_a_warning(
    history: History,
    caplog: pytest.LogCaptureFixture,
    final: bool,
    end: str,
) -> None:
    failure = Failure(kind=FailureKind.OUT_OF_MEMORY, message="8 GiB is too much\nTraceback")

    _tell(history, TrialFailed(study="hill", trial=0, attempt=1, failure=failure, final=final))

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == f"trial 0: attempt 1 failed (out of memory): 8 GiB is too much{end}"


def test_end_of_the_search_is_a_line(history: History, caplog: pytest.LogCaptureFixture) -> None:
    _tell(history, SearchEnded(study="hill", reason="The budget is spent.", elapsed_seconds=1.0))

    assert caplog.messages == ["search ended: The budget is spent."]
