"""The trials of a study: how many are in which state, how they failed, what became of each."""

from collections.abc import Sequence

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import MeasuredColumn, ParamsColumn, ask, ask_one, ask_value


class StateCount(Schema):
    """How many trials are in a state."""

    state: TrialState
    n: int


class NumberSpan(Schema):
    """From which number to which trials go."""

    first: int
    last: int


class KindCount(Schema):
    """How many trials failed in one way."""

    kind: FailureKind
    n: int


class FailedTrial(Schema):
    """A trial that failed for good, and why."""

    number: int
    message: str


class TrialSums(Schema):
    """What the trials of a study took together."""

    tried: int
    """That were measured at a rung, or ended."""
    epochs: int
    """As `budget.epochs` counts them once nothing is in training: a failed trial as far as it was meant to go."""
    trained_epochs: int
    """That trials had when they were last measured."""
    cost: FiniteFloat
    """Of the metric `cost`."""
    mean_seconds: FiniteFloat
    """Of training a completed trial; 0 before there is one."""
    mean_budget: FiniteFloat | None = None
    """Epochs that completed trials had, in the mean; None before there is one."""


class EndedTrial(Schema):
    """One trial that will not go on."""

    number: int
    state: TrialState
    metrics: MeasuredColumn
    budget: int
    seconds: float | None
    failure_kind: FailureKind | None
    failure_message: str | None
    configuration: ParamsColumn
    is_best: bool
    """It competes, and is better by the first objective than all that ended before it and compete."""


class MeasuredTrial(Schema):
    """A trial with its value of each objective."""

    number: int
    values: tuple[FiniteFloat, ...]
    budget: int
    configuration: ParamsColumn


def n_trials(file: HistoryFile, study: str) -> int:
    """Of all states."""
    return int(ask_value(file, "SELECT count(*) FROM trials WHERE study = $study", study=study))


def trial_numbers(file: HistoryFile, study: str) -> NumberSpan | None:
    """The least and the greatest number; None before there is a trial."""
    query = "SELECT min(number) AS first, max(number) AS last FROM trials WHERE study = $study HAVING count(*) > 0"
    return ask_one(file, NumberSpan, query, study=study)


def n_completed_after(file: HistoryFile, study: str, number: int) -> int:
    """Completed trials with a higher number."""
    query = "SELECT count(*) FROM trials WHERE study = $study AND state = 'completed' AND number > $number"
    return int(ask_value(file, query, study=study, number=number))


def state_counts(file: HistoryFile, study: str) -> tuple[StateCount, ...]:
    """How many trials are in which state, by its name."""
    query = "SELECT state, count(*) AS n FROM trials WHERE study = $study GROUP BY state ORDER BY state"
    return ask(file, StateCount, query, study=study)


def failure_counts(file: HistoryFile, study: str) -> tuple[KindCount, ...]:
    """How many trials failed for good in which way, most frequent first."""
    return ask(
        file,
        KindCount,
        "SELECT failure_kind AS kind, count(*) AS n FROM trials WHERE study = $study AND state = 'failed' "
        "AND failure_kind IS NOT NULL GROUP BY ALL ORDER BY n DESC, failure_kind",
        study=study,
    )


def last_failure(file: HistoryFile, study: str, kind: FailureKind) -> FailedTrial | None:
    """The trial that failed last in a given way."""
    return ask_one(
        file,
        FailedTrial,
        "SELECT number, coalesce(failure_message, '') AS message FROM trials WHERE study = $study "
        "AND state = 'failed' AND failure_kind = $kind ORDER BY ended_at DESC, number DESC LIMIT 1",
        study=study,
        kind=kind.value,
    )


def trial_sums(file: HistoryFile, study: str) -> TrialSums:
    """What all trials took together."""
    (sums,) = ask(
        file,
        TrialSums,
        "SELECT count(*) FILTER (budget > 0 OR ended_at IS NOT NULL) AS tried, "
        "coalesce(sum(if(state = 'failed', to_budget, budget) - inherited), 0) AS epochs, "
        "coalesce(sum(budget - inherited), 0) AS trained_epochs, coalesce(sum(metrics['cost']), 0) AS cost, "
        "coalesce(avg(seconds) FILTER (state = 'completed'), 0) AS mean_seconds, "
        "avg(budget) FILTER (state = 'completed') AS mean_budget "
        "FROM (SELECT t.*, coalesce(d.from_budget, 0) AS inherited FROM trials AS t "
        "LEFT JOIN decisions AS d ON d.study = t.study AND d.trial = t.number AND d.kind = 'fork') "
        "WHERE study = $study",
        study=study,
    )
    return sums


def ended_trials(file: HistoryFile, study: str, known: Sequence[int] = ()) -> tuple[EndedTrial, ...]:
    """The trials that ended, in the order in which they did.

    Args:
        file: The store's history.
        study: Its name.
        known: Numbers that are left out.
    """
    return ask(
        file,
        EndedTrial,
        "WITH told AS (SELECT number, best IS DISTINCT FROM lag(best) OVER (ORDER BY n_finished) AS is_best "
        "FROM best_so_far($study)) "
        "SELECT number, state, metrics, budget, seconds, failure_kind, failure_message, "
        "CAST(params AS JSON) AS configuration, coalesce(is_best, false) AS is_best "
        "FROM trials JOIN told USING (number) "
        "WHERE study = $study AND NOT list_contains($known, number) ORDER BY ended_at, number",
        study=study,
        known=list(known),
    )


def measured_trial(file: HistoryFile, study: str, number: int) -> MeasuredTrial:
    """A trial that has a value of each objective, by its number."""
    (found,) = ask(
        file,
        MeasuredTrial,
        'SELECT number, "values", budget, CAST(params AS JSON) AS configuration FROM trials '
        "WHERE study = $study AND number = $number",
        study=study,
        number=number,
    )
    return found
