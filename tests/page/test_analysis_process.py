"""The analysis of a live page says what it knows: nothing yet, something older, all there is, or that it failed."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from simulated_study import Simulation, write_simulation

from pegbox.page import analysis_process
from pegbox.page.analysis_document import Analysis
from pegbox.page.analysis_process import AnalysisProcess
from pegbox.report.explain import explain_study
from pegbox.report.explanation_cache import ExplanationCache
from pegbox.report.study_reader import StudyReader
from pegbox.storage.layout import StoreLayout


@pytest.fixture
def store(tmp_path: Path) -> Path:
    simulation = Simulation("small", n_trials=6)
    simulation.with_curves = False
    write_simulation(tmp_path, simulation)
    return tmp_path


@pytest.fixture
def analyst(store: Path) -> Iterator[AnalysisProcess]:
    opened = AnalysisProcess(store)
    yield opened
    opened.close()


def asked(analyst: AnalysisProcess, store: Path) -> Analysis:
    with StudyReader(store, "small") as reader:
        return analyst.analyse(reader.file, reader.spec, reader.status(), reader.selection())


def settled(analyst: AnalysisProcess, store: Path) -> Analysis:
    """What is said once the process has ended."""
    first = asked(analyst, store)
    deadline = time.monotonic() + 120
    while analyst.n_done == 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    return asked(analyst, store) if analyst.n_done else first


def test_before_it_has_looked_it_says_so_and_advises_nothing(analyst: AnalysisProcess, store: Path) -> None:
    first = asked(analyst, store)

    assert (first.state, first.version, first.advice) == ("computing", 0, ())
    assert settled(analyst, store).state == "ready"


def test_what_was_explained_before_is_there_at_once(
    analyst: AnalysisProcess, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explanation = explain_study(store, "small")
    monkeypatch.setattr(analysis_process.subprocess, "Popen", None)  # nothing needs to be computed

    found = asked(analyst, store)

    assert (found.state, found.version) == ("ready", explanation.version)
    assert [one.text for one in found.advice][:1] == [one.what for one in explanation.advice][:1]


def test_of_an_earlier_version_it_says_that_it_is_older(analyst: AnalysisProcess, store: Path) -> None:
    kept = ExplanationCache(StoreLayout(store), "small")
    kept.keep("0" * 32, explain_study(store, "small").model_copy(update={"version": 3, "advice": ()}))

    found = asked(analyst, store)

    assert (found.state, found.version) == ("older", 3)
    assert found.note == "Computed a moment ago, from fewer trials."


def test_an_analysis_that_failed_is_not_said_to_be_computed(
    analyst: AnalysisProcess, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    found = settled(analyst, store)

    assert (found.state, found.note) == ("failed", analysis_process.FAILED)
