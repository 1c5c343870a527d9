"""A study that another program ran: `integrations` read it, `storage` records it."""

from typing import NamedTuple

from pegbox.schemas.base import Configuration
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import MetricReport, TrialState


class ForeignTrial(NamedTuple):
    """A trial that another program ran to its end.

    Attributes:
        configuration: Its active parameters.
        state: completed, stopped or failed.
        metrics: Name to value at the end; values that are not finite mean that it diverged.
        reports: Metrics of its steps.
        budget: Steps it reached.
        started_at: Unix time, in seconds.
        ended_at: Unix time, in seconds.
        message: Why it failed.
    """

    configuration: Configuration
    state: TrialState
    metrics: dict[str, float]
    reports: tuple[MetricReport, ...] = ()
    budget: int = 1
    started_at: float = 0.0
    ended_at: float = 0.0
    message: str = ""


class ForeignStudy(NamedTuple):
    """A study of another program, with its trials.

    Attributes:
        spec: Its name here, its space and its objectives; the training it names cannot be run.
        trials: Those that ended, in order.
        source: Where it comes from, for the message of its run.
    """

    spec: StudySpec
    trials: tuple[ForeignTrial, ...]
    source: str
