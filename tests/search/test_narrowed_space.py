from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from pegbox.schemas.decision import Done, Start, Stop
from pegbox.schemas.events import StudyOpened
from pegbox.schemas.history import History
from pegbox.schemas.trial import TrialState
from pegbox.search.methods import strategy_for
from pegbox.search.narrowed_space import study_strategy
from pegbox.search.simulation import Simulation
from pegbox.testing.studies import bowl, study

WIDE = {"x": {"min": 0.0, "max": 1.0}, "kind": ["a", "b", "c"]}
NARROW = {"x": {"min": 0.0, "max": 0.5}, "kind": ["a", "b"]}
WIDER = {"x": {"min": 0.0, "max": 4.0}, "kind": ["a", "b", "c", "d"]}


def _run(space: Mapping[str, Any], method: str, schedule: str, trials: int = 12) -> History:
    spec = study(dict(space), search={"method": method}, fidelity={"schedule": schedule}, budget={"trials": trials})
    return Simulation(study_strategy(spec), History(spec=spec), bowl, workers=2).run()


def _reopened(history: History, space: Mapping[str, Any], trials: int) -> History:
    raw = history.spec.model_dump(mode="json") | {"space": dict(space), "budget": {"trials": trials}}
    spec = history.spec.model_validate(raw)
    return history.after(StudyOpened(study=spec.name, spec=spec))


@pytest.mark.parametrize("schedule", ["full", "asha", "halving"])
@pytest.mark.parametrize("method", ["random", "sobol", "grid", "bayes", "genetic"])
def test_narrowed_study_goes_on_inside_its_space(method: str, schedule: str) -> None:
    before = _reopened(_run(WIDE, method, schedule), NARROW, trials=24)

    after = Simulation(study_strategy(before.spec), before, bowl, workers=2).run()

    assert len(after.trials) == 24
    assert all(after.space.contains(trial.configuration) for trial in after.trials[12:])
    assert [trial.configuration for trial in after.trials[:12]] == [trial.configuration for trial in before.trials]
    outside = [trial for trial in after.trials if not after.space.contains(trial.configuration)]
    assert outside
    assert all(trial.state.is_finished for trial in outside)


@pytest.mark.parametrize("method", ["random", "sobol", "grid", "bayes", "genetic"])
def test_widened_study_reaches_the_new_part(method: str) -> None:
    before = _reopened(_run(WIDE, method, "full"), WIDER, trials=30)

    after = Simulation(study_strategy(before.spec), before, bowl, workers=2).run()

    assert len(after.trials) == 30
    assert max(float(str(trial.configuration["x"])) for trial in after.trials[12:]) > 1.0
    assert "d" in {trial.configuration["kind"] for trial in after.trials[12:]}


def test_paused_trial_outside_is_stopped_first() -> None:
    history = _reopened(_run(WIDE, "random", "asha"), NARROW, trials=24)
    outside = [
        trial.number
        for trial in history.trials
        if trial.state is TrialState.PAUSED and not history.space.contains(trial.configuration)
    ]

    decision = study_strategy(history.spec).next(history, np.random.default_rng(0))

    assert decision == Stop(trial=outside[0])


def test_trials_outside_count_against_the_budget() -> None:
    history = _reopened(_run(WIDE, "random", "full"), NARROW, trials=12)

    decision = study_strategy(history.spec).next(history, np.random.default_rng(0))

    assert isinstance(decision, Done)


def test_a_space_that_holds_all_trials_changes_no_decision() -> None:
    history = _run(WIDE, "random", "full")
    longer = _reopened(history, WIDE, trials=13)

    decision = study_strategy(longer.spec).next(longer, np.random.default_rng(7))

    assert isinstance(decision, Start)
    assert strategy_for(longer.spec).next(longer, np.random.default_rng(7)) == decision
