"""What a study says about its search: objectives, method, fidelity, budget, workers, finalists, schedule."""

import math
from datetime import datetime
from difflib import get_close_matches
from keyword import iskeyword
from typing import Annotated, Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, FiniteFloat, field_validator, model_validator

from pegbox.schemas.base import Configuration, Declared
from pegbox.schemas.durations import Seconds

_GOALS = {
    **dict.fromkeys(("min", "minimum", "minimise", "minimizing", "lower", "smaller"), "minimize"),
    **dict.fromkeys(("max", "maximum", "maximise", "maximizing", "higher", "greater"), "maximize"),
}
"""Other tools' words for a goal."""
LONGEST_INTERVAL = 10 * 366 * 86400.0
"""Seconds between two runs of a schedule; more is a slip, and overflows the clock of the scheduler."""


def _goal(raw: Any) -> Any:
    return _GOALS.get(raw.strip().lower(), raw.strip().lower()) if isinstance(raw, str) else raw


Goal = Annotated[
    Literal["minimize", "maximize"], BeforeValidator(_goal, json_schema_input_type=Literal["minimize", "maximize"])
]
"""Whether small or large values are good; `min` and `max` are understood."""


class Objective(Declared):
    """One measured number that is made small or large."""

    metric: str = Field(min_length=1, examples=["val_loss"])
    """The name under which training reports it."""
    goal: Goal = "minimize"
    """Whether small or large values are good; `min` and `max` are understood too."""
    target: FiniteFloat | None = None
    """Stop when a trial reaches this value."""

    def loss(self, value: float) -> float:
        """The value as something to be made small."""
        return value if self.goal == "minimize" else -value

    def is_reached_by(self, value: float) -> bool:
        """True if the value reaches the target, or if there is none."""
        return self.target is None or self.loss(value) <= self.loss(self.target)


class Constraint(Declared):
    """A limit that a trial's metric must keep; a trial outside it cannot win."""

    metric: str = Field(min_length=1, examples=["parameters"])
    """The name under which training reports it."""
    max: FiniteFloat | None = None
    """The largest value that is allowed."""
    min: FiniteFloat | None = None
    """The smallest value that is allowed."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.max is None and self.min is None:
            raise ValueError("a constraint needs a limit. Give `max` or `min`.")
        if self.max is not None and self.min is not None and self.min > self.max:
            raise ValueError(f"min must not exceed max, got min={self.min}, max={self.max}. Swap them.")
        return self

    def violation(self, value: float) -> float:
        """How far a value lies outside, in units of the metric; zero or less inside.

        >>> Constraint(metric="parameters", max=1000).violation(1200)
        200.0
        """
        above = value - self.max if self.max is not None else -math.inf
        below = self.min - value if self.min is not None else -math.inf
        return float(max(above, below))


class SearchSpec(Declared):
    """Which method proposes configurations."""

    method: str = Field(
        default="auto",
        examples=[
            *("auto", "random", "grid", "sobol", "bayes", "genetic"),
            *("optuna:TPESampler", "hyperopt:tpe", "my_project:MySampler"),
        ],
    )
    """Which sampler; `auto` chooses by space and budget and says what it chose."""
    options: dict[str, Any] = Field(default={})
    """Arguments of the method."""
    seed: int | None = None
    """Seed of the proposals; the study's seed where it is left out."""
    enqueue: tuple[Configuration, ...] = ()
    """Known configurations that are tried first; the first is the one to beat, of families the best of them."""
    warm_start: Literal["own", "auto", "none"] | tuple[str, ...] = "own"
    """Earlier studies of the same store that `bayes` and `freeze_thaw` learn from. `own` is what a scheduled study
    tuned on earlier data, and nothing for others; `auto` the latest with the same objective and kind of training whose
    space overlaps this one; a list names them."""


EPOCHS, ROWS = "epochs", "rows"
"""Fidelities that pegbox itself can give a trial more of."""


def counted(fidelity: str, amount: int) -> str:
    """An amount of a fidelity in words.

    >>> counted("epochs", 1), counted("rows", 500), counted("image_size", 64)
    ('1 epoch', '500 rows', 'image_size 64')
    """
    if fidelity not in {EPOCHS, ROWS}:
        return f"{fidelity} {amount}"
    return f"{amount} {fidelity.removesuffix('s') if amount == 1 else fidelity}"


class FidelitySpec(Declared):
    """How far each trial is trained before it is compared."""

    of: str = Field(default=EPOCHS, max_length=60, examples=[EPOCHS, ROWS, "image_size"])
    """What a trial has more of at each rung: `epochs`; `rows` to train on; or, of a function, a program or a trainer of
    yours, a number that it is handed under this name beside the parameters, such as `image_size`. Of all but epochs
    `max` must be given, of rows `min` too, and a trial has `train.epochs` epochs at each rung, begun anew."""
    schedule: str = Field(
        default="auto", examples=["auto", "full", "median", "halving", "asha", "hyperband", "my_project:MySchedule"]
    )
    """`full` trains every trial to the end; the others stop trials that fall behind. `auto` does so by `asha` where
    `of` is not epochs, and where pegbox's own loop trains towards one objective for nine epochs or more and no more
    than 15 whole trainings fit into `budget.epochs`, `budget.time` or two thirds of `budget.whole`; else it is
    `full`."""
    min: int = Field(default=1, ge=1)
    """The first rung, in epochs or what `of` names."""
    max: int | None = Field(default=None, ge=1)
    """The last rung; `train.epochs` where it is left out."""
    factor: int = Field(default=3, ge=2)
    """Each rung is this many times the one before."""
    options: dict[str, Any] = Field(default={})
    """Arguments of the schedule."""

    @field_validator("of")
    @classmethod
    def _can_be_an_argument(cls, of: str) -> str:
        if not of.isidentifier() or iskeyword(of):
            raise ValueError(
                f"a fidelity is a name of letters, digits and _, such as rows or image_size, and none of Python's own "
                f"words, got {of!r}."
            )
        return of

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max is not None and self.max < self.min:
            raise ValueError(f"min must not exceed max, got min={self.min}, max={self.max}. Swap them.")
        # By value, since a study that comes back from the store may not say what it left to the default.
        if self.of == ROWS and (self.max is None or self.min == 1):
            raise ValueError(
                f"rungs of rows need both ends, got min={self.min}, max={self.max}. Give how few rows are worth a look "
                "and how many are enough, such as `fidelity: {of: rows, min: 500, max: 20000}`."
            )
        if not self.is_of_epochs and self.max is None:
            raise ValueError(f"how much of {self.of!r} is a whole training is not known. Give `max`, and mostly `min`.")
        return self

    @property
    def is_of_epochs(self) -> bool:
        """True where a trial goes on from rung to rung; else it has more of something at each, and begins anew."""
        return self.of == EPOCHS


FINALISTS_SHARE = 0.5
"""What is left out of `finalists` takes no more trainings than this share of the search: an answer may cost something,
and never as much as what it is about. Picked by hand: 50 trials then have the 5 × 5 that `benchmarks/selection.py`
measures."""


class BudgetSpec(Declared):
    """When the search ends; the first limit that is reached ends it."""

    trials: int | None = Field(default=None, ge=1)
    """Number of configurations."""
    epochs: int | None = Field(default=None, ge=1)
    """Epochs over all trials."""
    time: Seconds | None = None
    """Running time over all runs of the study, selection not included."""
    whole: Seconds | None = None
    """Running time from the start of the command to the model, over all runs. The search ends where the rest is needed
    for the finalists and the model, at what trainings took; finalists have fewer seeds where theirs would not fit."""
    cost: FiniteFloat | None = Field(default=None, gt=0)
    """Sum of the metric `cost` over all trials."""
    stagnation: int | None = Field(default=None, ge=1)
    """Completed trials without a better value."""
    improvement: Annotated[FiniteFloat, Field(gt=0)] | Literal["noise"] | None = None
    """End when the next trial is expected to improve the objective by less than this, in units of its metric; `noise`
    for what a value varies by over fresh seeds, below which a gain could not be seen. Judged from 20 trials on."""
    failures: int | None = Field(default=10, ge=1)
    """Failed trials in a row from the start: a study that only fails ends, so that a slip does not burn a night. `null`
    lets it go on."""

    @property
    def _limits(self) -> tuple[object, ...]:
        return self.trials, self.epochs, self.time, self.whole, self.cost, self.stagnation, self.improvement

    @property
    def search_seconds(self) -> float | None:
        """The most that the search may take; None where time does not limit it."""
        limits = [self.time, self.whole / (1 + FINALISTS_SHARE) if self.whole else None]
        return min((one for one in limits if one is not None), default=None)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if all(limit is None for limit in self._limits):
            raise ValueError("the budget has no limit. Give at least `trials: 50` or `time: 30m`.")
        return self


class RunSpec(Declared):
    """How the study is executed; changing it changes no result."""

    workers: int = Field(default=1, ge=1)
    """Trials trained at the same time, each in a process of its own. Each has one GPU where there are any; more workers
    than GPUs share them. For every four workers one more trial is decided ahead, so that none of them waits."""
    timeout: Seconds | None = None
    """The longest a segment may train, counted from the moment when its worker begins."""
    retries: int = Field(default=1, ge=0)
    """Further attempts for a trial whose worker was killed or lost, after a rest of 1, 2, 4, ... seconds."""
    gpus_per_trial: int = Field(default=1, ge=1)
    """GPUs of each trial. With several, a program or a function runs once for each, as `torchrun` starts it, and rank 0
    reports."""
    processes_per_trial: int | None = Field(default=None, ge=1)
    """Processes of each trial where they are not as many as its GPUs: 1 for a program that uses several GPUs by itself,
    more than one for `gloo` on the CPU."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads of each process that trains; the cores divided by all of them where it is left out."""
    memory: str | None = Field(default=None, examples=["4GB"])
    """The most memory a worker may take."""
    engine: Literal["local", "ray", "dask"] = "local"
    """Where the workers live: on this machine, or on a Ray or Dask cluster; changing it changes no result."""
    address: str | None = Field(default=None, examples=["ray://head:10001", "tcp://scheduler:8786"])
    """Of an existing Ray or Dask cluster; one is started on this machine where it is left out."""
    shared: str | None = Field(default=None, examples=["s3://bucket/tuning"])
    """Through which code, data, metrics and checkpoints travel, as a URL that fsspec knows, where the machines of a
    cluster do not share the folders of the study and of its store."""
    batch: Annotated[int, Field(ge=2)] | Literal["auto"] | None = None
    """Train small models of the kinds `mlp` and `torch` together: as one stack, at most so many in each worker. `auto`
    measures first and trains one by one where that is as fast; it has a quarter of `budget.trials` on their way at
    most, so that the search has something to learn from. Trials share a stack where layers, batch_size, optimizer,
    activation and norm are equal and units lie below the same power of two; those of a module of yours where all that
    is not the loop's is equal, and vmap can. `timeout` counts for each trial of a stack, `memory` for the worker; a
    stack that fails as a whole is trained one by one."""
    checkpoints: Annotated[int, Field(ge=1)] | Literal["all"] = "all"
    """Of how many of the best trials the last checkpoint is kept. Those of the winner, and of trials that may go on,
    always are; the others are deleted while the study runs. `all` deletes none."""
    track: tuple[Literal["mlflow", "tensorboard", "wandb"], ...] = Field(default=(), examples=[["mlflow"]])
    """Other tools in which the study is shown while it runs; `pegbox track` shows one that has run."""
    limit: str | None = None
    """A Prefect concurrency limit that each training task occupies."""

    @property
    def world_size(self) -> int:
        """Processes that train one trial."""
        return self.processes_per_trial or self.gpus_per_trial


Final = Literal["best", "refit", "all", "ensemble"]
"""Which model a study ends in."""

TRAINED_AGAIN = ("refit", "all")
"""Of these: on more rows than the winner was chosen with."""

Rows = Literal["parts", "not held out", "all"]
"""What a training learns from: the training part of a fold, all rows but the held-out ones, or every row."""


class FinalistsRound(NamedTuple):
    """How large the round of the finalists is."""

    top: int
    """Finalists."""
    seeds: int
    """Fresh seeds for each of them."""


ROUNDS = tuple(FinalistsRound(*one) for one in ((5, 5), (5, 4), (5, 3), (4, 3), (3, 3), (2, 3), (2, 2), (2, 1), (1, 1)))
"""The rounds of studies that name none, largest first. Finalists go before a fourth seed, and three seeds, the fewest
that show a spread worth the name, before a third finalist."""


class FinalistsSpec(Declared):
    """How the winner is chosen: the best few are trained again on fresh seeds common to all. What is left out is fitted
    to the search, so that all of it takes no more than half as many trainings; `pegbox validate` says how many."""

    top: int | None = Field(default=None, ge=1)
    """How many take part; at most 5 where it is left out."""
    seeds: int | None = Field(default=None, ge=1)
    """Fresh seeds for each of them; at most 5 where it is left out."""
    ties: Literal["cheapest", "known"] = "cheapest"
    """Who wins among those that cannot be told from the best: what costs a fifth less, or what was known before the
    search, the enqueued configuration that is to be beaten. With several objectives it says nothing."""

    @property
    def is_whole(self) -> bool:
        """True if the study names both."""
        return self.top is not None and self.seeds is not None

    def after(self, n_trainings: float) -> FinalistsRound:
        """The round of a search that took as much as so many trainings to the full budget.

        >>> FinalistsSpec().after(12), FinalistsSpec(top=1).after(12)
        (FinalistsRound(top=2, seeds=3), FinalistsRound(top=1, seeds=5))
        """
        allowed = FINALISTS_SHARE * n_trainings
        top, seeds = next((one for one in ROUNDS if one.top * one.seeds <= allowed), ROUNDS[-1])
        if self.top is not None:
            seeds = _bounded(allowed / self.top, ROUNDS[0].seeds)
        if self.seeds is not None:
            top = _bounded(allowed / self.seeds, ROUNDS[0].top)
        return FinalistsRound(self.top or top, self.seeds or seeds)


def _bounded(count: float, most: int) -> int:
    return most if count >= most else max(1, int(count))


class ScheduleSpec(Declared):
    """When the study tunes itself again."""

    cron: str | None = Field(default=None, examples=["0 3 * * 1"])
    """Minute, hour, day, month, weekday; or `interval`; or neither, and `pegbox schedule --cron` says when."""
    interval: Seconds | None = None
    """Time from one run to the next; or `cron`."""
    timezone: str = Field(default="UTC", examples=["Europe/London"])
    """That the cron expression is meant in."""
    watch: tuple[str, ...] = Field(default=(), examples=[["rows/*.parquet", "SELECT max(day) FROM 'sales.parquet'"]])
    """What training reads beside `data`: files, folders and patterns of them, SQL queries, `module:function`."""
    always: bool = False
    """Tune at every run, even where nothing has changed and where the incumbent still holds."""
    tolerance: float = Field(default=0.0, ge=0)
    """How much worse the incumbent may have become on new data, in units of the metric, before it is tuned again."""

    @field_validator("watch", mode="before")
    @classmethod
    def _one_or_many(cls, watch: object) -> object:
        return (watch,) if isinstance(watch, str) else watch

    @field_validator("cron")
    @classmethod
    def _possible(cls, cron: str | None) -> str | None:
        """Five fields that name a moment that will come; the scheduler finds out at midnight only."""
        if cron is not None:
            from cronsim import CronSim, CronSimError  # here: most studies have no schedule

            try:
                if len(cron.split()) != 5:
                    raise CronSimError("Wrong number of fields")
                # From a fixed day, so that a file is valid today and tomorrow; 30 February never comes, from whichever
                # day one looks.
                next(CronSim(cron, datetime(2000, 1, 1)))
            except (CronSimError, StopIteration) as error:
                why = str(error).lower() or "no such day comes"
                raise ValueError(
                    f"cron {cron!r} cannot be: {why}. Write minute, hour, day, month and weekday, such as '0 3 * * 1' "
                    "for three o'clock on Mondays."
                ) from error
        return cron

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            close = get_close_matches(zone, available_timezones(), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            message = f"no time zone {zone!r} is known.{hint} Write one such as Europe/Berlin, America/New_York or UTC."
            raise ValueError(message) from error
        return zone

    @field_validator("interval")
    @classmethod
    def _comes_round(cls, interval: float | None) -> float | None:
        if interval is not None and not 1 <= interval <= LONGEST_INTERVAL:
            raise ValueError(
                f"an interval lies between one second and ten years, got {interval:g} seconds. Correct it."
            )
        return interval

    @model_validator(mode="after")
    def _one_clock(self) -> Self:
        # Neither is allowed: the command line may say when, and a run that has come does not ask.
        if self.cron is not None and self.interval is not None:
            raise ValueError("give one of cron and interval, not both.")
        return self
