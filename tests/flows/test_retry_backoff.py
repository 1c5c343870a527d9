"""How long segments wait before their next attempt, and how many they get."""

import time

import pytest

from pegbox.execution.segment_plan import SegmentPlan
from pegbox.flows import retry_backoff
from pegbox.flows.retry_backoff import RetryBackoff
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.trial import Segment


@pytest.fixture
def segment(history: History) -> Segment:
    return SegmentPlan(history, None).of_trial(history.trials[0])[0]


LOST = Failure(kind=FailureKind.LOST, message="the worker died.")


@pytest.mark.parametrize(("retries", "seconds"), [(1, 1.0), (2, 2.0), (4, 8.0), (39, 60.0)])
def test_backoff_doubles_with_each_retry(segment: Segment, retries: int, seconds: float) -> None:
    waiting = RetryBackoff(most=99)

    for _ in range(retries):
        waiting.clear()
        waiting.retry(segment)

    assert waiting.seconds_left() == pytest.approx(seconds, abs=0.1)
    assert waiting.due() == []


def test_segment_that_waited_is_given_once_with_its_next_attempt(
    segment: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_backoff, "FIRST_SECONDS", 0.01)
    waiting = RetryBackoff(most=1)
    waiting.retry(segment)
    time.sleep(0.02)

    assert [one.attempt for one in waiting.due()] == [segment.attempt + 1]
    assert waiting.due() == []
    assert waiting.seconds_left() is None


def test_retries_are_counted_over_attempts_and_for_each_fold_alone(segment: Segment) -> None:
    waiting = RetryBackoff(most=1)
    waiting.retry(segment)

    assert not waiting.allows(segment.model_copy(update={"attempt": 7}), LOST)
    assert waiting.allows(segment.model_copy(update={"fold": 1}), LOST)
    assert waiting.allows(segment.model_copy(update={"replicate": 0}), LOST)


def test_a_failure_of_its_own_making_is_not_retried(segment: Segment) -> None:
    assert not RetryBackoff(most=9).allows(segment, Failure(kind=FailureKind.INVALID, message="no such column."))


def test_segments_of_a_trial_that_is_over_are_forgotten(segment: Segment) -> None:
    waiting = RetryBackoff(most=1)
    waiting.retry(segment)

    waiting.drop(segment.trial_seed)

    assert len(waiting) == 0
