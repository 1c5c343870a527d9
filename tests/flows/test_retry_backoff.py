"""How long segments rest before their next attempt."""

import time

import pytest

from pegbox.execution.segment_plan import SegmentPlan
from pegbox.flows import retry_backoff
from pegbox.flows.retry_backoff import RetryBackoff
from pegbox.schemas.history import History
from pegbox.schemas.trial import Segment


@pytest.fixture
def segment(history: History) -> Segment:
    return SegmentPlan(history, None).of_trial(history.trials[0])[0]


@pytest.mark.parametrize(("retry", "seconds"), [(1, 1.0), (2, 2.0), (4, 8.0), (39, 60.0)])
def test_rest_doubles_with_each_retry(segment: Segment, retry: int, seconds: float) -> None:
    waiting = RetryBackoff()

    waiting.add(segment, retry)

    assert waiting.seconds_left() == pytest.approx(seconds, abs=0.1)
    assert waiting.rested() == []


def test_rested_segment_is_given_once(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_backoff, "FIRST_SECONDS", 0.01)
    waiting = RetryBackoff()
    waiting.add(segment.model_copy(update={"attempt": 2}))
    time.sleep(0.02)

    assert [one.attempt for one in waiting.rested()] == [2]
    assert waiting.rested() == []
    assert waiting.seconds_left() is None


def test_segments_of_a_trial_that_is_over_are_forgotten(segment: Segment) -> None:
    waiting = RetryBackoff()
    waiting.add(segment)

    waiting.drop(segment.trial, None)

    assert len(waiting) == 0
