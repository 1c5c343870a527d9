"""A search whose driver is started anew at every decision decides as one that never stopped."""

import numpy as np
import optuna
import pytest

from pegbox.schemas.decision import Done, Wait
from pegbox.schemas.events import EVENT, DecisionMade, Event, StudyOpened, TrialEvaluated
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.search.decision_events import decide
from pegbox.search.narrowed_space import study_strategy
from pegbox.search.strategy import Strategy
from pegbox.testing.studies import bowl, study

METHODS = ("auto", "random", "grid", "sobol", "bayes", "genetic")
SCHEDULES = ("full", "median", "halving", "asha", "hyperband")


def _search(spec: StudySpec, *, restarts: bool) -> list[Event]:
    """One worker; with restarts, nothing but the text of the events is carried from one decision to the next."""
    events: list[Event] = [StudyOpened(study=spec.name, spec=spec)]
    strategy: Strategy = study_strategy(spec)
    while True:
        if restarts:
            events = [EVENT.validate_json(event.model_dump_json()) for event in events]
            strategy = study_strategy(spec)
        history = History.replay(events)
        assert history is not None
        made = decide(history, strategy)
        if isinstance(made, Wait | Done):
            return events
        events.append(made)
        if made.decision.kind != "stop":
            events.append(_trained(history.after(made), made))


def _trained(history: History, made: DecisionMade) -> TrialEvaluated:
    trial = history.trials[made.trial]
    outcome = bowl(trial.configuration, trial.budget, trial.to_budget)
    return TrialEvaluated(
        study=made.study,
        trial=made.trial,
        evaluation=Evaluation(budget=trial.to_budget, metrics=outcome.result),
        state=TrialState.COMPLETED if trial.to_budget == history.spec.full_budget else TrialState.PAUSED,
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_sampler_goes_on_bit_for_bit_after_restarts(method: str) -> None:
    spec = study(search={"method": method}, budget={"trials": 14})

    assert _search(spec, restarts=True) == _search(spec, restarts=False)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_goes_on_bit_for_bit_after_restarts(schedule: str) -> None:
    spec = study(search={"method": "random"}, fidelity={"schedule": schedule}, budget={"trials": 14})

    assert _search(spec, restarts=True) == _search(spec, restarts=False)


def test_freeze_thaw_goes_on_bit_for_bit_after_restarts() -> None:
    spec = study(search={"method": "freeze_thaw"}, budget={"trials": 8})

    assert _search(spec, restarts=True) == _search(spec, restarts=False)


def test_restarted_study_proposes_nothing_twice_where_optunas_does() -> None:
    """Optuna seeds its sampler, not its decisions: after a restart the seeded sampler begins anew."""
    space = {"x": optuna.distributions.FloatDistribution(0.0, 1.0)}
    optuna_study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    theirs = []
    for _ in range(2):
        optuna_study.sampler = optuna.samplers.RandomSampler(seed=0)  # what a script that is run again does
        trial = optuna_study.ask(space)
        theirs.append(trial.params["x"])
        optuna_study.tell(trial, 0.0)
    events = _search(study({"x": {"min": 0.0, "max": 1.0}}, search={"method": "random"}), restarts=True)
    ours = [event.decision.configuration["x"] for event in events if isinstance(event, DecisionMade)]

    assert theirs[0] == theirs[1]
    assert len(np.unique(ours)) == 20
