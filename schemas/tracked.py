"""What a tracker such as MLflow is shown of a study: each trial, its parameters, its curve, what became of it."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import FiniteFloat

from pegbox.schemas.base import Configuration, Metrics, Schema
from pegbox.schemas.trial import TrialState


class TrackedPoint(Schema):
    """A metric at one step of one trial, as the mean over its folds."""

    trial: int
    name: str
    step: int
    value: FiniteFloat


class TrackedTrial(Schema):
    """A trial as it stands."""

    number: int
    state: TrialState
    configuration: Configuration
    metrics: Metrics
    failure_message: str | None = None


class TrackedAnswer(Schema):
    """The answer of a study that has one."""

    number: int
    value: FiniteFloat
    configuration: Configuration


class Tracker(Protocol):
    """Where a study is shown; an exception of it never reaches the study."""

    def n_shown(self, trial: int) -> int:
        """Points of a trial that it holds already, from an earlier process; what is shown goes on from there."""
        ...

    def show(self, trial: TrackedTrial, points: Sequence[TrackedPoint]) -> None:
        """Take a trial as it stands, and further points of its curve, in order."""
        ...

    def close(self, answer: TrackedAnswer | None) -> None:
        """Take the answer, and let go."""
        ...
