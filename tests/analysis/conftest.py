"""Histories for the tests of this room: written down, not trained."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState

HistoryMaker = Callable[..., History]


@pytest.fixture
def make_history() -> HistoryMaker:
    """Builds a history of completed trials from their values and, by trial number, their values on fresh seeds."""

    def make(
        values: Sequence[float | None],
        replicates: dict[int, Sequence[float | None]] | None = None,
        goal: str = "minimize",
        seconds: Sequence[float] | None = None,
        parameters: Sequence[float] | None = None,
        configurations: Sequence[dict[str, Any]] | None = None,
        space: dict[str, Any] | None = None,
        **changes: Any,
    ) -> History:
        spec = StudySpec.model_validate(
            {
                "name": "written-down",
                "train": {"kind": "function", "function": "my_project:train", "epochs": 9},
                "space": space or {"x": {"min": 0.0, "max": 1.0}},
                "objective": {"metric": "loss", "goal": goal},
                "budget": {"trials": 100},
                "finalists": {"top": 5, "seeds": 5},
                **changes,
            }
        )
        trials = []
        for number, value in enumerate(values):
            cost = 1.0 if seconds is None else seconds[number]
            weights = {} if parameters is None else {"parameters": parameters[number]}
            fresh = (replicates or {}).get(number, ())
            trials.append(
                Trial(
                    number=number,
                    seed=number,
                    configuration={"x": number / 100} if configurations is None else configurations[number],
                    state=TrialState.FAILED if value is None else TrialState.COMPLETED,
                    budget=9,
                    evaluations=() if value is None else (Evaluation(budget=9, metrics={"loss": value}, seconds=cost),),
                    replicates=tuple(
                        Evaluation(budget=9, metrics={"loss": one, **weights}, seconds=cost, replicate=seed)
                        for seed, one in enumerate(fresh)
                        if one is not None
                    ),
                )
            )
        return History(spec=spec, trials=tuple(trials))

    return make
