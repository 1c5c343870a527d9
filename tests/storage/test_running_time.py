"""Counts and clocks of a study whatever its life was: rests between runs, kills, failed attempts, rungs, the end."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pegbox.report.study_reader import study_status
from pegbox.schemas.decision import Continue, Start
from pegbox.schemas.events import (
    DecisionMade,
    Event,
    RunEnded,
    RunStarted,
    SearchEnded,
    SegmentStarted,
    SegmentTrained,
    StudyOpened,
    TrialEvaluated,
    TrialFailed,
    TrialRetried,
)
from pegbox.schemas.failure import Failure
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout

BEGAN = 1_764_000_000.0
DAY = 86_400.0
SPEC = StudySpec.model_validate(
    {
        "name": "s",
        "train": {"kind": "function", "function": "a:b", "epochs": 9},
        "space": {"x": {"min": 0.0, "max": 1.0}},
        "objective": {"metric": "loss"},
        "budget": {"trials": 3},
    }
)
Moment = tuple[float, Event]


class Life:
    """Writes what happened, each at its second since the study began and at its second of running time."""

    def __init__(self, store: StoreLayout, is_timed: bool = True) -> None:
        self.store = store
        self.history = History(spec=SPEC)
        self.is_timed = is_timed
        """False for a journal of an earlier version, in which decisions alone say when they were made."""

    def write(self, *moments: tuple[float, float, Event]) -> None:
        """Second of the clock, second of running time, event."""
        events = [self._timed(event, elapsed) for _, elapsed, event in moments]
        journal = Journal(self.store.journal, "driver")
        journal.append(*events, version=self.history.version + 1, at=[BEGAN + at for at, _, _ in moments])
        journal.close()
        ingest(self.store, wait=True, force=True)
        begun = self.history if self.history.version else History.replay(events[:1])
        assert begun is not None
        self.history = begun.after(*(events if self.history.version else events[1:]))

    def _timed(self, event: Event, elapsed: float) -> Event:
        says = self.is_timed or isinstance(event, DecisionMade | SearchEnded)
        return event.model_copy(update={"elapsed_seconds": elapsed}) if says and event.type != "study_opened" else event


def begins(at: float, elapsed: float = 0.0, run: str = "r1") -> list[tuple[float, float, Event]]:
    opened = [(at, elapsed, StudyOpened(study="s", spec=SPEC))] if run == "r1" else []
    return [*opened, (at, elapsed, RunStarted(study="s", run=run, host="h", pid=1))]


def decided(number: int, trial: int, to_budget: int = 9, *, first: bool = True) -> DecisionMade:
    step = Start(configuration={"x": 0.1 * trial}, to_budget=to_budget) if first else Continue(trial=trial, to_budget=9)
    return DecisionMade(study="s", number=number, saw=0, elapsed_seconds=0.0, decision=step, trial=trial, seed=0)


def started(trial: int, attempt: int = 1, run: str = "r1", to_budget: int = 9) -> SegmentStarted:
    segment = Segment(
        study="s", trial=trial, attempt=attempt, configuration={"x": 0.1 * trial}, seed=0, to_budget=to_budget,
        train=SPEC.train, code="c",
    )  # fmt: skip
    return SegmentStarted(study="s", run=run, segment=segment)


def trained(trial: int, seconds: float, attempt: int = 1, to_budget: int = 9) -> SegmentTrained:
    return SegmentTrained(
        study="s", trial=trial, attempt=attempt, from_budget=0, to_budget=to_budget, fold=0, seed=0,
        trained=TrainedSegment(budget=to_budget, seconds=seconds, worker="h:1"),
    )  # fmt: skip


def evaluated(trial: int, state: TrialState = TrialState.COMPLETED, budget: int = 9) -> TrialEvaluated:
    evaluation = Evaluation(budget=budget, metrics={"loss": 1.0 - 0.1 * trial}, seconds=1.0)
    return TrialEvaluated(study="s", trial=trial, evaluation=evaluation, state=state)


def failed(trial: int, seconds: float | None, attempt: int = 1, *, final: bool = False) -> TrialFailed:
    failure = Failure(kind="killed", message="the worker was ended", seconds=seconds)
    return TrialFailed(study="s", trial=trial, attempt=attempt, failure=failure, final=final)


def over() -> SearchEnded:
    return SearchEnded(study="s", reason="All 3 trials of the budget have been tried.", elapsed_seconds=0.0)


@pytest.fixture
def live(store: StoreLayout) -> Callable[..., Life]:
    return lambda **how: Life(store, **how)


def rows(store: StoreLayout, query: str) -> list[Any]:
    with HistoryFile(store) as file:
        return file.sql(query).fetchall()


def two_runs() -> Iterable[tuple[float, float, Event]]:
    """Two trials, the first decided and begun by a run that was killed, ended by one two days later."""
    yield from begins(0.0)
    yield 1.0, 1.0, decided(0, 0)
    yield 1.0, 1.0, decided(1, 1)
    yield 1.0, 1.0, started(0)
    yield 1.0, 1.0, started(1)
    yield 31.0, 31.0, trained(1, 30.0)
    yield 31.0, 31.0, evaluated(1)
    yield from begins(2 * DAY, 31.0, "r2")
    yield 2 * DAY + 1, 32.0, started(0, attempt=2, run="r2")
    yield 2 * DAY + 41, 72.0, trained(0, 40.0, attempt=2)
    yield 2 * DAY + 41, 72.0, evaluated(0)


def test_days_between_two_runs_are_no_running_time(live: Callable[..., Life], store: StoreLayout) -> None:
    live().write(*two_runs())

    assert rows(store, "SELECT number, elapsed_seconds FROM best_so_far('s')") == [(1, 31.0), (0, 72.0)]
    assert rows(store, "SELECT elapsed_seconds FROM study_summary") == [(72.0,)]


def test_the_history_and_the_tables_tell_one_running_time(live: Callable[..., Life], store: StoreLayout) -> None:
    life = live()
    life.write(*two_runs())
    life.write((2 * DAY + 50, 81.0, RunEnded(study="s", run="r2", status="interrupted")))

    assert life.history.elapsed_seconds == 81.0
    assert study_status(store.root, "s").elapsed_seconds == 81.0


def test_a_journal_of_an_earlier_version_goes_on_from_its_decisions(
    live: Callable[..., Life], store: StoreLayout
) -> None:
    moments = [one for one in two_runs() if one[0] < DAY]
    live(is_timed=False).write(*moments)

    assert rows(store, "SELECT number, elapsed_seconds FROM trials WHERE ended_at IS NOT NULL") == [(1, 31.0)]


def test_failed_attempts_tell_the_seconds_that_they_took(live: Callable[..., Life], store: StoreLayout) -> None:
    live().write(
        *begins(0.0),
        (0.0, 0.0, decided(0, 0)),
        (0.0, 0.0, started(0)),
        (7.0, 7.0, failed(0, 6.0)),
        (8.0, 8.0, started(0, attempt=2)),
        (18.0, 18.0, trained(0, 10.0, attempt=2)),
        (18.0, 18.0, evaluated(0)),
        (18.0, 18.0, decided(1, 1)),
        (18.0, 18.0, started(1)),
        (21.0, 21.0, failed(1, 2.0, final=True)),
    )

    assert rows(store, "SELECT trial, attempt, state, seconds FROM attempts ORDER BY ALL") == [
        (0, 1, "failed", 6.0),
        (0, 2, "trained", 10.0),
        (1, 1, "failed", 2.0),
    ]
    assert rows(store, "SELECT number, seconds FROM trials ORDER BY number") == [(0, 16.0), (1, 2.0)]
    assert rows(store, "SELECT trial, attempt, epoch(ended_at), cached FROM segments ORDER BY ALL") == [
        (0, 1, BEGAN + 7, False),
        (0, 2, BEGAN + 18, False),
        (1, 1, BEGAN + 21, False),
    ]
    assert rows(store, "SELECT round(3600 * hours, 6) FROM study_summary") == [(18.0,)]


def test_what_was_trained_before_its_evaluation_failed_counts_once(
    live: Callable[..., Life], store: StoreLayout
) -> None:
    live().write(
        *begins(0.0),
        (0.0, 0.0, decided(0, 0)),
        (0.0, 0.0, started(0)),
        (5.0, 5.0, trained(0, 5.0)),
        (6.0, 6.0, failed(0, None, final=True)),
    )

    assert rows(store, "SELECT seconds FROM trials UNION ALL SELECT seconds FROM segments") == [(5.0,), (5.0,)]


def at_rungs() -> list[tuple[float, float, Event]]:
    """Three trials, of which two are left at the first rung."""
    lives = []
    for number in range(3):
        at = 10.0 * number
        lives += [
            (at, at, decided(number, number, to_budget=3)),
            (at, at, started(number, to_budget=3)),
            (at + 9, at + 9, trained(number, 9.0, to_budget=3)),
            (at + 9, at + 9, evaluated(number, TrialState.PAUSED, budget=3)),
        ]
    promoted = [(30.0, 30.0, decided(3, 2, first=False)), (35.0, 35.0, evaluated(2))]
    return [*begins(0.0), *lives, *promoted]


def states(store: StoreLayout) -> list[str]:
    return [state for (state,) in rows(store, "SELECT state FROM trials ORDER BY number")]


def test_what_a_schedule_left_behind_is_stopped_once_the_search_is_over(
    live: Callable[..., Life], store: StoreLayout
) -> None:
    life = live()
    life.write(*at_rungs())
    assert states(store) == ["paused", "paused", "completed"]

    life.write((36.0, 36.0, over()))

    assert states(store) == ["stopped", "stopped", "completed"]
    assert states(store) == [life.history.told_state(trial) for trial in life.history.trials]
    assert rows(store, "SELECT tried, completed, stopped, active FROM study_summary") == [(3, 1, 2, 0)]
    assert rows(store, "SELECT number, elapsed_seconds FROM trials ORDER BY number") == [(0, 9.0), (1, 19.0), (2, 35.0)]


@pytest.mark.parametrize(
    "again",
    [
        StudyOpened(study="s", spec=SPEC.model_copy(update={"budget": SPEC.budget.model_copy(update={"trials": 9})})),
        decided(4, 0, first=False),
        TrialRetried(study="s", trial=1, attempt=2),
    ],
    ids=["a larger budget", "a decision", "a retry"],
)
def test_they_are_paused_again_where_the_search_goes_on(
    live: Callable[..., Life], store: StoreLayout, again: Event
) -> None:
    life = live()
    life.write(*at_rungs(), (36.0, 36.0, over()))
    life.write((50.0, 40.0, again))

    assert states(store) == [life.history.told_state(trial) for trial in life.history.trials]
    assert "paused" in states(store)
    assert rows(store, "SELECT search_end FROM studies") == [(None,)]


def test_a_study_that_tried_all_its_trials_is_full(live: Callable[..., Life], store: StoreLayout) -> None:
    life = live()
    life.write(*at_rungs())
    life.write((36.0, 36.0, over()))

    status = study_status(store.root, "s")

    assert [(one.limit, one.used, one.total) for one in status.budget] == [("trials", 3, 3)]
    assert status.counts == {TrialState.COMPLETED: 1, TrialState.STOPPED: 2}


def test_checkpoints_of_trials_left_at_a_rung_are_kept_for_a_larger_budget(
    live: Callable[..., Life], store: StoreLayout, tmp_path: Path
) -> None:
    from pegbox.storage.garbage import drop_checkpoints

    store.checkpoints.mkdir(exist_ok=True)
    kept = store.checkpoints / f"{7:032x}.pt"
    kept.write_text("x")
    life = live()
    moments = [
        (at, elapsed, event.model_copy(update={"checkpoints": {0: kept}}))
        if isinstance(event, TrialEvaluated) and event.trial == 0
        else (at, elapsed, event)
        for at, elapsed, event in at_rungs()
    ]
    life.write(*moments, (36.0, 36.0, over()))

    assert drop_checkpoints(store, "s", keep=1) == 0
    assert kept.exists()


def test_a_store_that_was_rebuilt_says_the_same(live: Callable[..., Life], store: StoreLayout) -> None:
    life = live()
    life.write(*at_rungs())
    life.write((36.0, 36.0, over()))
    told = "SELECT number, state, seconds, elapsed_seconds FROM trials ORDER BY number"
    before = rows(store, told)
    store.master.unlink()
    store.snapshot.unlink()

    with open_history(store.root) as file:
        assert file.sql(told).fetchall() == before
