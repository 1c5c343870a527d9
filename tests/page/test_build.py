"""The page says what the history says, of all trials, and says it where it draws only some."""

from pathlib import Path

import pytest
from scipy.stats import spearmanr
from simulated_study import Simulation, write_simulation

from pegbox.page.analysis_blocks import analyse
from pegbox.page.build import build_page
from pegbox.page.document import StudyPage
from pegbox.page.trials_block import best_so_far, draw_trials
from pegbox.report.explain import explain_study
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import RunStarted
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study


@pytest.fixture(scope="module")
def history(simulated_store: Path) -> History:
    with HistoryFile(StoreLayout(simulated_store)) as file:
        return file.history("higgs-mlp")


def test_counts_are_those_of_the_whole_history(simulated_page: StudyPage, history: History) -> None:
    states = [trial.state for trial in history.trials]

    assert simulated_page.head.n_trials == len(states)
    assert simulated_page.head.counts == {state: states.count(state) for state in set(states)}
    assert simulated_page.head.state == "finished"


def test_knobs_are_those_that_explain_shows(simulated_page: StudyPage, simulated_store: Path) -> None:
    explained = explain_study(simulated_store, "higgs-mlp")

    assert [one.budget for one in simulated_page.analysis.effects] == [explained.effects.budget, explained.costs.budget]
    assert [(row.name, row.share, row.verdict) for row in simulated_page.analysis.knobs.rows] == [
        (row.name, row.total, row.verdict) for row in explained.importance.parameters
    ]
    assert [row.text for row in simulated_page.analysis.advice] == [one.what for one in explained.advice]


def test_each_trial_stands_with_its_own_values(simulated_page: StudyPage, history: History) -> None:
    trials = simulated_page.trials

    assert trials.number == tuple(trial.number for trial in history.trials)
    assert trials.metrics["val_loss"] == tuple(trial.value("val_loss") for trial in history.trials)
    assert trials.parameters["lr"] == tuple(trial.configuration["lr"] for trial in history.trials)
    assert trials.rungs[3] == tuple(trial.value("val_loss", 3) for trial in history.trials)


def test_categories_are_positions_and_inactive_is_none(simulated_page: StudyPage, history: History) -> None:
    activations = ("relu", "gelu", "silu", "tanh")
    columns = simulated_page.trials.parameters

    assert columns["activation"] == tuple(
        activations.index(trial.configuration["activation"]) for trial in history.trials
    )
    assert columns["momentum"] == tuple(trial.configuration.get("momentum") for trial in history.trials)
    assert "patience" not in columns


def test_best_so_far_only_improves_and_ends_at_the_best(simulated_page: StudyPage, history: History) -> None:
    best = simulated_page.best

    assert list(best.value) == sorted(best.value, reverse=True)
    assert list(best.finished) == sorted(best.finished)
    assert best.value[-1] == min(trial.value("val_loss") for trial in history.completed)


def test_best_so_far_climbs_where_large_is_good(tmp_path: Path) -> None:
    objective = {"metric": "val_accuracy", "goal": "maximize"}
    store = write_simulation(tmp_path, Simulation("up", n_trials=20, objective=objective))
    spec = StudySpec.model_validate(Simulation("up", n_trials=20, objective=objective).spec.model_dump())

    with HistoryFile(store) as file:
        best = best_so_far(file, spec)
        values = [trial.value("val_accuracy") for trial in file.history("up").completed]

    assert list(best.value) == sorted(best.value)
    assert best.value[-1] == max(values)


def test_rung_correlation_is_spearmans_of_all_that_arrived(simulated_page: StudyPage, history: History) -> None:
    early = [trial.value("val_loss", 9) for trial in history.completed]
    late = [trial.value("val_loss", 27) for trial in history.completed]
    row = next(row for row in simulated_page.rungs if row.budget == 9)

    assert row.n_trials == len(history.completed)
    assert row.correlation == pytest.approx(spearmanr(early, late).statistic)
    assert row.winner_rank == sorted(early).index(early[late.index(min(late))]) + 1


def test_sample_holds_the_best_and_says_that_it_is_one(simulated_store: Path, history: History) -> None:
    with HistoryFile(StoreLayout(simulated_store)) as file:
        drawn = draw_trials(file, history.spec, most=40)
    ranked = sorted(history.completed, key=lambda trial: trial.value("val_loss") or 0.0)

    assert len(drawn.number) == 40
    assert {trial.number for trial in ranked[:2]} <= set(drawn.number)
    assert sum(number >= 60 for number in drawn.number) >= 10  # drawn from the whole, not from its beginning
    assert drawn.n_total == 120
    assert drawn.note.startswith("40 of 120 trials are drawn")


def test_failures_of_one_cause_are_one_group(simulated_page: StudyPage, history: History) -> None:
    groups = simulated_page.failures

    assert sum(group.n_trials for group in groups) == len(history.failed)
    assert {group.kind for group in groups} == {trial.failure.kind for trial in history.failed if trial.failure}
    assert all("RuntimeError" in group.traceback for group in groups)


def test_idle_share_is_what_the_bars_leave_free(simulated_page: StudyPage) -> None:
    bars = simulated_page.timeline.bars
    offered = 4 * (max(bar.end for bar in bars) - min(bar.start for bar in bars))
    busy = sum(bar.end - bar.start for bar in bars)

    assert simulated_page.timeline.idle_share == pytest.approx(1 - busy / offered)


def test_answer_is_the_selection(simulated_page: StudyPage, history: History) -> None:
    selection = history.selection
    answer = simulated_page.answer

    assert selection is not None
    assert answer is not None
    assert answer.trial == selection.winner
    assert answer.test_metrics == selection.test_metrics
    assert [row.trial for row in simulated_page.analysis.sureness.finalists] == [
        one.trial for one in selection.finalists
    ]


def test_a_study_without_trials_has_a_page(tmp_path: Path) -> None:
    spec = Simulation("empty", n_trials=1).spec
    with open_study(open_store(tmp_path), spec, RunStarted(study="empty", run="r", host="here", pid=1)):
        pass

    page = build_page(tmp_path, "empty", 0.0, analyse)

    assert page.answer is None
    assert page.trials.number == ()
    assert page.analysis.knobs.rows == ()
    assert "No trial has reached" in page.analysis.sureness.sentence


def test_an_unknown_study_is_named_with_the_known(simulated_store: Path) -> None:
    with pytest.raises(NotFoundError, match=r"higgs-mpl.*Did you mean 'higgs-mlp'"):
        build_page(simulated_store, "higgs-mpl", 0.0, analyse)


def test_states_of_unfinished_trials_are_drawn_without_an_end(tmp_path: Path) -> None:
    simulation = Simulation("running", n_trials=3)
    with open_study(
        open_store(tmp_path), simulation.spec, RunStarted(study="running", run="r", host="h", pid=1)
    ) as study:
        study.record(*[event for _, event in simulation.events() if event.type == "decision_made"][:1])

    page = build_page(tmp_path, "running", 0.0, analyse)

    assert page.trials.state == (TrialState.PROPOSED,)
    assert page.trials.finished == (None,)


def test_two_objectives_have_a_page(tmp_path: Path) -> None:
    objectives = [{"metric": "val_loss"}, {"metric": "latency_ms"}]
    write_simulation(tmp_path, Simulation("two", n_trials=30, objective=None, objectives=objectives))

    page = build_page(tmp_path, "two", 0.0, analyse)

    assert [goal.metric for goal in page.head.goals] == ["val_loss", "latency_ms"]
    assert page.answer is not None
    assert page.answer.trial in page.trials.number
    assert page.analysis.sureness.chance_of == "P(on the front)"
    assert "in every objective" in page.analysis.sureness.sentence
