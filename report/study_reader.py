"""Reads from a store what the status and the answer need, in one pass of small queries; draws and decides nothing."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pegbox.report import reached
from pegbox.report.activities import activities, curve
from pegbox.report.asking import row, rows
from pegbox.report.progress import FailureExample, Tally
from pegbox.report.standing import Front, Incumbent, broken_by
from pegbox.report.status import FinishedTrial, RunState, StudyStatus, status_of
from pegbox.report.study_list import study_named
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.search.earlier import learns
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
        self.file = open_history(root) if fresh else HistoryFile(self._store)
        """The history, for further questions."""
        self._is_driver = is_driver
        try:
            self.study = study_named(self.file, study)
            spec, view_name = self._row("SELECT spec, view_name FROM studies WHERE study = $study")
        except BaseException:
            self.file.close()
            raise
        self.spec = StudySpec.model_validate_json(spec)
        self.view_name: str = view_name or ""
        """The SQL view with one column for each parameter."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    def status(self) -> StudyStatus:
        """How the study stands."""
        run, tally = self.run(), self.tally()
        training = activities(self.file, self.spec, run.run) if run and run.status == "running" else ()
        is_compared = tally.best is not None and tally.front is None and training
        best_curve = curve(self.file, self.spec, tally.best.trial) if tally.best and is_compared else {}
        return status_of(self.spec, tally, run, training, best_curve)

    def selection(self) -> Selection | None:
        """The last answer; None before there is one."""
        found = self._rows(
            "SELECT body->'selection' FROM events WHERE study = $study AND type = 'selection_made' "
            "ORDER BY version DESC LIMIT 1"
        )
        return Selection.model_validate_json(found[0][0]) if found else None

    def run(self) -> RunState | None:
        """The last run; one whose process is gone without a word is lost."""
        found = self._rows(
            "SELECT run, status, host, pid, started_at, ended_at, message FROM runs WHERE study = $study "
            "ORDER BY started_at DESC LIMIT 1"
        )
        if not found:
            return None
        run, status, host, pid, started_at, ended_at, message = found[0]
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
        states = self._rows("SELECT state, count(*) FROM trials WHERE study = $study GROUP BY state ORDER BY state")
        kinds = self._rows(
            "SELECT failure_kind, count(*) AS n FROM trials WHERE study = $study AND state = 'failed' "
            "AND failure_kind IS NOT NULL GROUP BY ALL ORDER BY n DESC, failure_kind"
        )
        epochs, cost, mean_seconds, length = self._row(
            "SELECT coalesce(sum(budget), 0), coalesce(sum(metrics['cost']), 0), "
            "coalesce(avg(seconds) FILTER (state = 'completed'), 0), avg(budget) FILTER (state = 'completed') "
            "FROM trials WHERE study = $study"
        )
        front = reached.front(self.file, self.spec)
        best = self._best(front)
        return Tally(
            counts={TrialState(state): count for state, count in states},
            failures={FailureKind(kind): count for kind, count in kinds},
            failure=self._failure(kinds[0][0]) if kinds else None,
            epochs=epochs,
            n_trainings=epochs / (length or self.spec.full_budget),
            cost=cost,
            stagnation=self._since(best, front),
            mean_seconds=mean_seconds,
            elapsed_seconds=self._elapsed_seconds(),
            trained_seconds=self._value("coalesce(sum(seconds) FILTER (NOT cached), 0) FROM segments"),
            replicates=self._value("count(*) FILTER (replicate IS NOT NULL AND fold IS NULL) FROM evaluations"),
            best=best,
            best_so_far=reached.best_so_far(self.file, self.spec),
            front=front,
            broken=reached.broken_constraints(self.file, self.spec),
            search_end=self._search_end(),
            earlier=self._earlier(),
        )

    def finished(self, after: Sequence[int] = ()) -> tuple[FinishedTrial, ...]:
        """The trials that ended, in the order in which they did.

        Args:
            after: Numbers of those that are known already.
        """
        found = self._rows(
            "WITH told AS (SELECT number, value = best AND best IS DISTINCT FROM lag(best) OVER (ORDER BY n_finished) "
            "AS is_best FROM best_so_far($study)) "
            "SELECT number, state, metrics, budget, seconds, failure_kind, failure_message, CAST(params AS JSON), "
            "coalesce(is_best, false) FROM trials JOIN told USING (number) "
            "WHERE study = $study AND NOT list_contains($after, number) ORDER BY ended_at, number",
            after=list(after),
        )
        goals, constraints = self.spec.goals, self.spec.constraints
        return tuple(
            FinishedTrial(
                trial=number,
                state=state,
                values={goal.metric: metrics[goal.metric] for goal in goals if goal.metric in (metrics or {})},
                broken=broken_by(constraints, metrics or {}) if state == TrialState.COMPLETED else (),
                budget=budget,
                seconds=seconds,
                failure=failure,
                message=message,
                configuration=reached.in_file_order(self.spec, params),
                is_best=is_best,
            )
            for number, state, metrics, budget, seconds, failure, message, params, is_best in found
        )

    def _failure(self, kind: str) -> FailureExample:
        ((trial, message),) = self._rows(
            "SELECT number, coalesce(failure_message, '') FROM trials WHERE study = $study AND state = 'failed' "
            "AND failure_kind = $kind ORDER BY ended_at DESC, number DESC LIMIT 1",
            kind=kind,
        )
        return FailureExample(trial=trial, message=message)

    def _best(self, front: Front | None) -> Incumbent | None:
        if len(self.spec.goals) == 1:
            return reached.best_trial(self.file, self.spec)
        return reached.incumbent(self.file, self.spec, front.knee) if front else None

    def _since(self, best: Incumbent | None, front: Front | None) -> int:
        """Completed trials after the last one that improved on those before it."""
        if best is None:
            return 0
        last = max(one.trial for one in front.trials) if front else best.trial
        return int(self._value("count(*) FILTER (state = 'completed' AND number > $last) FROM trials", last=last))

    def _elapsed_seconds(self) -> float:
        """As the driver last said."""
        (seconds,) = self._row(
            "SELECT coalesce(max(seconds), 0) FROM (SELECT elapsed_seconds AS seconds FROM decisions "
            "WHERE study = $study UNION ALL SELECT (body->>'elapsed_seconds')::DOUBLE FROM events "
            "WHERE study = $study AND type = 'search_ended')"
        )
        return float(seconds)

    def _search_end(self) -> str | None:
        """Why the search is over; None where something that came later lets it go on."""
        found = self._rows(
            "SELECT body->>'reason' FROM events WHERE study = $study AND type = 'search_ended' AND version > "
            "(SELECT coalesce(max(version), 0) FROM events WHERE study = $study "
            "AND type IN ('study_opened', 'decision_made', 'trial_retried')) ORDER BY version DESC LIMIT 1"
        )
        return found[0][0] if found else None

    def _earlier(self) -> tuple[str, ...]:
        """The studies that were chosen last to learn from, while the study is to learn."""
        found = self._rows(
            "SELECT body->>'$.studies[*].study' FROM events WHERE study = $study AND type = 'earlier_chosen' "
            "ORDER BY version DESC LIMIT 1"
        )
        return tuple(found[0][0]) if found and learns(self.spec) else ()

    def _rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        return rows(self.file, query, study=self.study, **values)

    def _row(self, query: str) -> tuple[Any, ...]:
        return row(self.file, query, study=self.study)

    def _value(self, what: str, **values: Any) -> Any:
        ((value,),) = self._rows(f"SELECT {what} WHERE study = $study", **values)
        return value


def study_status(root: Path, study: str | None = None) -> StudyStatus:
    """How a study stands.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
    """
    with StudyReader(root, study) as reader:
        return reader.status()
