"""How far a search has come, by its own limits and by its trials; knows nothing of runs or workers."""

from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.report.incumbent import Best, BrokenConstraint, Front, Incumbent
from pegbox.report.number_format import duration, spaced
from pegbox.schemas.base import Configuration, Schema
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.plan import BudgetSpec
from pegbox.schemas.training_place import TrialSeed
from pegbox.schemas.trial import TrialState


class BudgetUse(Schema):
    """How much of one limit is used; time in seconds."""

    limit: Literal["trials", "epochs", "time", "cost", "stagnation"]
    used: FiniteFloat
    total: FiniteFloat

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        # Trials in flight when a limit is met may carry the use beyond it.
        return min(1.0, self.used / self.total)


class FailureExample(Schema):
    """A trial that failed as most do."""

    trial: int
    message: str


class SeedRound(Schema):
    """One fresh seed of the finalists' round."""

    replicate: int
    n_settled: int
    """Finalists that have a value on it, or failed on it for good."""


class Activity(TrialSeed):
    """A segment in training, as the tables have it."""

    fold: int = 0
    to_budget: int
    seconds: float | None = None
    """Since it began."""
    configuration: Configuration
    curve: dict[int, FiniteFloat] = Field(default={})
    """Step to value of the objective's metric."""

    @property
    def step(self) -> int:
        """The last one that was reported; 0 before the first."""
        return max(self.curve, default=0)


class Tally(Schema):
    """What the trials of a study add up to."""

    counts: dict[TrialState, int] = Field(default={})
    failures: dict[FailureKind, int] = Field(default={})
    """Most frequent first."""
    failure: FailureExample | None = None
    """The last of the most frequent kind."""
    tried: int = 0
    """Trials that were measured at a rung, or ended; those that are left of the others are on their way to it."""
    epochs: int = 0
    """Over all trials, as `budget.epochs` counts them: a failed one as far as it was meant to go."""
    n_trainings: FiniteFloat = 0.0
    """What the search took, in trainings of the length that completed trials had."""
    cost: FiniteFloat = 0.0
    """Sum of the metric `cost`."""
    stagnation: int = 0
    """Completed trials since the last that was better, or on the front of several objectives."""
    mean_seconds: FiniteFloat = 0.0
    """Of training a completed trial."""
    elapsed_seconds: FiniteFloat = 0.0
    """Of all runs of the study."""
    search_seconds: FiniteFloat = 0.0
    """Of training while searching, failed attempts included, what was found in the cache not."""
    finalist_seconds: FiniteFloat = 0.0
    """Of training on fresh seeds."""
    seed_rounds: tuple[SeedRound, ...] = ()
    """Fresh seeds of the finalists that are done, by their number."""
    best: Best | None = None
    """The answer as it stands."""
    incumbent: Incumbent | None = None
    best_so_far: tuple[FiniteFloat, ...] = ()
    """How the best value came about, first to last; empty with several objectives."""
    front: Front | None = None
    """None with one objective."""
    broken: tuple[BrokenConstraint, ...] = ()
    """Each constraint and what the completed trials make of it."""
    search_end: str | None = None
    """Why the search is over; None while it goes on."""
    understood: str | None = None
    """What was read of the first program's output, in a sentence."""
    earlier: tuple[str, ...] = ()
    """The studies that it learns from."""

    @property
    def trained_seconds(self) -> float:
        """Of all training that was not found in the cache."""
        return self.search_seconds + self.finalist_seconds

    @property
    def n_replicates(self) -> int:
        """Fresh seeds of finalists that are done."""
        return sum(one.n_settled for one in self.seed_rounds)

    @property
    def n_trials(self) -> int:
        """Of all states."""
        return sum(self.counts.values())

    @property
    def n_active(self) -> int:
        """Whose life goes on."""
        return sum(count for state, count in self.counts.items() if not state.is_finished)

    @property
    def n_finished(self) -> int:
        """Completed, stopped or failed."""
        return self.n_trials - self.n_active


def budget_use(limits: BudgetSpec, tally: Tally) -> tuple[BudgetUse, ...]:
    """How much of each limit is used, the one nearest to its end first."""
    used = {
        "trials": (tally.tried, limits.trials),
        "epochs": (tally.epochs, limits.epochs),
        "time": (tally.elapsed_seconds, limits.whole if limits.time is None else limits.time),
        "cost": (tally.cost, limits.cost),
        "stagnation": (tally.stagnation, limits.stagnation),
    }
    uses = [
        BudgetUse.model_validate({"limit": limit, "used": amount, "total": total})
        for limit, (amount, total) in used.items()
        if total is not None
    ]
    # Whichever limit is met first ends the study, so that one alone tells how far it is.
    return tuple(sorted(uses, key=lambda use: -use.share))


def used_in_words(use: BudgetUse) -> str:
    """How much of a limit is used.

    >>> used_in_words(BudgetUse(limit="trials", used=24, total=36))
    '24 / 36 trials'
    """
    if use.limit == "time":
        return f"{duration(use.used)} / {duration(use.total)}"
    unit = "trials without a better value" if use.limit == "stagnation" else use.limit
    return f"{spaced(use.used)} / {spaced(use.total)} {unit}"
