"""What a tracker is shown of a study: its trials, and the points of their curves."""

from pegbox.schemas.tracked import TrackedPoint, TrackedTrial
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import MeasuredColumn, ParamsColumn, ask


class _Row(TrackedTrial):
    """As the columns hold it."""

    configuration: ParamsColumn
    metrics: MeasuredColumn


def tracked_trials(file: HistoryFile, study: str) -> tuple[TrackedTrial, ...]:
    """All trials, by number."""
    query = (
        "SELECT number, state, coalesce(params::JSON::VARCHAR, '{}') AS configuration, metrics, failure_message "
        "FROM trials WHERE study = $study ORDER BY number"
    )
    return ask(file, _Row, query, study=study)


def tracked_points(file: HistoryFile, study: str) -> tuple[TrackedPoint, ...]:
    """All points of all curves that every fold has reached, by trial, step and name; of each the last attempt's."""
    query = (
        "WITH latest AS (SELECT trial, name, step, fold, arg_max(value, attempt) AS value FROM metrics "
        "WHERE study = $study AND replicate IS NULL AND value IS NOT NULL GROUP BY ALL) "
        "SELECT trial, name, step, avg(value) AS value FROM latest GROUP BY ALL "
        "HAVING count(*) = (SELECT max(fold) + 1 FROM latest) ORDER BY trial, step, name"
    )
    return ask(file, TrackedPoint, query, study=study)
