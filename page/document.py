"""The one document behind the page, offline and live; gathered in `build`, drawn by `frontend`.

Rows that are many come as columns of equal length. Times are Unix seconds, durations are seconds, a value that is not
known is null. A category is given by its position in `Parameter.values`.
"""

from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.page.trial_document import Number, Recipe, TrialLife
from pegbox.schemas.base import Schema

TRAINING_TIME = "training time"
"""Stands among metrics for the seconds of training."""


class Goal(Schema):
    """One objective."""

    metric: str
    goal: Literal["minimize", "maximize"]


class Head(Schema):
    """What the top of the page says."""

    study: str
    state: Literal["running", "finished", "interrupted", "failed", "waiting"]
    goals: tuple[Goal, ...]
    method: str
    schedule: str
    full_budget: int
    n_trials: int
    """Of all states."""
    counts: dict[str, int]
    """State to number of trials, over all of them; `infeasible` and `outside` as in `Trials.state`."""
    limits: tuple[str, ...] = ()
    """The constraints in words."""
    n_workers: int
    started_at: Number = None
    changed_at: Number = None
    """When the history was last written to."""
    training_seconds: float = 0.0
    """Summed over all segments."""
    elapsed_seconds: float = 0.0
    """Running time of the study over all its runs."""
    tags: dict[str, str] = Field(default={})
    version: int = 0
    """Of the history."""


class Answer(Schema):
    """What to run."""

    kind: Literal["selected", "incumbent"]
    """Chosen among finalists on fresh seeds, or only the best that the search saw (and therefore optimistic)."""
    trial: int
    value: FiniteFloat
    low: Number = None
    high: Number = None
    text: str
    """The value with its uncertainty, rounded."""
    further: dict[str, str] = Field(default={})
    """With several objectives: the others, each with its value and uncertainty, rounded."""
    seeds: str = ""
    """On how many fresh seeds it was measured, and how many failed; empty where nobody was selected."""
    search_value: Number = None
    reason: str
    configuration: dict[str, str]
    """Parameter to value, rounded for reading."""
    recipe: Recipe
    """With exact values."""
    test_metrics: dict[str, FiniteFloat] = Field(default={})
    checkpoint: str | None = None
    baseline: str | None = None
    """One sentence against the configuration to beat."""


class FinalistRow(Schema):
    """One finalist on fresh seeds."""

    trial: int
    values: tuple[FiniteFloat, ...]
    n_failed: int = 0
    """Fresh seeds that failed."""
    estimate: FiniteFloat
    low: Number
    high: Number
    search_value: FiniteFloat
    probability_best: Number
    role: Literal["winner", "tie", "behind"]


class FrontRow(Schema):
    """A finalist that no other beats in all objectives; one entry for each objective, in their order."""

    trial: int
    estimates: tuple[FiniteFloat, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    probability: Number
    """That no other finalist beats it in all objectives at once."""
    is_knee: bool


class Sureness(Schema):
    """How sure the answer is."""

    sentence: str
    chance_of: str = "P(best)"
    """What `FinalistRow.probability_best` is the probability of, in a few words."""
    level: float = 0.95
    finalists: tuple[FinalistRow, ...] = ()
    front: tuple[FrontRow, ...] = ()
    """With several objectives, on fresh seeds."""


class KnobRow(Schema):
    """How much of the spread one parameter explains, as a share between 0 and 1."""

    name: str
    share: float
    low: float
    high: float
    verdict: Literal["matters", "unclear", "can be fixed"]


class Knobs(Schema):
    """Which parameters matter."""

    sentence: str
    rows: tuple[KnobRow, ...] = ()


class AdviceRow(Schema):
    """One next step with its ground and, where there is one, its command."""

    text: str
    evidence: str = ""
    command: str = ""


class Parameter(Schema):
    """One axis of the space."""

    name: str
    kind: Literal["number", "category"]
    log: bool = False
    whole: bool = False
    low: Number = None
    high: Number = None
    extra: tuple[FiniteFloat, ...] = ()
    """Values beside the range."""
    values: tuple[str, ...] = ()
    """Of a category, as text."""
    condition: str = ""
    """When it is active; empty for always."""


class Trials(Schema):
    """The drawn trials, as columns."""

    n_total: int
    """Of all trials, drawn or not."""
    note: str = ""
    """Says what was drawn where not all were."""
    number: tuple[int, ...] = ()
    state: tuple[str, ...] = ()
    """`infeasible` for a completed trial that does not keep the constraints, `outside` for one that the space does not
    hold any more since it was narrowed."""
    budget: tuple[int, ...] = ()
    seconds: tuple[Number, ...] = ()
    finished: tuple[Number, ...] = ()
    """Running time of the study when the trial ended."""
    spent: tuple[Number, ...] = ()
    """Training time of all trials that had ended by then."""
    failure: tuple[str, ...] = ()
    """The kind of failure; empty where none."""
    message: tuple[int | None, ...] = ()
    """Position among `messages`."""
    tags: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    """All that was noted of a trial, in one text; empty where nothing was."""
    messages: tuple[str, ...] = ()
    """The beginnings of what failed trials said, each once."""
    parameters: dict[str, tuple[Number, ...]] = Field(default={})
    """Parameter to a number or a position among its values; null where inactive."""
    metrics: dict[str, tuple[Number, ...]] = Field(default={})
    """Metric to its value at the trial's last evaluation."""
    rungs: dict[int, tuple[Number, ...]] = Field(default={})
    """Budget to the first objective's value there."""


class Effect(Schema):
    """How a measured quantity depends on one parameter, averaged over the others."""

    parameter: str
    at: tuple[FiniteFloat, ...]
    """Numbers, or positions among the values."""
    mean: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    """Null where there is no data."""
    trend: str
    """One sentence."""


class Effects(Schema):
    """How one quantity depends on each parameter."""

    metric: str
    """Or `TRAINING_TIME`."""
    rows: tuple[Effect, ...]
    """Most important for the first objective first."""


class Interaction(Schema):
    """What is predicted over two parameters; null where there is no data."""

    x: str
    y: str
    x_at: tuple[FiniteFloat, ...]
    y_at: tuple[FiniteFloat, ...]
    rows: tuple[tuple[Number, ...], ...]
    """One row for each of `y_at`."""
    share: Number = None
    """Of the spread that the pair explains beyond each alone."""


class BestSoFar(Schema):
    """Each improvement over all completed trials that keep the constraints, as columns."""

    number: tuple[int, ...] = ()
    finished: tuple[Number, ...] = ()
    spent: tuple[Number, ...] = ()
    value: tuple[FiniteFloat, ...] = ()


class Curve(Schema):
    """One trial's learning curve."""

    trial: int
    steps: tuple[int, ...]
    values: tuple[Number, ...]


class BandRow(Schema):
    """Where the middle eight of ten trials were at one step."""

    step: int
    n_trials: int
    low: FiniteFloat
    middle: FiniteFloat
    high: FiniteFloat


class Curves(Schema):
    """Learning curves of some trials and where trials were compared."""

    metric: str
    band: tuple[BandRow, ...] = ()
    """Of all trials of the search."""
    rungs: tuple[int, ...] = ()
    n_total: int = 0
    """Trials that have a curve."""
    note: str = ""
    drawn: tuple[Curve, ...] = ()


class RungRow(Schema):
    """How well the order at one rung foretold the order at the last."""

    budget: int
    n_trials: int
    """That have both values."""
    correlation: Number
    """Spearman's."""
    winner_rank: int | None
    """Of the best trial among them at this rung, from 1."""


class Bar(Schema):
    """One segment on a worker."""

    worker: int
    trial: int
    start: FiniteFloat
    end: FiniteFloat
    state: str


class Timeline(Schema):
    """What the workers did."""

    workers: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    idle_share: Number = None
    """Between the first and the last segment of each run, over all segments."""
    note: str = ""


class FailureGroup(Schema):
    """Failures of one kind with one message."""

    kind: str
    message: str
    n_trials: int
    trials: tuple[int, ...]
    """The first few."""
    traceback: str = ""


class RunRow(Schema):
    """One run that drove the study."""

    run: str
    status: str
    started_at: Number
    ended_at: Number
    host: str
    data: str = ""
    commit: str = ""
    versions: dict[str, str] = Field(default={})
    changes: tuple[str, ...] = ()
    """Against the run before."""
    message: str = ""


class ScheduleRow(Schema):
    """What a scheduled study concluded at one of its steps."""

    at: FiniteFloat
    step: str
    reason: str
    data: str = ""
    study: str = ""
    """That the incumbent comes from after the step."""


class Verdict(Schema):
    """The answer of one run, for drift from run to run and from data to data."""

    study: str
    run: str
    at: FiniteFloat
    trial: int
    value: FiniteFloat
    low: Number = None
    high: Number = None
    data: str = ""


class Lineage(Schema):
    """What made this history."""

    runs: tuple[RunRow, ...] = ()
    spec: str
    """The study as YAML."""
    verdicts: tuple[Verdict, ...] = ()
    """Of this study and of those that were scheduled with it, oldest first."""
    steps: tuple[ScheduleRow, ...] = ()
    """Of the schedule that this study belongs to, latest first."""


class StudyRow(Schema):
    """One study of the store."""

    study: str
    metric: str
    """Of several objectives all, in words; then nothing is best."""
    goal: Literal["minimize", "maximize"]
    n_trials: int
    n_failed: int
    best: Number
    """What to expect of the answer on fresh seeds where it was chosen by them, else what the search saw of it."""
    best_trial: int | None = None
    is_selected: bool = False
    """True if the best was chosen on fresh seeds."""
    training_seconds: Number
    changed_at: Number
    state: str = "finished"
    best_numbers: tuple[int, ...] = ()
    """Trials after which the best value of the search was a better one; empty beyond the studies that are drawn."""
    best_values: tuple[FiniteFloat, ...] = ()


class NoteRow(Schema):
    """What somebody noted."""

    trial: int | None
    """None for the whole study."""
    text: str
    tags: tuple[str, ...]
    untagged: tuple[str, ...]
    at: FiniteFloat


class Analysis(Schema):
    """What takes longer to compute than to read; may be older than the rest of a live page."""

    state: Literal["computing", "older", "ready", "failed"]
    """Nothing is known yet; known from an earlier version of the history, while a newer one is computed; known from the
    history as it is; or it could not be computed. Only what is ready may say that there is nothing to say."""
    note: str = ""
    """About the state and about the trials that it was computed from, in sentences."""
    version: int
    """Of the history that it was computed from; 0 while nothing is known."""
    sureness: Sureness
    knobs: Knobs
    advice: tuple[AdviceRow, ...] = ()
    effects: tuple[Effects, ...] = ()
    """On each objective, then on the training time."""
    interactions: tuple[Interaction, ...] = ()


class StudyPage(Schema):
    """Everything that the page shows of one study."""

    made_at: FiniteFloat
    head: Head
    answer: Answer | None
    analysis: Analysis
    parameters: tuple[Parameter, ...]
    trials: Trials
    everything: Trials | None = None
    """Of a file: all trials, without their rungs, where not all are drawn; a live host is asked for them."""
    best: BestSoFar
    volume: BestSoFar = BestSoFar()
    """With several objectives: the share of the box between the best and the worst of each that the front covers."""
    curves: Curves
    rungs: tuple[RungRow, ...] = ()
    timeline: Timeline
    failures: tuple[FailureGroup, ...] = ()
    lineage: Lineage
    studies: tuple[StudyRow, ...] = ()
    """All studies of the store, this one among them."""
    notes: tuple[NoteRow, ...] = ()
    """On the study and its trials, latest first."""
    labels: tuple[str, ...] = ()
    """Tags that people gave to the study."""
    lives: tuple[TrialLife, ...] = ()
    """Of a file, which can ask nobody: the trials that it tells more of; a live host is asked for each."""
