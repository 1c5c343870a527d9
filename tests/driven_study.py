"""A study driven without a flow: its own strategy decides, a function of the configuration answers at once."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from pegbox.analysis.elimination import next_replicates
from pegbox.analysis.selection import select_winner
from pegbox.schemas.base import Configuration, Metrics
from pegbox.schemas.decision import Done, Stop, Wait
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.events import (
    MetricsReported,
    RunStarted,
    SearchEnded,
    SelectionMade,
    TrialEvaluated,
    TrialFailed,
)
from pegbox.schemas.failure import Failure
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.decision_events import decide
from pegbox.search.narrowed_space import study_strategy
from pegbox.storage.store import open_store
from pegbox.storage.study_log import StudyLog, open_study

SECONDS_AN_EPOCH = 2.0
FRESH = 1000
"""Seeds of replicates begin here."""

Training = Callable[[Configuration, int, int], Metrics | Failure]
"""Configuration, epochs and seed to what is measured, or to how it fails."""


def drive(root: Path, spec: StudySpec, training: Training, most_decisions: int | None = None) -> None:
    """Go on with a study to its end and select a winner; interrupted after so many decisions, where there is a limit.

    Raises:
        NoTrialSucceededError: As the flow would.
    """
    with open_study(open_store(root), spec, RunStarted(study=spec.name, run=uuid4().hex, host="h", pid=1)) as log:
        if not _search(log, training, most_decisions):
            log.close("interrupted")
            return
        try:
            _select(log, training)
        except NoTrialSucceededError:
            log.close("failed")
            raise
        log.close("completed")


def _search(log: StudyLog, training: Training, most_decisions: int | None) -> bool:
    """True if the search came to its end."""
    strategy, clock, n_made = study_strategy(log.history.spec), log.history.elapsed_seconds, 0
    study = log.history.spec.name
    for trial in log.history.running:
        _train(log, trial, training)
    while most_decisions is None or n_made < most_decisions:
        made = decide(log.history.at(clock), strategy)
        assert not isinstance(made, Wait)
        if isinstance(made, Done):
            log.record(SearchEnded(study=study, reason=made.reason, elapsed_seconds=clock))
            return True
        number, decision = made.trial, made.decision
        after, n_made = log.record(made), n_made + 1
        if not isinstance(decision, Stop):
            clock += SECONDS_AN_EPOCH * (decision.to_budget - after.trials[number].budget)
            _train(log, after.trials[number], training)
    return False


def _train(log: StudyLog, trial: Trial, training: Training) -> None:
    study, budget = log.history.spec.name, trial.to_budget
    found = training(trial.configuration, budget, trial.number)
    if isinstance(found, Failure):
        log.record(TrialFailed(study=study, trial=trial.number, attempt=trial.attempt, failure=found, final=True))
        return
    for epoch in range(trial.budget + 1, budget + 1):
        metrics = training(trial.configuration, epoch, trial.number)
        if not isinstance(metrics, Failure):
            log.report(
                MetricsReported(
                    study=study, trial=trial.number, attempt=1, fold=0, seed=trial.number, step=epoch, metrics=metrics
                )
            )
    evaluation = Evaluation(budget=budget, metrics=found, seconds=SECONDS_AN_EPOCH * budget)
    state = TrialState.COMPLETED if budget == log.history.spec.full_budget else TrialState.PAUSED
    log.record(TrialEvaluated(study=study, trial=trial.number, evaluation=evaluation, state=state))


def _select(log: StudyLog, training: Training) -> None:
    study, budget = log.history.spec.name, log.history.spec.full_budget
    while missing := next_replicates(log.history.within_space()):
        for one in missing:
            trial, seed = log.history.trials[one.trial], one.replicate or 0
            found = training(trial.configuration, budget, FRESH + seed)
            if isinstance(found, Failure):
                log.record(TrialFailed(**dict(one), study=study, attempt=1, failure=found, final=True))
                continue
            evaluation = Evaluation(budget=budget, metrics=found, seconds=SECONDS_AN_EPOCH * budget, replicate=seed)
            log.record(TrialEvaluated(study=study, trial=one.trial, evaluation=evaluation, state=trial.state))
    selection = select_winner(log.history.within_space())
    if selection != log.history.selection:
        log.record(SelectionMade(study=study, run=log.run, selection=selection))
