import json

import numpy as np
import pytest

from pegbox.schemas.decision import Start
from pegbox.schemas.events import DecisionMade, RunStarted, TrialEvaluated
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study


@pytest.fixture(scope="module")
def ranked_store(tmp_path_factory):
    """A study of 40 trials whose loss depends on lr alone; two of them were trained on fresh seeds."""
    root = tmp_path_factory.mktemp("ranked")
    spec = StudySpec.model_validate(
        {
            "name": "ranked",
            "train": {"kind": "function", "function": "my_project:train"},
            "space": {"lr": {"min": 1e-5, "max": 1e-1, "log": True}, "kind": ["[big]", "small"]},
            "objective": {"metric": "loss"},
            "budget": {"trials": 40},
        }
    )
    rng = np.random.default_rng(0)
    with open_study(open_store(root), spec, RunStarted(study="ranked", run="r", host="h", pid=1)) as log:
        for number in range(40):
            configuration = {"lr": float(10 ** rng.uniform(-5, -1)), "kind": ["[big]", "small"][rng.integers(2)]}
            loss = float((np.log10(configuration["lr"]) + 3) ** 2 + 0.05 * rng.standard_normal())
            start = Start(configuration=configuration, to_budget=1)
            fresh = [(seed, loss + 0.01 * seed) for seed in range(3)] if number < 2 else []
            evaluations = [
                Evaluation(budget=1, metrics={"loss": loss}, seconds=2.0),
                *(Evaluation(budget=1, metrics={"loss": value}, replicate=seed) for seed, value in fresh),
            ]
            log.record(
                DecisionMade(
                    study="ranked", number=number, saw=1, elapsed_seconds=1, decision=start, trial=number, seed=0
                ),
                *(
                    TrialEvaluated(study="ranked", trial=number, evaluation=one, state=TrialState.COMPLETED)
                    for one in evaluations
                ),
            )
        log.close("completed")
    return root


def test_explain_ranks_the_knobs_and_says_how_far(pegbox, ranked_store):
    said = pegbox("explain", "--store", ranked_store)

    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "ranked   40 trials"
    assert lines[3].split()[0] == "lr"
    assert lines[3].endswith("matters")
    assert "For loss, from 40 trials: lr matters" in said.out
    assert "[big] or small" in said.out


def test_explain_gives_json_to_programs(pegbox, ranked_store):
    found = json.loads(pegbox("explain", "ranked", "--json", "--store", ranked_store).out)

    assert found["importance"]["parameters"][0]["name"] == "lr"


def test_explain_of_a_small_study_is_honest(pegbox, store):
    said = pegbox("explain", "done", "--store", store)

    assert said.code == 0
    assert "too few to rank 2 hyperparameters" in said.out


def test_compare_names_the_better_trial_and_the_differences(pegbox, ranked_store):
    said = pegbox("compare", "0", "1", "--store", ranked_store)

    assert said.code == 0
    assert "is better than" in said.out.splitlines()[0]
    assert "lr:" in said.out
    assert "(mean of 3)" in said.out


def test_compare_with_a_trial_that_is_not_there_says_so(pegbox, ranked_store):
    said = pegbox("compare", "0", "400", "--store", ranked_store)

    assert said.code == 1
    assert "has no trial 400: it has 40, counted from 0" in said.err


def test_compare_gives_json_to_programs(pegbox, ranked_store):
    found = json.loads(pegbox("compare", "0", "5", "--json", "--store", ranked_store).out)

    assert found["probability_left"] is None
    assert found["differences"][0]["name"] == "lr"


def test_compare_says_how_much_better_and_how_sure(pegbox, ranked_store):
    said = pegbox("compare", "0", "1", "--store", ranked_store)

    assert "The first against the second: " in said.out
    assert "95 % interval; P(better)" in said.out
