"""The trials of a study for the page: counted over all, drawn where they are not too many; asks the store's tables."""

import json
import math
from collections.abc import Iterable
from typing import Any

from pegbox.report import reached
from pegbox.report.asking import row, rows
from pegbox.report.front_progress import hypervolume_so_far
from pegbox.report.page_data import BestSoFar, Number, RungRow, Trials
from pegbox.report.page_space import positions
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile

MOST_DRAWN = 4000
"""Points that a browser draws and filters without a noticeable pause."""
BEST_SHARE = 20
"""One in so many of the drawn trials is among the best."""

_LIVES = """
WITH decided AS (
    SELECT trial, arg_max(elapsed_seconds, version) AS elapsed, max(decided_at) AS decided_at
    FROM decisions WHERE study = $study GROUP BY trial
), lives AS (
    SELECT t.number, t.value, t."values", t.budget, t.seconds,
        CASE WHEN t.state = 'completed' AND NOT {kept} THEN 'infeasible' ELSE t.state END AS state,
        CASE WHEN t.state IN ('completed', 'stopped', 'failed')
            THEN d.elapsed + greatest(0, epoch(t.ended_at) - epoch(d.decided_at)) END AS finished
    FROM trials AS t LEFT JOIN decided AS d ON d.trial = t.number WHERE t.study = $study
), spending AS (
    SELECT *, sum(coalesce(seconds, 0)) OVER (ORDER BY finished, number ROWS UNBOUNDED PRECEDING) AS spent FROM lives
)
"""

_DRAWN = """
SELECT number, drawn.state, drawn.budget, drawn.seconds, finished, CASE WHEN finished IS NULL THEN NULL ELSE spent END,
    params::JSON::VARCHAR, metrics
FROM (
    FROM spending
    ORDER BY row_number() OVER (ORDER BY (state <> 'completed'), $sign * value NULLS LAST, number) > $best, hash(number)
    LIMIT $most
) AS drawn JOIN trials AS t USING (number) WHERE t.study = $study ORDER BY number
"""

_BEST = """
SELECT number, finished, spent, value FROM (
    SELECT *, min($sign * value) OVER earlier AS before
    FROM spending WHERE state = 'completed' AND value IS NOT NULL
    WINDOW earlier AS (ORDER BY finished, number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) WHERE before IS NULL OR $sign * value < before ORDER BY finished, number
"""

_ENDED_WITH_VALUES = """
SELECT number, finished, spent, "values" FROM spending
WHERE state = 'completed' AND len(list_filter("values", lambda v: v IS NULL)) = 0 ORDER BY finished, number
"""

_AT_RUNGS = """
SELECT budget, trial, value FROM evaluations
WHERE study = $study AND fold IS NULL AND replicate IS NULL AND value IS NOT NULL
"""

_RUNGS = """
WITH measured AS (
    SELECT trial, budget, arg_max(value, evaluated_at) AS value FROM evaluations
    WHERE study = $study AND fold IS NULL AND replicate IS NULL AND value IS NOT NULL GROUP BY ALL
), final AS (SELECT trial, value AS last FROM measured WHERE budget = $full),
pairs AS (
    SELECT m.budget, m.trial, m.value, f.last FROM measured AS m JOIN final AS f USING (trial) WHERE m.budget < $full
),
ranked AS (
    SELECT *, rank() OVER (PARTITION BY budget ORDER BY $sign * value) AS early,
        rank() OVER (PARTITION BY budget ORDER BY $sign * last) AS late FROM pairs
)
SELECT budget, count(*), corr(early, late), arg_min(early, late) FROM ranked GROUP BY budget ORDER BY budget
"""


def draw_trials(file: HistoryFile, spec: StudySpec, most: int = MOST_DRAWN) -> Trials:
    """The trials as columns: all, or the best and an even sample of the others.

    Args:
        file: The store's history.
        spec: Of the study.
        most: How many are drawn at most.
    """
    (n_total,) = row(file, "SELECT count(*) FROM trials WHERE study = $study", study=spec.name)
    drawn = _ask(file, spec, _DRAWN, best=most // BEST_SHARE, most=most)
    number, state, budget, seconds, finished, spent, params, metrics = zip(*drawn, strict=True) if drawn else ((),) * 8
    return Trials(
        n_total=n_total,
        note=_sample_note(len(drawn), n_total),
        number=number,
        state=state,
        budget=budget,
        seconds=seconds,
        finished=finished,
        spent=spent,
        parameters=positions(spec.space, [json.loads(one) if one else {} for one in params]),
        metrics=_metric_columns(metrics),
        rungs=_rung_columns(file, spec.name, number),
    )


def best_so_far(file: HistoryFile, spec: StudySpec) -> BestSoFar:
    """Every improvement among all completed trials, in the order in which they ended."""
    steps = _ask(file, spec, _BEST)
    number, finished, spent, value = zip(*steps, strict=True) if steps else ((),) * 4
    return BestSoFar(number=number, finished=finished, spent=spent, value=value)


def front_so_far(file: HistoryFile, spec: StudySpec) -> BestSoFar:
    """With several objectives, how the front grew: the share that it covers, as `hypervolume_so_far` measures it."""
    if len(spec.goals) == 1:
        return BestSoFar()
    found = _ask(file, spec, _ENDED_WITH_VALUES)
    steps = hypervolume_so_far([values for *_, values in found], spec.goals)
    number, finished, spent = zip(*(found[row][:3] for row, _ in steps), strict=True) if steps else ((),) * 3
    return BestSoFar(number=number, finished=finished, spent=spent, value=tuple(share for _, share in steps))


def rung_rows(file: HistoryFile, spec: StudySpec) -> tuple[RungRow, ...]:
    """How well each rung foretold the last, over all trials that reached it."""
    found = rows(file, _RUNGS, study=spec.name, sign=_sign(spec), full=spec.full_budget)
    return tuple(
        RungRow(budget=budget, n_trials=count, correlation=_finite(correlation), winner_rank=rank)
        for budget, count, correlation, rank in found
        if count >= 3
    )


def _ask(file: HistoryFile, spec: StudySpec, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """Rows of a query over `spending`."""
    condition, limits = reached.kept(spec)
    asked = {"study": spec.name, "sign": _sign(spec), **limits, **values}
    return rows(file, _LIVES.format(kept=condition) + query, **asked)


def _sign(spec: StudySpec) -> int:
    return 1 if spec.goals[0].goal == "minimize" else -1


def _sample_note(n_drawn: int, n_total: int) -> str:
    if n_drawn == n_total:
        return ""
    return (
        f"{n_drawn:,} of {n_total:,} trials are drawn: the best {n_drawn // BEST_SHARE} and evenly of the rest. "
        "Counts, progress, rungs, failures and idle time are of all trials."
    )


def _metric_columns(metrics: Iterable[dict[str, float] | None]) -> dict[str, tuple[Number, ...]]:
    measured = [one or {} for one in metrics]
    names = sorted({name for one in measured for name in one})
    return {name: tuple(_finite(one.get(name)) for one in measured) for name in names}


def _rung_columns(file: HistoryFile, study: str, numbers: tuple[int, ...]) -> dict[int, tuple[Number, ...]]:
    values: dict[int, dict[int, float]] = {}
    wanted = set(numbers)
    for budget, trial, value in rows(file, _AT_RUNGS, study=study):
        if trial in wanted:
            values.setdefault(budget, {})[trial] = value
    usual = {budget: found for budget, found in values.items() if len(found) >= max(2, len(numbers) // 100)}
    return {budget: tuple(usual[budget].get(number) for number in numbers) for budget in sorted(usual)}


def _finite(value: Any) -> Number:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
