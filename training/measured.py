"""Numbers that a user's code gives, turned into metrics; what is no number is refused, what is not finite left out."""

import math
from collections.abc import Mapping
from typing import Any

from pegbox.schemas.base import Metrics
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment
from pegbox.training.failures import failed
from pegbox.training.trainer import EvaluatedPart, Report

LONE_METRIC = "value"
"""What a number without a name is called."""


def as_metrics(raw: Mapping[Any, Any], source: str) -> Metrics:
    """The finite numbers of a mapping.

    Raises:
        TrialError: A value is no number (invalid), a loss is not finite, or nothing finite is left (diverged).
    """
    numbers = {str(name): as_number(value, str(name), source) for name, value in raw.items()}
    finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
    for name, value in numbers.items():
        if name not in finite and (is_loss(name) or not finite):
            raise failed(
                FailureKind.DIVERGED, f"{source} gave {name}={value}. Lower the learning rate, or check the data."
            )
    return finite


def is_loss(name: str) -> bool:
    """True for a metric whose end means that training has diverged."""
    return name in {"loss", LONE_METRIC} or name.endswith("_loss")


def as_number(value: Any, name: str, source: str) -> float:
    """A Python number, or one of numpy's or torch's with a single element.

    Raises:
        TrialError: It is something else.
    """
    if not isinstance(value, str | bytes | bytearray | Mapping) and value is not None:
        try:
            return float(value)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            pass
    raise failed(FailureKind.INVALID, f"{source} must give a number for {name!r}, got {value!r:.200}.")


def returned_metrics(returned: Any, source: str) -> Metrics:
    """What a function returned, as metrics: a number is `value`, several are `value_0`, `value_1`, ...; None is none.

    Raises:
        TrialError: It returned something that is neither a number nor a mapping of numbers.
    """
    if returned is None:
        return {}
    if isinstance(returned, Mapping):
        return as_metrics(returned, source)
    if isinstance(returned, tuple | list):
        return as_metrics({f"{LONE_METRIC}_{place}": value for place, value in enumerate(returned)}, source)
    return as_metrics({LONE_METRIC: returned}, source)


class Reports:
    """Collects what is reported at each step, and hands it on while training goes on."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.all: list[MetricReport] = []
        self.steps: set[int] = set()

    def add(self, step: int, metrics: Metrics) -> None:
        """Take note of metrics at a step."""
        if metrics:
            self.steps.add(step)
            self.all.append(MetricReport(step=step, metrics=metrics))
            self._report(step, metrics)

    @property
    def reached(self) -> int:
        """Budget that the steps amount to, whether they are counted from 0 or from 1, one by one or not."""
        return max(len(self.steps), max(self.steps, default=0))


def reported_evaluation(segment: Segment, trained: TrainedSegment, part: EvaluatedPart) -> Evaluation:
    """What a trainer that cannot measure says of a part: the last value of each metric that was reported.

    Of the part test those named `test_...`, of the part valid all others.
    """
    latest = {name: value for report in trained.reports for name, value in report.metrics.items()}
    return Evaluation(
        budget=trained.budget,
        metrics={name: value for name, value in latest.items() if name.startswith("test_") == (part == "test")},
        seconds=trained.seconds,
        replicate=segment.replicate,
    )
