"""Failures of a study, those that are alike together."""

from pegbox.schemas.base import Schema
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ask


class AlikeFailures(Schema):
    """Attempts that failed with one kind and one message, numbers aside."""

    kind: str
    pattern: str | None
    """The message with `#` for each number."""
    message: str | None
    """Of one of them."""
    n_trials: int
    trials: tuple[int, ...]
    """The first few."""
    traceback: str | None


def alike_failures(file: HistoryFile, study: str) -> tuple[AlikeFailures, ...]:
    """Groups of failed attempts, those that met most trials first."""
    return ask(file, AlikeFailures, _ALIKE, study=study)


# Numbers aside, for the same fault names another address, epoch or size each time. Eight trials and 50 groups, picked
# by hand: a page of them is read by nobody.
_ALIKE = """
SELECT failure_kind AS kind, regexp_replace(failure_message, '[0-9]+', '#', 'g') AS pattern,
    any_value(failure_message) AS message, count(DISTINCT trial) AS n_trials,
    list(DISTINCT trial ORDER BY trial)[:8] AS trials, any_value(failure_traceback) AS traceback
FROM attempts WHERE study = $study AND failure_kind IS NOT NULL GROUP BY ALL
ORDER BY n_trials DESC, kind, pattern LIMIT 50
"""
