"""The clock of a study beside a clock that leaps, as it does for a machine that slept."""

import pytest

from pegbox.storage.awake_clock import AwakeClock


class _Time:
    """A monotonic clock that is set by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> _Time:
    time = _Time()
    monkeypatch.setattr("pegbox.storage.awake_clock.time", time)
    return time


def test_time_awake_is_counted(time: _Time) -> None:
    clock = AwakeClock()
    readings = []
    for now in (100.5, 101.0, 104.0):
        time.now = now
        readings.append(clock.read())

    assert readings == [0.5, 1.0, 4.0]


def test_a_leap_is_not_counted(time: _Time) -> None:
    clock = AwakeClock()
    readings = []
    for now in (101.0, 3701.0, 3702.0):
        time.now = now
        readings.append(clock.read())

    assert readings == [1.0, 1.0, 2.0]
