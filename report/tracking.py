"""Brings trackers up to date with a study's history: what is new since the last look, or all of it (back-filled)."""

from collections import defaultdict
from collections.abc import Sequence

from pegbox.schemas.tracked import TrackedAnswer, TrackedPoint, TrackedTrial, Tracker
from pegbox.storage.history_file import HistoryFile, refresh
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.tracked import tracked_points, tracked_trials


class Tracking:
    """One study in one tracker. The history is the queue: nothing waits in memory, and what was missed is caught up."""

    def __init__(self, store: StoreLayout, study: str, tracker: Tracker) -> None:
        self._store, self._study, self._tracker = store, study, tracker
        self._shown: dict[int, tuple[TrackedTrial, int]] = {}

    def catch_up(self) -> int:
        """Show what has changed.

        Returns:
            Trials that were shown.
        """
        with HistoryFile(self._store) as file:
            trials, points = tracked_trials(file, self._study), tracked_points(file, self._study)
        curves: dict[int, list[TrackedPoint]] = defaultdict(list)
        for point in points:
            curves[point.trial].append(point)
        return sum(self._show(trial, curves[trial.number]) for trial in trials)

    def finish(self) -> None:
        """Show the last word of every trial, and the answer."""
        refresh(self._store)
        self.catch_up()
        self._tracker.close(self._answer())

    def _show(self, trial: TrackedTrial, points: Sequence[TrackedPoint]) -> bool:
        before = self._shown.get(trial.number)
        n_points = before[1] if before else self._tracker.n_shown(trial.number)
        if before is not None and before[0] == trial and n_points == len(points):
            return False
        self._tracker.show(trial, points[n_points:])
        self._shown[trial.number] = trial, len(points)
        return True

    def _answer(self) -> TrackedAnswer | None:
        with HistoryFile(self._store) as file:
            best = file.history(self._study).best
            told = file.best(self._study)
        if best is None or told is None:
            return None
        return TrackedAnswer(number=best.number, value=told["value"], configuration=best.configuration)


def require_study(store: StoreLayout, study: str) -> None:
    """Bring the published history up to date, and refuse a study that it does not hold.

    Raises:
        NotFoundError: There is no such study.
    """
    refresh(store)
    with HistoryFile(store) as file:
        file.sql_name_of(study)


def back_fill(store: StoreLayout, study: str, tracker: Tracker) -> int:
    """Show a whole study in a tracker; what it holds already is left alone.

    Returns:
        Trials of the study.

    """
    tracking = Tracking(store, study, tracker)
    n_trials = tracking.catch_up()
    tracking.finish()
    return n_trials
