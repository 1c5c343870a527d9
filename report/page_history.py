"""A study's history for the analysis: whole, or of a large study an even sample of the trials that have a value.

The sample is read from rows, because replaying a large study's events takes too long for a page.
"""

import json
from collections import defaultdict
from typing import Any

from pegbox.report.asking import row, rows
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial
from pegbox.storage.history_file import HistoryFile

MOST_ANALYSED = 2000

_TRIALS = """
SELECT number, state, budget, seconds, seed, metrics, params::JSON::VARCHAR FROM (
    FROM trials WHERE study = $study AND value IS NOT NULL AND state IN ('completed', 'stopped', 'paused')
    ORDER BY state <> 'completed', hash(number) LIMIT $most
) ORDER BY number
"""

_REPLICATES = """
SELECT trial, budget, metrics, seconds, replicate FROM evaluations
WHERE study = $study AND replicate IS NOT NULL AND fold IS NULL ORDER BY trial, replicate
"""


def history_for_analysis(file: HistoryFile, spec: StudySpec) -> History:
    """The whole history where it is not too large; of a larger one, a sample of the trials that have a value.

    Trials that a narrowed space does not hold any more are left out.
    """
    (n_trials,) = row(file, "SELECT count(*) FROM trials WHERE study = $study", study=spec.name)
    history = file.history(spec.name) if n_trials <= MOST_ANALYSED else measured_history(file, spec)
    return history.within_space()


def measured_history(file: HistoryFile, spec: StudySpec) -> History:
    """The trials that have a value, completed ones first where there are too many."""
    replicates: dict[int, list[Evaluation]] = defaultdict(list)
    for trial, budget, metrics, seconds, replicate in rows(file, _REPLICATES, study=spec.name):
        replicates[trial].append(_evaluation(budget, metrics, seconds, replicate))
    found = rows(file, _TRIALS, study=spec.name, most=MOST_ANALYSED)
    return History(
        spec=spec,
        version=history_version(file, spec.name),
        trials=tuple(_trial(one, tuple(replicates[one[0]])) for one in found),
    )


def history_version(file: HistoryFile, study: str) -> int:
    """Counts the events of a study."""
    (version,) = row(file, "SELECT coalesce(max(version), 0) FROM events WHERE study = $study", study=study)
    return int(version)


def _trial(found: tuple[Any, ...], replicates: tuple[Evaluation, ...]) -> Trial:
    number, state, budget, seconds, seed, metrics, params = found
    return Trial.model_validate(
        {
            "number": number,
            "configuration": json.loads(params) if params else {},
            "seed": seed or 0,
            "state": state,
            "budget": budget,
            "evaluations": (_evaluation(budget, metrics, seconds),),
            "replicates": replicates,
        }
    )


def _evaluation(
    budget: int, metrics: dict[str, float | None] | None, seconds: float | None, replicate: int | None = None
) -> Evaluation:
    measured = {name: value for name, value in (metrics or {}).items() if value is not None}
    return Evaluation(budget=budget, metrics=measured, seconds=seconds or 0.0, replicate=replicate)
