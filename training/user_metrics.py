"""Numbers that a user's code gives, turned into metrics; whether a trial may go on without one is judged elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pegbox.schemas.base import Metrics, Unusable, parted
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.text import MAX_NAME, is_storable
from pegbox.schemas.trial import Evaluation, MetricReport, Segment, TrainedSegment
from pegbox.training.failures import failed
from pegbox.training.trainer import EvaluatedPart, Report

LONE_METRIC = "value"
"""What a number without a name is called where a study has several objectives, or numbers several values."""

LOST_AFTER = 3
"""So many reports in a row without a finite loss end a training that has lost its weights.

Picked by hand on 28 November 2026: a first `inf` or an undefined step passes, and no budget is spent on NaN.
"""


def as_numbers(raw: Mapping[Any, Any], source: str) -> dict[str, float]:
    """The numbers of a mapping, finite or not.

    Raises:
        TrialError: A value is no number, or two names read alike.
    """
    numbers: dict[str, float] = {}
    for name, value in raw.items():
        if str(name) in numbers:
            raise failed(FailureKind.INVALID, f"{source} gave two metrics that both read {str(name)!r}. Rename one.")
        numbers[str(name)] = as_number(value, str(name), source)
    return numbers


def _check_name(name: str) -> None:
    if not is_storable(name) or len(name) > MAX_NAME:
        message = f"a metric's name is up to {MAX_NAME} characters that can be stored, got {name[:60]!r}. Rename it."
        raise failed(FailureKind.INVALID, message)


def is_loss(name: str) -> bool:
    """True for a metric whose end means that the weights are lost, which no later epoch mends."""
    return name.lower() in {"loss", "mse", "rmse", "mae", "nll", LONE_METRIC} or name.lower().endswith("loss")


def as_number(value: Any, name: str, source: str) -> float:
    """A Python number, or one of numpy's or torch's with a single element.

    Raises:
        TrialError: It is something else.
    """
    try:
        # numpy's and torch's arrays of one element are no floats to Python, and `item` refuses those of several
        single = value.item() if callable(getattr(value, "item", None)) else value
        if not isinstance(single, str | bytes | bytearray | Mapping):
            return float(single)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        pass
    raise failed(FailureKind.INVALID, f"{source} must give a number for {name!r}, got {value!r:.200}.")


def lone_name(objectives: Sequence[str]) -> str:
    """What a number without a name is called: the objective, where there is one."""
    return objectives[0] if len(objectives) == 1 else LONE_METRIC


def returned_numbers(returned: Any, source: str, objectives: Sequence[str]) -> dict[str, float]:
    """What a function returned: one number is the one objective, as many numbers as objectives are they in order.

    Otherwise one is `value` and several are `value_0`, `value_1`, ..., which an objective may name; None is nothing.

    Raises:
        TrialError: It returned something that is neither a number nor a mapping of numbers.
    """
    if returned is None:
        return {}
    if isinstance(returned, Mapping):
        return as_numbers(returned, source)
    if isinstance(returned, tuple | list):
        counted = tuple(f"{LONE_METRIC}_{place}" for place in range(len(returned)))
        names = objectives if len(returned) == len(objectives) and not {*objectives} & {*counted} else counted
        return as_numbers(dict(zip(names, returned, strict=True)), source)
    return as_numbers({lone_name(objectives): returned}, source)


class Reports:
    """Collects what is reported at each step, the last word on each metric, and hands it on while training goes on."""

    def __init__(self, report: Report, objectives: Sequence[str] = ()) -> None:
        self._report = report
        self._objectives = frozenset(objectives)
        self._all: list[tuple[int, dict[str, float | str]]] = []
        self._lost = dict.fromkeys((name for name in objectives if is_loss(name)), 0)
        self._followers: list[Callable[[tuple[int, dict[str, float | str]]], None]] = []

    def follow(self, follower: Callable[[tuple[int, dict[str, float | str]]], None]) -> None:
        """Have every further report handed on as it came, step and numbers, before it is judged."""
        self._followers.append(follower)

    def add(self, step: int, numbers: Mapping[str, float | str]) -> None:
        """Take note of numbers at a step, or of texts where numbers should have been.

        Raises:
            TrialError: A name cannot be stored (invalid), or the objective is a loss that was not finite for some
                reports in a row (diverged).
        """
        if not numbers:
            return
        for name in numbers:
            _check_name(name)
        for follower in self._followers:
            follower((step, dict(numbers)))
        if self._all and self._all[-1][0] == step:
            self._all[-1][1].update(numbers)
        else:
            self._all.append((step, dict(numbers)))
        metrics, unusable = parted(numbers)
        if metrics:
            self._report(step, metrics)
        self._count_lost(step, metrics, unusable)

    def _count_lost(self, step: int, metrics: Metrics, unusable: Unusable) -> None:
        for name in self._lost:
            if name in metrics:
                self._lost[name] = 0
            elif name in unusable:
                self._lost[name] += 1
            if self._lost[name] >= LOST_AFTER:
                what = f"{name} was {unusable.get(name, 'nan')} up to step {step}, {LOST_AFTER} reports in a row"
                raise failed(FailureKind.DIVERGED, f"{what}. Lower the learning rate, or check the data.")

    @property
    def all(self) -> tuple[MetricReport, ...]:
        """What was reported, in the order of time; of a step that was reported in one go, the last word."""
        parts = ((step, parted(numbers)) for step, numbers in self._all)
        return tuple(MetricReport(step=step, metrics=finite, unusable=rest) for step, (finite, rest) in parts)

    @property
    def steps(self) -> frozenset[int]:
        """The steps at which something was reported."""
        return frozenset(step for step, _ in self._all)

    @property
    def can_be_judged(self) -> bool:
        """True if at least one number came, finite or not, or a text for an objective, which its judge will name."""
        return any(
            not isinstance(number, str) or name in self._objectives
            for _, numbers in self._all
            for name, number in numbers.items()
        )

    @property
    def reached(self) -> int:
        """Budget that the steps amount to, whether they are counted from 0 or from 1, one by one or not."""
        return max(len(self.steps), max(self.steps, default=0))


def reported_evaluation(segment: Segment, trained: TrainedSegment, part: EvaluatedPart) -> Evaluation:
    """What a trainer that cannot measure says of a part: the last value of each metric that was reported.

    Of the part test those named `test_...`, of the part valid all others. What was no finite number when it was last
    reported has no value, whatever it was before.
    """
    metrics, unusable = parted({name: value for name, value in last_word(trained).items() if _is_of(name, part)})
    return Evaluation(
        budget=trained.budget,
        metrics=metrics,
        unusable=unusable,
        seconds=trained.seconds,
        replicate=segment.replicate,
    )


def last_word(trained: TrainedSegment) -> dict[str, float | str]:
    """Of each metric what was reported last, or the text that stands for it where that was no finite number."""
    latest: dict[str, float | str] = {}
    for report in trained.reports:
        latest |= {**report.metrics, **report.unusable}
    return latest


def _is_of(name: str, part: EvaluatedPart) -> bool:
    return name.startswith("test_") == (part == "test")
