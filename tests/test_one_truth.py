"""Which trial is best, which compete, what they are worth: every surface says the same of the same history.

Random lives combine constraints, spaces that change, fresh seeds that fail, folds, retries, rungs, reopened trials,
several objectives and both goals. What is right is said here once more, as plainly as it can be: `Oracle`.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from random_lives import Life, journal_lines

from pegbox.analysis.ranking import contenders, ranked
from pegbox.page.activity_block import draw_curves
from pegbox.page.document import StudyRow
from pegbox.page.head_block import _counts
from pegbox.page.studies_block import study_rows
from pegbox.page.trials_block import best_so_far, draw_trials
from pegbox.report.answer import Answer, answer_of
from pegbox.report.artifact_texts import leaderboard, measured
from pegbox.report.compare import _answer_of
from pegbox.report.explain import measured_history
from pegbox.report.finished_trials import finished_trials
from pegbox.report.study_list import StudyLine, list_studies
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.events import TrialEvaluated
from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial, TrialState
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store
from pegbox.tasks.prefect_events import is_improvement

N_STUDIES = 24
ENDED = ("completed", "stopped", "failed")


class Oracle:
    """What is right of one history, by the definitions in words."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.goals = history.spec.goals

    def state(self, trial: Trial) -> str:
        """What a schedule left at a rung is paused only as long as the search goes on."""
        is_left = trial.state is TrialState.PAUSED and self.history.search_end is not None
        return "stopped" if is_left else trial.state.value

    def losses(self, trial: Trial) -> tuple[float, ...]:
        values = [trial.evaluations[-1].metrics[goal.metric] for goal in self.goals]
        return tuple(v if goal.goal == "minimize" else -v for v, goal in zip(values, self.goals, strict=True))

    def reason(self, trial: Trial) -> str | None:
        if trial.state is TrialState.FAILED:
            return "failed"
        if trial.state is not TrialState.COMPLETED:
            return "unfinished"
        if not self.history.spec.space.contains(trial.configuration):
            return "outside_space"
        return "breaks_constraint" if self.broken(trial) else None

    def broken(self, trial: Trial) -> list[tuple[str, float | None]]:
        """The limits that an evaluated trial breaks, each with the value that counts."""
        found = []
        for limit in self.history.spec.constraints if trial.evaluations else ():
            fresh = [one.metrics[limit.metric] for one in trial.replicates if limit.metric in one.metrics]
            seen = trial.evaluations[-1].metrics.get(limit.metric)
            value = sum(fresh) / len(fresh) if fresh else seen
            above = value is not None and limit.max is not None and value > limit.max
            below = value is not None and limit.min is not None and value < limit.min
            if value is None or above or below:
                found.append((limit.metric, value))
        return found

    @cached_property
    def competing(self) -> list[Trial]:
        return [trial for trial in self.history.trials if self.reason(trial) is None]

    @cached_property
    def front(self) -> set[int]:
        rows = [(trial.number, self.losses(trial)) for trial in self.competing]
        return {
            number
            for number, mine in rows
            if not any(other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for _, other in rows)
        }

    @cached_property
    def incumbent(self) -> int | None:
        """The first of the nearest to the best of all objectives at once, each scaled to its range over the front."""
        rows = sorted((self.losses(trial), trial.number) for trial in self.competing if trial.number in self.front)
        if not rows:
            return None
        columns = list(zip(*(losses for losses, _ in rows), strict=True))
        spans = [max(column) - min(column) or 1.0 for column in columns]
        far = [
            sum(((v - min(c)) / s) ** 2 for v, c, s in zip(losses, columns, spans, strict=True)) for losses, _ in rows
        ]
        return rows[far.index(min(far))][1]

    @cached_property
    def stands(self) -> bool:
        chosen = self.history.selection
        return chosen is not None and chosen.winner in {trial.number for trial in self.competing}

    @cached_property
    def best(self) -> tuple[int | None, float | None]:
        chosen = self.history.selection
        if chosen is not None and self.stands:
            finalist = next(one for one in chosen.finalists if one.trial == chosen.winner)
            return chosen.winner, finalist.mean if finalist.estimate is None else finalist.estimate
        return self.incumbent, self.value_of(self.incumbent)

    def value_of(self, number: int | None) -> float | None:
        return None if number is None else self.history.trials[number].evaluations[-1].metrics[self.goals[0].metric]


class Case(NamedTuple):
    file: HistoryFile
    root: Path
    right: Oracle

    @property
    def name(self) -> str:
        return self.right.history.spec.name

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        return self.file.sql(query, [self.name]).fetchall()


def write(store: StoreLayout, lives: dict[str, list[bytes]], part: int, from_share: float, to_share: float) -> None:
    """A stretch of every study in one journal, folded into the tables."""
    stretches = (all_of[int(from_share * len(all_of)) : int(to_share * len(all_of))] for all_of in lives.values())
    journal = store.journal / f"20251124T000000-driver-h-1-{part:08x}.jsonl"
    journal.write_bytes(b"".join(line for stretch in stretches for line in stretch))
    ingest(store, wait=True, force=True)


@pytest.fixture(scope="module", params=[0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 8))])
def store(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> tuple[Path, dict[str, History]]:
    """Studies that were ingested in three parts, so that verdicts had to change."""
    return _recorded(tmp_path_factory.mktemp("truth") / ".pegbox", request.param)


def _recorded(root: Path, seed: int) -> tuple[Path, dict[str, History]]:
    layout = open_store(root)
    lives = {f"s{number}": Life(f"s{number}", seed) for number in range(N_STUDIES)}
    lines = {name: journal_lines(list(life.events(24 + 4 * at))) for at, (name, life) in enumerate(lives.items())}
    for part, (begin, end) in enumerate(pairwise((0.0, 0.3, 0.85, 1.0))):
        write(layout, lines, part, begin, end)
    return root, {name: life.history for name, life in lives.items()}


@pytest.fixture(params=[f"s{number}" for number in range(N_STUDIES)])
def case(request: pytest.FixtureRequest, store: tuple[Path, dict[str, History]], file: HistoryFile) -> Case:
    root, histories = store
    return Case(file, root, Oracle(histories[request.param]))


@pytest.fixture(scope="module")
def file(store: tuple[Path, dict[str, History]]) -> Iterator[HistoryFile]:
    with open_history(store[0]) as file:
        yield file


def test_the_lives_hold_what_makes_it_hard(store: tuple[Path, dict[str, History]]) -> None:
    reasons: Counter[str | None] = Counter()
    for history in store[1].values():
        right = Oracle(history)
        reasons.update(right.reason(trial) for trial in history.trials)
        reasons["stands"] += right.stands
        reasons["overtaken"] += history.selection is not None and not right.stands
        reasons["others"] += right.stands and right.best[0] != right.incumbent
        reasons["fronts"] += len(right.goals) > 1 and len(right.front) > 1
        reasons["left"] += any(right.state(trial) != trial.state for trial in history.trials)
        reasons["attempts"] += any(trial.attempt > 1 for trial in history.trials)
    assert min(reasons.values()) >= 2, reasons
    assert {None, "failed", "unfinished", "outside_space", "breaks_constraint"} <= reasons.keys()


def test_both_folds_tell_the_same_lives(case: Case) -> None:
    rows = case.sql(
        'SELECT number, state, "values", budget, to_budget, attempt, seed, failure_kind FROM trials WHERE study = ? '
        "ORDER BY number"
    )
    for row, trial in zip(rows, case.right.history.trials, strict=True):
        values = [trial.value(goal.metric) for goal in case.right.goals]
        kind = trial.failure.kind.value if trial.failure and trial.state is TrialState.FAILED else None
        told = (
            trial.number,
            case.right.state(trial),
            values,
            trial.budget,
            trial.to_budget,
            trial.attempt,
            trial.seed,
            kind,
        )
        assert row == told


def test_tables_know_who_competes_and_why_not(case: Case) -> None:
    rows = case.sql("SELECT number, competes, excluded_by FROM trials WHERE study = ? ORDER BY number")
    reasons = [case.right.reason(trial) for trial in case.right.history.trials]

    assert rows == [(number, reason is None, reason) for number, reason in enumerate(reasons)]
    assert [trial.number for trial in case.right.history.competing] == [one.number for one in case.right.competing]


def test_counts_and_clocks_are_those_of_the_history(case: Case) -> None:
    history = case.right.history
    states = Counter(case.right.state(trial) for trial in history.trials)
    tried = [trial for trial in history.trials if trial.budget > 0 or case.right.state(trial) in ENDED]
    epochs = sum(t.to_budget if t.state is TrialState.FAILED else t.budget for t in history.trials)
    summary = case.sql(
        "SELECT trials, tried, completed, stopped, failed, active, elapsed_seconds, search_end FROM study_summary "
        "WHERE study = ?"
    )
    with StudyReader(case.root, case.name, fresh=False) as reader:
        tally, status = reader.tally(), reader.status()

    ended = [states[name] for name in ENDED]
    going_on = len(history.trials) - sum(ended)
    clock = (history.elapsed_seconds, history.search_end)
    assert summary == [(len(history.trials), len(tried), *ended, going_on, *clock)]
    assert (tally.tried, tally.epochs, tally.elapsed_seconds, tally.search_end) == (len(tried), epochs, *clock)
    assert status.counts == states
    assert [(one.limit, one.used) for one in status.budget] == [("trials", len(tried))]
    assert history.told_state(history.trials[0]) == case.right.state(history.trials[0])


def test_limits_are_broken_by_the_same_trials(case: Case) -> None:
    rows = case.sql("SELECT number, metric, value FROM violations WHERE study = ? ORDER BY number, metric")
    found = [(trial.number, *one) for trial in case.right.history.trials for one in sorted(case.right.broken(trial))]

    assert rows == found


def test_history_and_tables_name_the_same_leaders(case: Case) -> None:
    right, history = case.right, case.right.history
    (row,) = case.sql(
        "SELECT best, best_value, is_selected, incumbent, incumbent_value, front FROM leaders WHERE study = ?"
    )

    assert row[:5] == (*right.best, right.stands, right.incumbent, right.value_of(right.incumbent))
    assert set(row[5]) == right.front
    assert (history.leaders.best, history.leaders.incumbent) == (right.best[0], right.incumbent)
    assert set(history.leaders.front) == right.front
    assert (history.standing_selection is not None) == right.stands


def test_views_and_macros_name_the_same_best(case: Case) -> None:
    right, name = case.right, case.name
    best_losses = sorted((right.losses(trial)[0], trial.number) for trial in right.competing)
    (summary,) = case.sql(
        "SELECT trials, competing, best_trial, best, incumbent, incumbent_value FROM study_summary WHERE study = ?"
    )
    order = [number for (number,) in case.sql(f"SELECT number FROM top('{name}', k := 99) WHERE ?::VARCHAR <> ''")]
    so_far = case.sql(f"SELECT best FROM best_so_far('{name}') WHERE ?::VARCHAR <> ''")
    first = right.goals[0]

    assert summary == (
        len(right.history.trials), len(right.competing), *right.best, right.incumbent, right.value_of(right.incumbent)
    )  # fmt: skip
    assert order[:1] == ([] if right.incumbent is None else [right.incumbent])
    assert sorted(order) == [trial.number for trial in right.competing]
    assert {
        number for (number,) in case.sql(f"SELECT number FROM pareto('{name}') WHERE ?::VARCHAR <> ''")
    } == right.front
    assert (so_far[-1][0] if so_far else None) == (first.loss(best_losses[0][0]) if best_losses else None)
    if len(right.goals) == 1:
        assert order == [number for _, number in best_losses]


@pytest.fixture(scope="module")
def listed(store: tuple[Path, dict[str, History]], file: HistoryFile) -> dict[str, tuple[StudyLine, StudyRow]]:
    rows = {one.study: one for one in study_rows(file)}
    return {line.study: (line, rows[line.study]) for line in list_studies(store[0])}


def test_python_and_lists_name_the_same_best(case: Case, listed: dict[str, tuple[StudyLine, StudyRow]]) -> None:
    right, (line, row) = case.right, listed[case.name]
    best = case.file.best(case.name)

    assert ((best["number"], best["value"]) if best else (None, None)) == right.best
    assert (line.best_trial, line.best, line.is_selected) == (*right.best, right.stands)
    assert line.n_front == (len(right.front) or None if len(right.goals) > 1 else None)
    assert (row.best_trial, row.best) == (right.best[0], right.best[1] if len(right.goals) == 1 else None)


def test_status_and_answer_name_the_same_best(case: Case) -> None:
    right = case.right
    with StudyReader(case.root, case.name, fresh=False) as reader:
        status, selection, ended = reader.status(), reader.selection(), finished_trials(reader.file, reader.spec)
    answer: Answer = answer_of(reader.spec, status, selection)
    broken = [name for t in right.history.trials if t.state is TrialState.COMPLETED for name, _ in right.broken(t)]

    assert ((status.best.trial, status.best.value) if status.best else (None, None)) == right.best
    assert (status.incumbent.trial if status.incumbent else None) == right.incumbent
    assert (answer.trial, answer.value) == right.best
    assert (answer.selection is not None) == right.stands
    assert {one.metric: one.n_broken for one in status.constraints} == {
        limit.metric: broken.count(limit.metric) for limit in right.history.spec.constraints
    }
    assert sum(status.counts.values()) == len(right.history.trials)
    told = {one.trial for one in ended if one.is_best}
    assert told <= {trial.number for trial in right.competing}
    if status.front:
        assert ({one.trial for one in status.front.trials}, status.front.knee) == (right.front, right.incumbent)
    if len(right.goals) == 1 and right.incumbent is not None:
        assert status.best_so_far[-1] == right.value_of(right.incumbent)
        assert right.value_of(right.incumbent) in {right.value_of(number) for number in told}


def test_the_page_and_the_board_name_the_same_best(case: Case) -> None:
    right, spec = case.right, case.right.history.spec
    with StudyReader(case.root, case.name, fresh=False) as reader:
        status, selection = reader.status(), reader.selection()
    shown = {"outside_space": "outside", "breaks_constraint": "infeasible"}
    states = [shown.get(right.reason(one) or "", right.state(one)) for one in right.history.trials]
    steps, board = best_so_far(case.file, spec), leaderboard(case.file, spec, status.front, selection)
    least = min((right.losses(trial)[0] for trial in right.competing), default=None)

    assert list(draw_trials(case.file, spec).state) == states
    assert +Counter(_counts(case.file, spec, status)) == Counter(states)
    assert (steps.value[-1] if steps.value else None) == (None if least is None else right.goals[0].loss(least))
    assert set(steps.number) <= {trial.number for trial in right.competing}
    assert {row["trial"] for row in board} <= {trial.number for trial in right.competing}
    assert [one.trial for one in measured(case.file, spec) if one.is_kept] == [t.number for t in right.competing]
    if len(right.goals) == 1:
        assert [row["trial"] for row in board[:1]] == ([] if right.incumbent is None else [right.incumbent])
    assert measured_history(case.file, spec).leaders == right.history.leaders
    assert draw_curves(case.file, spec, ()).rungs == ((3,) if spec.fidelity.schedule == "asha" else ())
    assert case.sql("SELECT rungs FROM studies WHERE study = ?") == [(list(spec.rungs),)]


def test_the_analysis_ranks_the_same_trials(case: Case) -> None:
    right, history = case.right, case.right.history
    if not right.competing:
        if history.completed:
            with pytest.raises(NoTrialSucceededError):
                ranked(history, right.goals[0])
        return
    order = sorted(right.competing, key=lambda trial: (right.losses(trial)[0], trial.number))

    assert [one.number for one in ranked(history, right.goals[0])] == [one.number for one in order]
    assert [one.number for one in contenders(history)] == [one.number for one in right.competing]
    assert _answer_of(history) == right.best[0]


def test_only_a_trial_that_competes_is_news() -> None:
    told = [one for seed in range(30) for one in _told(Life(f"s{seed}", seed))]

    assert told.count((True, True)) > 20
    assert {said == right for said, right in told} == {True}


def _told(life: Life) -> Iterator[tuple[bool, bool]]:
    """Of each trial that was completed: whether it was called an improvement, and whether it was one."""
    before = None
    for event in life.events(60):
        after = life.history
        if before is not None and isinstance(event, TrialEvaluated) and event.evaluation.replicate is None:
            trial, right = after.trials[event.trial], Oracle(after)
            rivals = [right.losses(one) for one in Oracle(before).competing]
            is_better = right.reason(trial) is None and any(
                all(right.losses(trial)[at] < one[at] for one in rivals) for at in range(len(right.goals))
            )
            if trial.state is TrialState.COMPLETED:
                yield is_improvement(before, trial), is_better
        before = after
