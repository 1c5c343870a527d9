"""Reads from a store what the status and the answer need, in one pass of small queries; draws and decides nothing."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pegbox.report.progress import Incumbent, Tally
from pegbox.report.status import Activity, FinishedTrial, RunState, StudyLine, StudyStatus, status_of
from pegbox.schemas.base import Value
from pegbox.schemas.errors import NotFoundError, suggest
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.study_lock import study_holder


class StudyReader:
    """One study of a store, as it was when this was opened.

    Args:
        root: The store.
        study: Its name; the one that was active last where it is None.
        fresh: Bring the store up to date first; otherwise it is read as it was last published.
        is_driver: True in the process that runs the study itself, which need not ask whether the driver is alive.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
    """

    def __init__(self, root: Path, study: str | None = None, *, fresh: bool = True, is_driver: bool = False) -> None:
        self._store = StoreLayout(root.absolute())
        self._history = open_history(root) if fresh else HistoryFile(self._store)
        self._is_driver = is_driver
        try:
            self.study = _chosen(self._history, study)
            (row,) = self._rows("SELECT spec, view_name FROM studies WHERE study = ?")
        except BaseException:
            self._history.close()
            raise
        self.spec = StudySpec.model_validate_json(row[0])
        self.view_name: str = row[1] or ""
        """The SQL view with one column for each parameter."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._history.close()

    def status(self) -> StudyStatus:
        """How the study stands."""
        run, tally = self.run(), self.tally()
        activities = self._activities(run) if run and run.status == "running" else ()
        best_curve = self._curve(tally.best.trial) if tally.best and activities else {}
        return status_of(self.spec, tally, run, activities, best_curve)

    def selection(self) -> Selection | None:
        """The last answer; None before there is one."""
        rows = self._rows(
            "SELECT body->'selection' FROM events WHERE study = ? AND type = 'selection_made' "
            "ORDER BY version DESC LIMIT 1"
        )
        return Selection.model_validate_json(rows[0][0]) if rows else None

    def run(self) -> RunState | None:
        """The last run; one whose process is gone without a word is lost."""
        rows = self._rows(
            "SELECT run, status, host, pid, started_at, ended_at, message FROM runs WHERE study = ? "
            "ORDER BY started_at DESC LIMIT 1"
        )
        if not rows:
            return None
        run, status, host, pid, started_at, ended_at, message = rows[0]
        if status == "running" and not self._is_driver and study_holder(self._store, self.study) is None:
            status = "lost"
        return RunState(
            run=run,
            status=status,
            host=host,
            pid=pid,
            started_at=started_at,
            ended_at=ended_at,
            message=message or "",
        )

    def tally(self) -> Tally:
        """What the trials add up to."""
        states = self._rows("SELECT state, count(*) FROM trials WHERE study = ? GROUP BY state ORDER BY state")
        kinds = self._rows(
            "SELECT failure_kind, count(*) AS n FROM trials WHERE study = ? AND state = 'failed' "
            "AND failure_kind IS NOT NULL GROUP BY ALL ORDER BY n DESC, failure_kind"
        )
        (sums,) = self._rows(
            "SELECT coalesce(sum(budget), 0), coalesce(sum(metrics['cost']), 0), "
            "coalesce(avg(seconds) FILTER (state = 'completed'), 0) FROM trials WHERE study = ?"
        )
        (elapsed,) = self._rows("SELECT coalesce(max(elapsed_seconds), 0) FROM decisions WHERE study = ?")
        (trained,) = self._rows("SELECT coalesce(sum(seconds) FILTER (NOT cached), 0) FROM segments WHERE study = ?")
        (replicates,) = self._rows(
            "SELECT count(*) FROM evaluations WHERE study = ? AND replicate IS NOT NULL AND fold IS NULL"
        )
        best = self._best()
        return Tally(
            counts={TrialState(state): count for state, count in states},
            failures={FailureKind(kind): count for kind, count in kinds},
            epochs=sums[0],
            cost=sums[1],
            stagnation=self._since(best),
            mean_seconds=sums[2],
            elapsed_seconds=elapsed[0],
            trained_seconds=trained[0],
            replicates=replicates[0],
            best=best,
        )

    def finished(self, after: Sequence[int] = ()) -> tuple[FinishedTrial, ...]:
        """The trials that ended, in the order in which they did.

        Args:
            after: Numbers of those that are known already.
        """
        rows = self._rows(
            "SELECT number, state, value, budget, seconds, failure_kind, failure_message, CAST(params AS JSON) "
            "FROM trials WHERE study = ? AND ended_at IS NOT NULL AND NOT list_contains(?, number) "
            "ORDER BY ended_at, number",
            list(after),
        )
        return tuple(
            FinishedTrial(
                trial=number,
                state=state,
                value=value,
                budget=budget,
                seconds=seconds,
                failure=kind,
                message=message,
                configuration=self._configuration(params),
            )
            for number, state, value, budget, seconds, kind, message, params in rows
        )

    def _configuration(self, params: str) -> dict[str, Value]:
        """In the order of the study file; the database keeps keys by name."""
        values = json.loads(params)
        return {name: values[name] for name in [*self.spec.space.parameters, *values] if name in values}

    def _best(self) -> Incumbent | None:
        rows = self._rows(
            "SELECT number, value, budget, CAST(params AS JSON) FROM trials WHERE study = ? AND state = 'completed' "
            "AND value IS NOT NULL ORDER BY CASE WHEN ? THEN -value ELSE value END, number LIMIT 1",
            self.spec.goals[0].goal == "maximize",
        )
        if not rows:
            return None
        number, value, budget, params = rows[0]
        return Incumbent(trial=number, value=value, budget=budget, configuration=self._configuration(params))

    def _since(self, best: Incumbent | None) -> int:
        """Completed trials after the best one."""
        if best is None:
            return 0
        query = "SELECT count(*) FROM trials WHERE study = ? AND state = 'completed' AND number > ?"
        return int(self._rows(query, best.trial)[0][0])

    def _activities(self, run: RunState) -> tuple[Activity, ...]:
        """The segments that this run trains now, with what their workers reported."""
        rows = self._rows(
            "SELECT s.trial, s.replicate, s.fold, s.attempt, s.to_budget, "
            "date_diff('millisecond', s.started_at, now()) / 1000, CAST(t.params AS JSON) "
            "FROM segments AS s JOIN trials AS t ON t.study = s.study AND t.number = s.trial "
            "JOIN attempts AS a ON a.study = s.study AND a.trial = s.trial AND a.attempt = s.attempt "
            "AND a.replicate IS NOT DISTINCT FROM s.replicate "
            "WHERE s.study = ? AND s.run = ? AND s.ended_at IS NULL AND a.state = 'running' ORDER BY s.started_at",
            run.run,
        )
        return tuple(
            Activity(
                trial=trial,
                replicate=replicate,
                fold=fold,
                to_budget=to_budget,
                seconds=max(0.0, seconds),
                configuration=self._configuration(params),
                curve=self._curve(trial, attempt, replicate, fold),
            )
            for trial, replicate, fold, attempt, to_budget, seconds, params in rows
        )

    def _curve(
        self, trial: int, attempt: int | None = None, replicate: int | None = None, fold: int = 0
    ) -> dict[int, float]:
        """The objective's metric by step; of the last attempt where none is named."""
        rows = self._rows(
            "SELECT step, arg_max(value, attempt) FROM metrics WHERE study = ? AND trial = ? AND name = ? "
            "AND replicate IS NOT DISTINCT FROM ? AND fold = ? AND attempt <= coalesce(?, attempt) "
            "AND value IS NOT NULL GROUP BY step ORDER BY step",
            trial,
            self.spec.goals[0].metric,
            replicate,
            fold,
            attempt,
        )
        return dict(rows)

    def _rows(self, query: str, *more: Any) -> list[tuple[Any, ...]]:
        return self._history.sql(query, [self.study, *more]).fetchall()


def study_status(root: Path, study: str | None = None) -> StudyStatus:
    """How a study stands.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
    """
    with StudyReader(root, study) as reader:
        return reader.status()


def list_studies(root: Path) -> tuple[StudyLine, ...]:
    """All studies of a store, the one that was active last comes first.

    Raises:
        NotFoundError: There is no history in the directory.
    """
    with open_history(root) as history:
        rows = history.sql(_STUDIES).fetchall()
        lines = [
            StudyLine(
                study=study,
                state=state,
                trials=trials,
                completed=completed,
                failed=failed,
                metric=metric,
                goal=goal,
                best=best,
                winner=winner,
                changed_at=changed_at,
                tags=tags,
            )
            for study, state, trials, completed, failed, metric, goal, best, winner, changed_at, tags in rows
        ]
    store = StoreLayout(root.absolute())
    return tuple(
        line.model_copy(update={"state": "lost"})
        if line.state == "running" and study_holder(store, line.study) is None
        else line
        for line in lines
    )


def _chosen(history: HistoryFile, study: str | None) -> str:
    names = [row[0] for row in history.sql(_NAMES).fetchall()]
    if study is None:
        if not names:
            raise NotFoundError("The history holds no study yet. Run one with `pegbox run study.yaml`.")
        return str(names[0])
    if study not in names:
        raise NotFoundError(f"The history holds no study {study!r}. {suggest(study, names)}")
    return study


_NAMES = """
SELECT study FROM studies LEFT JOIN runs USING (study) GROUP BY study, created_at
ORDER BY coalesce(max(ended_at), max(started_at), created_at) DESC, study
"""

_STUDIES = """
WITH last_run AS (
    SELECT study, arg_max(status, started_at) AS status, max(coalesce(ended_at, started_at)) AS changed_at
    FROM runs GROUP BY study
),
tally AS (
    SELECT
        study, count(*) AS trials, count(*) FILTER (state = 'completed') AS completed,
        count(*) FILTER (state = 'failed') AS failed, min(value) FILTER (state = 'completed') AS lowest,
        max(value) FILTER (state = 'completed') AS highest, max(coalesce(ended_at, started_at)) AS changed_at
    FROM trials GROUP BY study
),
answer AS (SELECT study, arg_max(winner, selected_at) AS winner FROM selections GROUP BY study)
SELECT
    study, coalesce(r.status, 'waiting'), coalesce(trials, 0), coalesce(completed, 0), coalesce(failed, 0),
    s.metrics[1], s.goals[1], CASE WHEN s.goals[1] = 'maximize' THEN highest ELSE lowest END, winner,
    greatest(s.changed_at, r.changed_at, t.changed_at) AS last_change, tags
FROM studies AS s LEFT JOIN last_run AS r USING (study) LEFT JOIN tally AS t USING (study)
LEFT JOIN answer USING (study)
ORDER BY last_change DESC, study
"""
