"""A study: one declared search, as its file says it."""

import math
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from pegbox.schemas.base import EntryError, Schema
from pegbox.schemas.data import DataSpec, Task
from pegbox.schemas.families import check_families
from pegbox.schemas.listed_domains import Constant
from pegbox.schemas.plan import (
    ROWS,
    TRAINED_AGAIN,
    BudgetSpec,
    Constraint,
    FidelitySpec,
    Final,
    FinalistsSpec,
    Objective,
    RunSpec,
    ScheduleSpec,
    SearchSpec,
)
from pegbox.schemas.population import POPULATION_METHODS, generations
from pegbox.schemas.space import Space
from pegbox.schemas.text import unstorable
from pegbox.schemas.train import (
    IMPORTED,
    OWN_CODE,
    FamiliesTrain,
    FunctionTrain,
    ModuleTrain,
    SklearnTrain,
    TorchTrain,
    TrainSpec,
)

BUDGETED_METHODS = frozenset({"freeze_thaw"})
"""Methods that decide at once what to try and how far to train it, by rungs of their own."""


# Picked by hand: names of files end at 255 bytes on Linux, and ours get a hash, a stamp and an ending.
LONGEST_NAME = 200
"""Letters; it becomes part of file names and of SQL names."""


FEW_TRAININGS = 15
"""Whole trainings up to which a budget is better spent on rungs.

Chosen on the development tasks of LCBench: after 10 trainings' worth of epochs `bayes+asha` was ahead of `bayes` by a
third, after 20 equal, after 50 far behind (`benchmarks/README.md`).
"""

FEWEST_STOPPED = 9
"""Epochs from which on `fidelity.schedule: auto` stops trials early; every trial is given one in so many of its epochs.

Picked by hand: two rungs at the usual factor of 3, none of them in the warm-up of a learning rate.
"""


class TrialSchedule(NamedTuple):
    """Which trials go on from rung to rung."""

    name: str
    """`full`, `asha`, ... or an import path; never `auto`."""
    reason: str | None = None
    """Why `auto` chose it, in one sentence; None where the study names it."""

    @property
    def told(self) -> str:
        """As people are told."""
        return self.name if self.reason is None else f"{self.name} (auto: {self.reason})"


class StudySpec(Schema):
    """The whole study file."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, examples=["digits-mlp"])
    """Names the study in the store; the same name goes on with the same study."""
    data: DataSpec | None = None
    """Not needed by a function or command that brings its own data."""
    train: TrainSpec = Field(examples=[{"kind": "mlp", "epochs": 27}])
    """What is trained, and how far."""
    space: Space = Field(examples=[{"lr": {"min": 1e-5, "max": 1e-1, "log": True}}])
    """The parameters that are searched."""
    objective: Objective | None = None
    """What is optimised; or `objectives` for several."""
    objectives: tuple[Objective, ...] = ()
    """Several objectives that are traded against each other."""
    constraints: tuple[Constraint, ...] = ()
    """Limits that other metrics must keep, such as the size of the model."""
    search: SearchSpec = SearchSpec()
    """How configurations are proposed."""
    fidelity: FidelitySpec = FidelitySpec()
    """The rungs at which trials are compared, and which of them go on."""
    budget: BudgetSpec = Field(examples=[{"trials": 50}])
    """When the search ends."""
    run: RunSpec = RunSpec()
    """How the study is executed."""
    finalists: FinalistsSpec = FinalistsSpec()
    """How the winner is chosen among the best few."""
    final: Final = "best"
    """Which model the study ends in: `best`, the winner's best fresh seed as it is, or `refit`, the winner trained once
    more on all rows that are not held out, the validation rows among them, or `all`, trained on the held-out rows too
    once the refit was measured on them, or `ensemble`, the weighted mean of the finalists' answers where that is better
    than the winner beyond noise, else the winner."""
    schedule: ScheduleSpec | None = None
    """When the study tunes itself again."""
    tags: dict[str, str] = Field(default={}, max_length=100, examples=[{"team": "vision"}])
    """Your own words for finding the study again."""
    seed: int = Field(default=0, ge=0)
    """The root of every random number of the study."""

    @model_validator(mode="before")
    @classmethod
    def _drop_schema_key(cls, raw: Any) -> Any:
        """Editors may keep `$schema` in the file itself."""
        return {key: value for key, value in raw.items() if key != "$schema"} if isinstance(raw, dict) else raw

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, raw: Any) -> Any:
        for at, text in unstorable(raw):
            raise EntryError(f"a study holds text that can be stored, got {text[:60]!r}. Write other characters.", *at)
        return raw

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.objective is None) == (not self.objectives):
            raise ValueError("give exactly one of objective and objectives.")
        if self.fidelity.is_of_epochs and self.fidelity.max is not None and self.fidelity.max > self.train.epochs:
            raise EntryError(
                f"fidelity.max must not exceed train.epochs, got {self.fidelity.max} and {self.train.epochs}. "
                "Raise train.epochs or lower fidelity.max.",
                "fidelity",
                "max",
            )
        if not self.fidelity.is_of_epochs:
            self._check_amounts()
        if self.data is None and not self.train.brings_data:
            raise ValueError(f"training a {self.train.kind} needs data. Add `data: {{source: ..., target: ...}}`.")
        if self.data is not None and isinstance(self.train, ModuleTrain) and self.train.loaders:
            raise ValueError("train.loaders and data both give the rows to train on. Leave one of them out.")
        if isinstance(self.train, FamiliesTrain):
            check_families(self.train, self.space)
        if self.final != "best" and self.train.brings_data:
            raise EntryError(
                f"final: {self.final} works on rows that pegbox divided, and a {self.train.kind} sees to its own. "
                "Write `final: best`.",
                "final",
            )
        return self

    def _check_amounts(self) -> None:
        """What cannot be together with another fidelity than epochs."""
        of = self.fidelity.of
        if of != ROWS and not isinstance(self.train, OWN_CODE):
            raise EntryError(
                f"a {self.train.kind} is trained by pegbox, which can give it more epochs or more rows, got {of!r}. "
                "Write `of: rows`, or train a function of yours, which is handed the number.",
                "fidelity",
                "of",
            )
        if of == ROWS and isinstance(self.train, ModuleTrain) and self.train.loaders:
            raise EntryError(
                "train.loaders gives rows of your own, of which pegbox cannot take some. Give `data`, or use epochs.",
                "fidelity",
                "of",
            )
        if of in self.space.parameters:
            raise EntryError(
                f"{of!r} is a parameter of the space as well, and every trial would have two of it. Take it out of "
                "space, or name another fidelity.",
                "fidelity",
                "of",
            )
        if self.budget.epochs is not None:
            raise EntryError(
                f"a trial has {self.train.epochs} epochs at each rung of {of}, and a budget of epochs would say little "
                "of what it costs. Give `trials` or `time`.",
                "budget",
                "epochs",
            )
        if self.final in TRAINED_AGAIN and getattr(self.train, "patience", None) is not None:
            raise EntryError(
                f"final: {self.final} trains to the epoch that patience found best, which of another fidelity ({of}) "
                "is not kept. Leave train.patience out, or write `final: best`.",
                "final",
            )
        if self.search.method in POPULATION_METHODS:
            raise EntryError(
                f"{self.search.method} changes hyperparameters between two epochs of a training, got {of!r}. Leave it "
                "out, or use bayes.",
                "fidelity",
                "of",
            )

    @property
    def handed_space(self) -> Space:
        """The space, and beside its parameters the fidelity where code of the user's is handed its amount."""
        if self.fidelity.is_of_epochs or not isinstance(self.train, OWN_CODE):
            return self.space
        amount = {self.fidelity.of: Constant(value=self.full_budget)}
        return self.space.model_copy(update={"parameters": {**self.space.parameters, **amount}})

    @property
    def goals(self) -> tuple[Objective, ...]:
        """All objectives, one or several."""
        return (self.objective,) if self.objective else self.objectives

    @property
    def task(self) -> Task | None:
        """What the target is; None to take it from the data, or where a function brings its own."""
        if isinstance(self.train, TorchTrain | ModuleTrain | SklearnTrain | FamiliesTrain):
            return self.train.task
        return None

    @property
    def is_imported(self) -> bool:
        """True for a study that another tool ran: its trials can be asked, and none can be trained here."""
        return isinstance(self.train, FunctionTrain) and self.train.function == IMPORTED

    @property
    def full_budget(self) -> int:
        """Epochs, or what `fidelity.of` names, after which a trial is completed."""
        return self.fidelity.max or self.train.epochs

    @property
    def trial_schedule(self) -> TrialSchedule:
        """Which schedule is used: the one that the study names, or what `auto` stands for.

        `auto` follows from the study file alone, so that a resumed study has the rungs that it began with.
        """
        if self.fidelity.schedule != "auto":
            return TrialSchedule(self.fidelity.schedule)
        if self.search.method in BUDGETED_METHODS | POPULATION_METHODS:
            return TrialSchedule("full", f"{self.search.method} decides itself how far it trains")
        if not self.fidelity.is_of_epochs:
            return TrialSchedule("asha", f"each trial begins with the least of {self.fidelity.of}")
        if isinstance(self.train, FamiliesTrain):
            return TrialSchedule("full", "an estimator is fitted whole while a network has hardly begun")
        if not isinstance(self.train, TorchTrain | ModuleTrain):
            whose = f"a {self.train.kind} is not known to measure every epoch and to go on where it stopped"
            return TrialSchedule("full", whose)
        if len(self.goals) > 1:
            return TrialSchedule("full", "several objectives are compared at the end of the training")
        if self.full_budget < FEWEST_STOPPED:
            return TrialSchedule("full", f"less than {FEWEST_STOPPED} epochs leave little to save")
        return self._rungs_or_none()

    def _rungs_or_none(self) -> TrialSchedule:
        """What `auto` is where trials can be stopped: by how many whole trainings the budget pays for."""
        if self.pays_for_few(self.trainings_by_epochs):
            fitting = f"no more than {self.trainings_by_epochs:.3g} whole trainings fit into the budget"
            return TrialSchedule("asha", f"{fitting}, and rungs show more configurations for as many epochs")
        if self.budget.search_seconds is None:
            many = f"with more than {FEW_TRAININGS} whole trainings, or a number of trials, none is worth cutting short"
            return TrialSchedule("full", many)
        few = f"once the first show that no more than {FEW_TRAININGS} fit into the time; until then trials are whole"
        return TrialSchedule("asha", few)

    def pays_for_few(self, n_trainings: float) -> bool:
        """True if so many whole trainings, which a budget pays for, are few, and fewer than the trials it allows."""
        return n_trainings <= FEW_TRAININGS and n_trainings < (self.budget.trials or math.inf)

    @property
    def trainings_by_epochs(self) -> float:
        """Trainings to the full budget that `budget.epochs` pays for; infinite where it says nothing."""
        return math.inf if self.budget.epochs is None else self.budget.epochs / self.full_budget

    @property
    def rungs(self) -> tuple[int, ...]:
        """The budgets at which trials are compared: min, min x factor, ..., and the full budget, which is the last.

        A rung so near to the full budget that it would cost nearly as much is left out. The schedule `full` compares
        trials at the full budget alone, unless the method decides itself how far it trains. A population is compared
        after every interval.
        """
        if self.search.method in POPULATION_METHODS:
            return generations(self.search, self.full_budget)
        if self.trial_schedule.name == "full" and self.search.method not in BUDGETED_METHODS:
            return (self.full_budget,)
        # Rungs of epochs that nobody asked for do not begin in the warm-up of a learning rate.
        is_chosen = self.trial_schedule.reason is not None and self.search.method not in BUDGETED_METHODS
        is_chosen = is_chosen and self.fidelity.is_of_epochs
        first = -(-self.full_budget // FEWEST_STOPPED) if is_chosen else 1
        rungs, rung = [], min(max(self.fidelity.min, first), self.full_budget)
        # A quarter of a step on the log scale, picked by hand: a rung at more than factor^-1/4 (76 % at factor 3) of
        # the full budget saves little and costs a comparison.
        while rung * self.fidelity.factor**0.25 < self.full_budget:
            rungs.append(rung)
            rung *= self.fidelity.factor
        return (*rungs, self.full_budget)

    @property
    def most_trainings(self) -> float:
        """How many trainings to the full budget the search may take, as far as the budget says; else infinity."""
        return min(self.budget.trials or math.inf, self.trainings_by_epochs)

    @property
    def search_seed(self) -> int:
        """Seed of the proposals."""
        return self.seed if self.search.seed is None else self.search.seed
