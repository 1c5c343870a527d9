import json

import pytest

from pegbox.schemas.events import DecisionMade, RunStarted, TrialEvaluated
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.search.decision_events import decide
from pegbox.search.narrowed_space import study_strategy
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study


@pytest.fixture
def decided(tmp_path):
    """A store with a study of three trials that its own strategy decided."""
    spec = StudySpec.model_validate(
        {
            "name": "decided",
            "train": {"kind": "function", "function": "train:run"},
            "space": {"lr": {"min": 1e-4, "max": 1.0, "log": True}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "budget": {"trials": 3},
        }
    )
    strategy = study_strategy(spec)
    with open_study(open_store(tmp_path), spec, RunStarted(study="decided", run="r", host="h", pid=1)) as log:
        for number in range(3):
            made = decide(log.history, strategy)
            assert isinstance(made, DecisionMade)
            evaluation = Evaluation(budget=1, metrics={"loss": 1.0})
            value = TrialEvaluated(study="decided", trial=number, evaluation=evaluation, state=TrialState.COMPLETED)
            log.record(made, value)
    return tmp_path


def test_exact_study_is_said_to_be_so(pegbox, decided):
    said = pegbox("replay", "decided", "--store", decided)

    assert said.code == 0
    assert said.out == "decided: all 3 decisions come out as they were recorded.\n"


def test_differences_are_shown_side_by_side(pegbox, store):
    said = pegbox("replay", "done", "--store", store)

    assert said.code == 1
    assert "recorded    decision 0 from version 0: start trial 0" in said.out
    assert "recomputed  decision 0 from version 2: start trial 0" in said.out
    assert "4 of 4 decisions come out differently" in said.out


def test_replay_is_printed_as_json(pegbox, decided):
    said = pegbox("replay", "decided", "--store", decided, "--json")

    assert json.loads(said.out) == {"study": "decided", "n_decisions": 3, "differences": []}


def test_unknown_study_is_named(pegbox, decided):
    said = pegbox("replay", "decide", "--store", decided)

    assert said.code == 1
    assert "no study 'decide'. Did you mean 'decided'" in said.err
