"""Every family has its first trials, whatever the search thinks of it; after them the search decides."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.methods import check_search, strategy_for
from pegbox.search.simulation import Outcome, Simulation

ESTIMATOR = {"kind": "sklearn", "estimator": "sklearn.ensemble:RandomForestClassifier"}
NAMES = ("a", "b", "c")
KNOWN = {"family": "b", "b.x": 0.5}


def study(early: int = 3, trials: int = 20, **search: Any) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "several",
            "data": {"source": "sklearn:iris"},
            "train": {"kind": "families", "early": early, "families": dict.fromkeys(NAMES, ESTIMATOR)},
            "space": {
                "family": list(NAMES),
                **{f"{name}.x": {"min": 0.0, "max": 1.0, "when": {"family": name}} for name in NAMES},
            },
            "objective": {"metric": "val_loss"},
            "search": {"seed": 1, **search},
            "budget": {"trials": trials},
        }
    )


def families_of(spec: StudySpec, failing: str = "") -> list[str]:
    """Of the trials in order; the family `a` is the best by far."""
    assert check_search(spec) == ()

    def train(configuration: Any, _from: int, _to: int) -> Outcome:
        family = configuration["family"]
        if family == failing:
            return Outcome(Failure(kind=FailureKind.TIMEOUT, message="it was too slow"))
        return Outcome({"val_loss": {"a": 0.0, "b": 10.0, "c": 20.0}[family] + configuration[f"{family}.x"]})

    trials = Simulation(strategy_for(spec), History(spec=spec), train).run().trials
    return [str(trial.configuration["family"]) for trial in trials]


@pytest.mark.parametrize("method", ["bayes", "random", "optuna:TPESampler"])
def test_each_family_gets_its_first_trials_in_turn(method: str) -> None:
    if method.startswith("optuna"):
        pytest.importorskip("optuna")

    assert families_of(study(trials=9, method=method)) == [*NAMES, *NAMES, *NAMES]


def test_known_configurations_go_first_and_count() -> None:
    found = families_of(study(trials=9, enqueue=[KNOWN]))

    assert found[0] == "b"
    assert Counter(found) == Counter(dict.fromkeys(NAMES, 3))


def test_the_search_decides_after_that() -> None:
    found = families_of(study(early=2, trials=26))

    assert Counter(found[:6]) == Counter(dict.fromkeys(NAMES, 2))
    assert Counter(found[6:])["a"] > 12


def test_no_family_is_given_anything_where_none_is_asked_for() -> None:
    plain = families_of(study(early=0, trials=12, method="random"))

    assert plain[:3] != list(NAMES) or plain[3:6] != list(NAMES)


def test_a_family_whose_trials_all_fail_gets_no_more() -> None:
    found = families_of(study(trials=9, method="random"), failing="b")

    assert Counter(found[:7]) == Counter({"a": 3, "b": 1, "c": 3})


def test_proposals_follow_from_the_history_alone() -> None:
    spec = study()
    first, second = (strategy_for(spec).next(History(spec=spec), np.random.default_rng(5)) for _ in range(2))

    assert first == second
