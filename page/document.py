"""The one document behind the page, offline and live; gathered in `build`, drawn by `frontend`.

Rows that are many come as columns of equal length. Times are Unix seconds, durations are seconds, a value that is not
known is null. A category is given by its position in `Parameter.values`.
"""

from typing import Literal

from pydantic import Field, FiniteFloat

from pegbox.page.activity_document import Curves, FailureGroup, Timeline
from pegbox.page.analysis_document import Analysis
from pegbox.page.answer_document import Answer
from pegbox.page.comparison_document import StudiesCompared
from pegbox.page.lineage_document import Lineage
from pegbox.page.models_document import Models
from pegbox.page.population_document import PopulationTrial
from pegbox.page.trial_document import Number, TrialLife
from pegbox.page.trials_document import BestSoFar, Goal, Parameter, RungRow, Trials
from pegbox.schemas.base import Schema


class Head(Schema):
    """What the top of the page says."""

    study: str
    state: Literal["running", "finished", "interrupted", "failed", "waiting"]
    goals: tuple[Goal, ...]
    method: str
    schedule: str
    full_budget: int
    fidelity: str
    """What budgets count: `epochs`, `rows`, or a name of the user's."""
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
    population: tuple[PopulationTrial, ...] = ()
    """Of population based training: its trials by member; empty where none was copied."""
    curves: Curves
    rungs: tuple[RungRow, ...] = ()
    timeline: Timeline
    failures: tuple[FailureGroup, ...] = ()
    lineage: Lineage
    models: Models = Models()
    studies: tuple[StudyRow, ...] = ()
    """All studies of the store, this one among them."""
    notes: tuple[NoteRow, ...] = ()
    """On the study and its trials, latest first."""
    labels: tuple[str, ...] = ()
    """Tags that people gave to the study."""
    lives: tuple[TrialLife, ...] = ()
    """Of a file, which can ask nobody: the trials that it tells more of; a live host is asked for each."""
    compared: StudiesCompared | None = None
    """Of a file: this study beside others, where it was asked for; a live host is asked for any."""
