import pytest

from pegbox.flows import prefect_events
from pegbox.schemas.events import TrialEvaluated
from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, TrialState

COMPLETED = Evaluation(budget=9, metrics={"value": 0.5})


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    events: list[str] = []
    monkeypatch.setattr(prefect_events, "emit_event", lambda event, resource, payload: events.append(event))
    return events


def _evaluated(history: History, evaluation: Evaluation, state: TrialState) -> History:
    return history.after(TrialEvaluated(study="hill", trial=0, evaluation=evaluation, state=state))


def test_first_completed_trial_improves_the_study(history: History, emitted: list[str]) -> None:
    prefect_events.announce(history, _evaluated(history, COMPLETED, TrialState.COMPLETED), 0, COMPLETED)

    assert emitted == ["pegbox.trial.completed", "pegbox.study.improved"]


def test_trial_that_is_no_better_only_completes(history: History, emitted: list[str]) -> None:
    before = _evaluated(history, Evaluation(budget=9, metrics={"value": 0.5}), TrialState.COMPLETED)

    prefect_events.announce(before, _evaluated(before, COMPLETED, TrialState.COMPLETED), 0, COMPLETED)

    assert emitted == ["pegbox.trial.completed"]


@pytest.mark.parametrize("changes", [{"fold": 0}, {"replicate": 1}])
def test_fold_and_replicate_are_no_news(history: History, emitted: list[str], changes: dict[str, int]) -> None:
    evaluation = COMPLETED.model_copy(update=changes)

    prefect_events.announce(history, _evaluated(history, COMPLETED, TrialState.COMPLETED), 0, evaluation)

    assert emitted == []


def test_paused_trial_is_no_news(history: History, emitted: list[str]) -> None:
    rung = Evaluation(budget=3, metrics={"value": 0.1})

    prefect_events.announce(history, _evaluated(history, rung, TrialState.PAUSED), 0, rung)

    assert emitted == []
