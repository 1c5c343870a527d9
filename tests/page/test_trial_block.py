"""A trial's page says what the history says of that trial, and refuses one that there is not."""

from pathlib import Path

import pytest

from pegbox.page import trial_block
from pegbox.page.document import StudyPage
from pegbox.page.live_pages import LivePages
from pegbox.page.trial_block import trial_life, trial_lives
from pegbox.page.trial_document import TrialLife
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.history import History
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout


@pytest.fixture(scope="module")
def history(simulated_store: Path) -> History:
    with HistoryFile(StoreLayout(simulated_store)) as file:
        return file.history("higgs-mlp")


def test_every_trial_of_a_small_study_is_told_in_its_file(simulated_page: StudyPage, history: History) -> None:
    assert [one.number for one in simulated_page.lives] == [trial.number for trial in history.trials]
    assert [one.exact for one in simulated_page.lives] == [dict(trial.configuration) for trial in history.trials]
    assert [one.value for one in simulated_page.lives] == [trial.value("val_loss") for trial in history.trials]


def test_a_life_holds_rungs_fresh_seeds_and_whole_curves(simulated_page: StudyPage, history: History) -> None:
    winner = simulated_page.lives[simulated_page.analysis.sureness.finalists[0].trial]

    assert [(one.budget, one.replicate) for one in winner.measured] == [
        *((rung, None) for rung in (3, 9, 27)),
        *((27, seed) for seed in range(5)),
    ]
    loss = next(one for one in winner.curves if one.metric == "val_loss")
    assert loss.steps == tuple(range(1, 28))
    assert loss.values[-1] == history.trials[winner.number].value("val_loss")
    assert [one.to_budget for one in winner.stretches] == [3, 9, 27]
    assert [one.kind for one in winner.decisions] == ["start", "continue", "continue"]


def test_a_failed_trial_tells_its_traceback_and_why_it_cannot_win(simulated_page: StudyPage) -> None:
    failed = next(one for one in simulated_page.lives if one.state == "failed")

    assert failed.excluded == "It failed."
    assert failed.place is None
    assert "RuntimeError: CUDA out of memory" in failed.attempts[0].traceback


def test_places_are_those_of_the_trials_that_compete(simulated_page: StudyPage, history: History) -> None:
    placed = sorted((one for one in simulated_page.lives if one.place is not None), key=lambda one: one.place or 0)

    assert [one.place for one in placed] == list(range(1, len(placed) + 1))
    assert {one.number for one in placed} == {t.number for t in history.trials if t.state is TrialState.COMPLETED}
    assert [one.value for one in placed] == sorted(one.value for one in placed if one.value is not None)


def test_a_large_study_tells_the_named_the_best_and_failed_ones(
    simulated_store: Path, history: History, simulated_page: StudyPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_block, "MOST_LIVES", 30)
    with HistoryFile(StoreLayout(simulated_store)) as file:
        told = trial_block.told_lives(file, history.spec, always=(7, 119))

    assert len(told) == 30
    assert {7, 119, *simulated_page.best.number[-1:]} <= {one.number for one in told}
    assert {"completed", "failed", "stopped"} <= {one.state for one in told}


def test_curves_beyond_the_bounds_are_thinned_and_counted(
    simulated_store: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_block, "MOST_CURVES", 2)
    monkeypatch.setattr(trial_block, "MOST_STEPS", 10)
    number = next(trial.number for trial in history.trials if trial.state is TrialState.COMPLETED)
    with HistoryFile(StoreLayout(simulated_store)) as file:
        (life,) = trial_lives(file, history.spec, [number])

    assert life.curves_note == "2 of 3 curves are here; `pegbox sql` has all."
    assert [len(one.steps) for one in life.curves] == [9, 9]
    assert life.curves[0].steps[-1] == 27


def test_a_number_that_no_trial_has_is_refused_with_those_there_are(simulated_store: Path, history: History) -> None:
    with (
        HistoryFile(StoreLayout(simulated_store)) as file,
        pytest.raises(NotFoundError, match=r"'higgs-mlp' has no trial 999\. Its trials are numbered 0 to 119\."),
    ):
        trial_life(file, history.spec, 999)


def test_the_live_host_tells_the_same_life_as_the_file(simulated_store: Path, simulated_page: StudyPage) -> None:
    pages = LivePages(simulated_store)
    told = TrialLife.model_validate_json(pages.trial("higgs-mlp", 35))
    pages.close()

    assert told == simulated_page.lives[35]
