from collections import deque
from typing import Any

import pytest

from pegbox.report.replay_audit import Recorded, replay_events
from pegbox.schemas.decision import Start
from pegbox.schemas.events import DecisionMade, Event, StudyOpened, TrialEvaluated
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.search.decision_events import decide
from pegbox.search.narrowed_space import study_strategy
from pegbox.testing.studies import bowl, study


class _Driver:
    """Drives a study whose training answers at once, with several trials on their way, and keeps its events."""

    def __init__(self, spec: StudySpec) -> None:
        opened = StudyOpened(study=spec.name, spec=spec)
        history = History.replay([opened])
        assert history is not None
        self.history = history
        self.recorded: list[Recorded] = [(1, opened)]

    def record(self, event: Event) -> None:
        self.history = self.history.after(event)
        self.recorded.append((self.history.version, event))

    def reopen(self, spec: StudySpec) -> None:
        self.record(StudyOpened(study=spec.name, spec=spec))

    def run(self, workers: int = 3) -> None:
        strategy = study_strategy(self.history.spec)
        pending: deque[DecisionMade] = deque()
        seconds = 0.0
        while True:
            seconds += 1.5
            made = decide(self.history.at(seconds), strategy) if len(pending) < workers else None
            if isinstance(made, DecisionMade):
                self.record(made)
                if made.decision.kind != "stop":
                    pending.append(made)
            elif pending:
                self._finish(pending.popleft())
            else:
                return

    def _finish(self, made: DecisionMade) -> None:
        trial = self.history.trials[made.trial]
        metrics = bowl(trial.configuration, trial.budget, trial.to_budget).result
        full = self.history.spec.full_budget
        self.record(
            TrialEvaluated(
                study=self.history.spec.name,
                trial=trial.number,
                evaluation=Evaluation(budget=trial.to_budget, metrics=metrics),
                state=TrialState.COMPLETED if trial.to_budget == full else TrialState.PAUSED,
            )
        )


def _recorded(**changes: Any) -> list[Recorded]:
    driver = _Driver(study(**changes))
    driver.run()
    return driver.recorded


@pytest.mark.parametrize("method", ["random", "grid", "sobol", "bayes"])
def test_decisions_with_many_workers_come_out_again(method: str) -> None:
    replay = replay_events("contract", _recorded(search={"method": method}))

    assert replay.n_decisions == 20
    assert replay.differences == ()


@pytest.mark.parametrize("schedule", ["median", "halving", "asha", "hyperband"])
def test_promotions_with_many_workers_come_out_again(schedule: str) -> None:
    replay = replay_events("contract", _recorded(search={"method": "random"}, fidelity={"schedule": schedule}))

    assert replay.n_decisions > 20
    assert replay.is_exact


def test_decision_that_was_tampered_with_is_named_alone() -> None:
    recorded = _recorded(search={"method": "random"})
    position = next(p for p, (_, event) in enumerate(recorded) if isinstance(event, DecisionMade) and event.number == 7)
    version, made = recorded[position]
    assert isinstance(made, DecisionMade)
    assert isinstance(made.decision, Start)
    forged = made.decision.model_copy(update={"configuration": {**made.decision.configuration, "dropout": 0.125}})
    recorded[position] = (version, made.model_copy(update={"decision": forged}))

    replay = replay_events("contract", recorded)

    assert [difference.decision for difference in replay.differences] == [7]
    assert "0.125" in replay.differences[0].recorded
    assert "0.125" not in replay.differences[0].recomputed


def test_history_version_that_was_not_seen_is_a_difference() -> None:
    recorded = _recorded(search={"method": "random"})
    version, made = recorded[1]
    assert isinstance(made, DecisionMade)
    recorded[1] = (version, made.model_copy(update={"saw": 0}))

    replay = replay_events("contract", recorded)

    assert [difference.decision for difference in replay.differences] == [0]


def test_study_that_was_opened_again_is_decided_by_its_later_specification() -> None:
    driver = _Driver(study(search={"method": "random"}, budget={"trials": 5}))
    driver.run()
    driver.reopen(study(search={"method": "sobol"}, budget={"trials": 10}))
    driver.run()

    replay = replay_events("contract", driver.recorded)

    assert replay.n_decisions == 10
    assert replay.is_exact
