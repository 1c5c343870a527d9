"""What trials measured: at each rung of the search, on fresh seeds, and as a sample for the analysis."""

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import MeasuredColumn, ParamsColumn, ask


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


class RungValue(Schema):
    """The first objective of a trial at a budget."""

    budget: int
    trial: int
    value: FiniteFloat


class RungForecast(Schema):
    """How well the order of trials at one budget foretold that at the full one."""

    budget: int
    n_trials: int
    """That were measured at both."""
    correlation: Annotated[FiniteFloat | None, BeforeValidator(_finite)]
    """Spearman's; None where all ranks are equal."""
    winner_rank: int | None
    """Of the best trial among them at this budget, from 1."""


class FreshSeed(Schema):
    """What a finalist gave on one fresh seed."""

    trial: int
    budget: int
    metrics: MeasuredColumn
    seconds: FiniteFloat
    replicate: int


class SampledTrial(Schema):
    """A trial of the search that has a value."""

    number: int
    state: TrialState
    budget: int
    seconds: FiniteFloat
    seed: int
    metrics: MeasuredColumn
    configuration: ParamsColumn


def rung_values(file: HistoryFile, study: str, trials: Sequence[int]) -> tuple[RungValue, ...]:
    """The first objective of the search at each budget at which one of some trials was measured."""
    # A semi join and no list_contains, which walks through thousands of numbers for each row.
    query = (
        f"SELECT budget, trial, value FROM evaluations WHERE {_OF_SEARCH} "  # noqa: S608
        "AND trial IN (SELECT unnest($trials::INTEGER[]))"
    )
    return ask(file, RungValue, query, study=study, trials=list(trials))


def rung_forecasts(file: HistoryFile, spec: StudySpec) -> tuple[RungForecast, ...]:
    """How well each budget foretold the full one, over all trials that reached it."""
    return ask(file, RungForecast, _FORECASTS, study=spec.name, sign=spec.goals[0].loss(1.0), full=spec.full_budget)


def fresh_seeds(file: HistoryFile, study: str) -> tuple[FreshSeed, ...]:
    """What the finalists gave on fresh seeds, by trial and seed."""
    return ask(
        file,
        FreshSeed,
        "SELECT trial, budget, metrics, coalesce(seconds, 0) AS seconds, replicate FROM evaluations "
        "WHERE study = $study AND replicate IS NOT NULL AND fold IS NULL ORDER BY trial, replicate",
        study=study,
    )


def sampled_trials(file: HistoryFile, study: str, most: int) -> tuple[SampledTrial, ...]:
    """An even sample of the trials that have a value, completed ones first, with all that lead or were finalists."""
    return ask(file, SampledTrial, _SAMPLE, study=study, most=most)


_OF_SEARCH = "study = $study AND fold IS NULL AND replicate IS NULL AND value IS NOT NULL"

# Ranks and Pearson's correlation of them are Spearman's; DuckDB has no function of that name.
_FORECASTS = f"""
WITH measured AS (
    SELECT trial, budget, arg_max(value, evaluated_at) AS value FROM evaluations WHERE {_OF_SEARCH} GROUP BY ALL
), final AS (SELECT trial, value AS last FROM measured WHERE budget = $full),
pairs AS (
    SELECT m.budget, m.trial, m.value, f.last FROM measured AS m JOIN final AS f USING (trial) WHERE m.budget < $full
),
ranked AS (
    SELECT *, rank() OVER (PARTITION BY budget ORDER BY $sign * value) AS early,
        rank() OVER (PARTITION BY budget ORDER BY $sign * last) AS late FROM pairs
)
SELECT budget, count(*) AS n_trials, corr(early, late) AS correlation, arg_min(early, late) AS winner_rank
FROM ranked GROUP BY budget ORDER BY budget
"""  # noqa: S608

# Up to 200 of the front, picked by hand: with several objectives all trials may be on it, and the sample has an end.
_SAMPLE = """
WITH named AS (
    SELECT unnest([best, incumbent] || front[:200]) AS number FROM leaders WHERE study = $study
    UNION SELECT trial FROM evaluations WHERE study = $study AND replicate IS NOT NULL
)
SELECT number, state, budget, coalesce(seconds, 0) AS seconds, coalesce(seed, 0) AS seed, metrics,
    coalesce(params::JSON::VARCHAR, '{}') AS configuration
FROM (
    FROM trials WHERE study = $study AND value IS NOT NULL AND state IN ('completed', 'stopped', 'paused')
    ORDER BY number NOT IN (SELECT number FROM named), state <> 'completed', hash(number) LIMIT $most
) ORDER BY number
"""
