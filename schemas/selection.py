"""Who won, and how sure that is; how it is chosen lives in `analysis`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.schemas.base import Configuration, Metrics, Schema


class Interval(Schema):
    """An interval that holds the true mean with the stated level."""

    low: FiniteFloat
    high: FiniteFloat
    level: float = 0.95


class Finalist(Schema):
    """One of the best trials, trained again on fresh seeds."""

    trial: int
    configuration: Configuration
    search_value: FiniteFloat
    """What the search saw; optimistic, because the best were picked by it."""
    values: tuple[FiniteFloat, ...]
    """One for each fresh seed that succeeded; a clear loser was given fewer seeds."""
    n_failed: int = Field(default=0, ge=0)
    """Fresh seeds that failed."""
    mean: FiniteFloat
    """Of the values, as they are."""
    estimate: FiniteFloat | None = None
    """The true mean as it is believed to be: drawn towards the other finalists by as much as the noise warrants,
    so that it is not optimistic for the one that is picked."""
    interval: Interval | None = None
    """Of the true mean; None where there is one seed: one value says nothing about its spread."""
    probability_best: float | None = Field(default=None, ge=0, le=1)
    """Among the finalists that keep the constraints; None where no other does, so that there was nothing to beat."""
    constrained: Metrics = Field(default={})
    """The metrics that the study's constraints limit, each with its mean over the fresh seeds."""
    is_feasible: bool = True
    """False where it does not keep the constraints, and cannot win."""

    @property
    def expected(self) -> float:
        """What stands beside its interval: its true mean as it is believed to be, or as it was measured."""
        return self.mean if self.estimate is None else self.estimate


class FrontPoint(Schema):
    """A finalist that no other beats in all objectives at once."""

    trial: int
    estimates: Metrics
    """Objective to its true mean as it is believed to be."""
    intervals: dict[str, Interval] = Field(default={})
    """Objective to the interval of its true mean; empty where no spread is known."""
    probability: float | None = Field(default=None, ge=0, le=1)
    """That no other finalist beats it in all objectives at once; None where no other keeps the constraints."""


class RowNoise(Schema):
    """What the choice of the validation rows adds to the finalists' mean losses; others would have been as good."""

    trials: tuple[int, ...]
    """The finalists, by number."""
    n_rows: int
    """That all of them were measured on."""
    covariance: tuple[tuple[FiniteFloat, ...], ...]
    """Of their mean losses, in the order of the trials: rows that are hard are hard for all."""

    def deviation(self, trial: int) -> float:
        """Standard deviation of the mean loss of a finalist over draws of the rows."""
        at = self.trials.index(trial)
        return float(self.covariance[at][at] ** 0.5)


class Selection(Schema):
    """The answer of a study."""

    study: str
    metric: str
    goal: Literal["minimize", "maximize"]
    winner: int
    """Trial number."""
    configuration: Configuration
    finalists: tuple[Finalist, ...]
    """Best estimate first."""
    ties: tuple[int, ...] = ()
    """Trials that cannot be told from the winner at the level of the intervals."""
    reason: str
    """Why this one, in one or two sentences."""
    baseline: int | None = None
    """The trial of the enqueued configuration, which is the one to beat."""
    gain: Interval | None = None
    """By how much the winner is better than the baseline, in units of the metric; negative where it is worse. None
    without a baseline, and where the baseline itself won."""
    front: tuple[FrontPoint, ...] = ()
    """With several objectives: the finalists that no other beats; then `metric` and the finalists' values are those of
    the first objective, `probability_best` is that of being on the front, and `ties` are the others on it."""
    hypervolume: Interval | None = None
    """Of the front, as a share of the box from the best of each objective to a tenth beyond the worst."""
    row_noise: RowNoise | None = None
    """Counted in every interval and chance of the first objective; None where losses are not known row by row, so that
    the noise of seeds alone is counted."""
    test_metrics: Metrics = Field(default={})
    """Measured once, for the winner; empty where no rows were held out."""
    checkpoint: Path | None = None
    """The winner's trained model."""

    @property
    def level(self) -> float:
        """Of the intervals, and of what counts as told apart."""
        # 0.95 where nobody has an interval: the level that every interval of pegbox is made with.
        return next((one.interval.level for one in self.finalists if one.interval), 0.95)

    @property
    def best(self) -> Finalist:
        """The winner among the finalists."""
        return next(finalist for finalist in self.finalists if finalist.trial == self.winner)
