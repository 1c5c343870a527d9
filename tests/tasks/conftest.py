"""A study with a history, for the tasks' own arithmetic."""

import pytest

from pegbox.schemas.decision import Start
from pegbox.schemas.events import DecisionMade, StudyOpened
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec


@pytest.fixture
def spec() -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "hill",
            "train": {"kind": "function", "function": "math:sin", "epochs": 9},
            "space": {"x": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": "value"},
            "search": {"method": "random"},
            "budget": {"trials": 4},
            "finalists": {"top": 2, "seeds": 2},
        }
    )


@pytest.fixture
def history(spec: StudySpec) -> History:
    opened = StudyOpened(study="hill", spec=spec)
    started = DecisionMade(
        study="hill",
        number=0,
        saw=1,
        elapsed_seconds=0.0,
        decision=Start(configuration={"x": 0.25}, to_budget=9),
        trial=0,
        seed=7,
    )
    replayed = History.replay([opened, started])
    assert replayed is not None
    return replayed
