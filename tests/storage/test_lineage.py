"""Populations in the history: the view `lineage`, epochs that are counted once, decisions that come out again."""

from io import StringIO
from pathlib import Path

import pytest
from driven_study import drive
from rich.console import Console
from tests.search.population.simulated_population import by_rate, population_study

from pegbox.cli.answer_panel import draw_answer
from pegbox.cli.console import THEME
from pegbox.report.answer import study_answer
from pegbox.report.markdown import answer_page
from pegbox.report.replay_audit import replay_study
from pegbox.search.limits import committed
from pegbox.storage.history_file import open_history
from pegbox.storage.queries.lineage import lineage, schedule_of
from pegbox.storage.queries.trials import trial_sums


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    drive(root, population_study(finalists={"top": 1, "seeds": 1}), by_rate)
    return root


def test_lineage_says_what_the_history_holds(store: Path) -> None:
    with open_history(store) as file:
        history = file.history("population")
        found = {row.trial: row for row in lineage(file, "population")}
    assert sorted(found) == [trial.number for trial in history.trials]
    for trial in history.trials:
        row = found[trial.number]
        assert (row.parent, row.replaces, row.from_budget) == (trial.parent, trial.replaces, trial.inherited)
        assert (row.generation, row.budget, row.value) == (len(trial.earlier), trial.budget, trial.value("val_loss"))
        before = trial.earlier[-1].configuration if trial.earlier else trial.configuration
        assert set(row.changed) == {name for name in before if before[name] != trial.configuration[name]}


def test_copies_take_the_places_of_six_members(store: Path) -> None:
    with open_history(store) as file:
        found = lineage(file, "population")
    assert {row.member for row in found} == set(range(6))
    member = {row.trial: row.member for row in found}
    assert all(member[row.replaces] == row.member for row in found if row.replaces is not None)


def test_schedule_is_told_as_the_history_has_it(store: Path) -> None:
    with open_history(store) as file:
        history = file.history("population")
        told = {trial.number: schedule_of(file, "population", trial.number) for trial in history.completed}
    assert told == {trial.number: trial.schedule if trial.earlier else () for trial in history.completed}


def test_answer_tells_the_schedule_of_the_winner(store: Path) -> None:
    answer = study_answer(store, "population")
    assert answer.trial is not None
    with open_history(store) as file:
        winner = file.history("population").trials[answer.trial]
    assert answer.hyperparameters == winner.schedule
    assert list(answer.hyperparameters[0].configuration)[:2] == ["lr", "dropout"]
    console = Console(width=100, record=True, file=StringIO(), theme=THEME)
    console.print(draw_answer(answer, 100))
    told = console.export_text()
    assert "These are the last values of a schedule:" in told
    assert told.count("epoch") >= len(winner.schedule)
    assert "a schedule" in answer_page(answer, "<svg/>")


def test_epochs_are_counted_once(store: Path) -> None:
    with open_history(store) as file:
        history, sums = file.history("population"), trial_sums(file, "population")
    assert sums.epochs == sum(committed(trial) for trial in history.trials) == 72
    assert sums.trained_epochs == 72


def test_every_decision_comes_out_again(store: Path) -> None:
    replay = replay_study(store, "population")
    assert replay.is_exact
    assert replay.n_decisions >= 30
