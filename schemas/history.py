"""The history of a study as a strategy sees it: a fold over its events, the same live, resumed and replayed."""

from collections.abc import Iterable
from functools import cached_property
from math import sqrt
from statistics import pvariance
from typing import Self

import numpy as np
from pydantic import Field

from pegbox.schemas.base import Schema
from pegbox.schemas.code import Code
from pegbox.schemas.competition import Leaders, excluded_by, keeps_constraints, leaders_of, losses_of, may_win
from pegbox.schemas.decision import Continue, Fork, Start, Stop
from pegbox.schemas.events import (
    DecisionMade,
    Driven,
    Event,
    RunStarted,
    SearchEnded,
    SegmentStarted,
    SelectionMade,
    StudyOpened,
    StudyRenamed,
    TrialEvaluated,
    TrialFailed,
    TrialReopened,
    TrialRetried,
    WarmStartChosen,
)
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Selection
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import FINISHED, Evaluation, Segment, Stage, Trial, TrialState
from pegbox.schemas.trials_by_state import ActiveTrials, CompetingTrials, CompletedTrials, FailedTrials
from pegbox.schemas.warm_start import EarlierStudy

_OfTrial = SegmentStarted | TrialEvaluated | TrialFailed | TrialRetried | TrialReopened


class History(Schema):
    """Everything that was decided and measured in one study, at one version."""

    spec: StudySpec
    trials: tuple[Trial, ...] = ()
    """By number."""
    n_decisions: int = 0
    version: int = 0
    """Counts the events that were folded in."""
    elapsed_seconds: float = Field(default=0.0, ge=0)
    """Running time of the study over all its runs, as the driver last said."""
    search_end: str | None = None
    """Why the search is over, in one sentence; None while it goes on, or where it may go on again."""
    search_seconds: float | None = None
    """Running time when the search ended first, with all decisions so far; None before."""
    earlier: tuple[EarlierStudy, ...] | None = None
    """The studies that it learns from; None where they have not been chosen."""
    selection: Selection | None = None
    """The last one that was made; whether it still stands, `standing_selection` says."""
    data_fingerprint: str | None = None
    """Of the data that its trials were trained on; None where the study brings none."""
    code: Code | None = None
    """What its last run trained with; None in histories of 0.2 and earlier."""

    @property
    def space(self) -> Space:
        """The space of the study."""
        return self.spec.space

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """One objective, or several."""
        return self.spec.goals

    @cached_property
    def completed(self) -> CompletedTrials:
        """Trials with a value at the full budget, by number."""
        return CompletedTrials(trial for trial in self.trials if trial.state is TrialState.COMPLETED)

    @cached_property
    def active(self) -> ActiveTrials:
        """Trials whose life goes on, by number."""
        return ActiveTrials(trial for trial in self.trials if trial.state not in FINISHED)

    @cached_property
    def failed(self) -> FailedTrials:
        """Trials that failed for good, by number."""
        return FailedTrials(trial for trial in self.trials if trial.state is TrialState.FAILED)

    @cached_property
    def running(self) -> ActiveTrials:
        """Trials that a worker trains, or will, by number."""
        # Of the active ones, which are few: that many trials have ended is asked once, and not by each view.
        busy = (TrialState.PROPOSED, TrialState.RUNNING)
        return ActiveTrials(trial for trial in self.active if trial.state in busy)

    @cached_property
    def competing(self) -> CompetingTrials:
        """Completed trials that may be named the best, by number."""
        return CompetingTrials(trial for trial in self.completed if excluded_by(self.spec, trial) is None)

    @cached_property
    def leaders(self) -> Leaders:
        """Numbers of the front, the incumbent and the answer."""
        losses = np.array([losses_of(self.spec, trial) for trial in self.competing], dtype=float)
        return leaders_of(self.spec, [trial.number for trial in self.competing], losses, self.selection)

    @property
    def incumbent(self) -> Trial | None:
        """The best trial as the search saw it, or the knee of the front; None where no trial competes."""
        return self._numbered(self.leaders.incumbent)

    @property
    def best(self) -> Trial | None:
        """The answer: the winner on fresh seeds where a selection stands, else the incumbent."""
        return self._numbered(self.leaders.best)

    @property
    def standing_selection(self) -> Selection | None:
        """The last selection as long as its winner competes; None where there is none, or it was overtaken."""
        return self.selection if self.leaders.is_selected else None

    def _numbered(self, number: int | None) -> Trial | None:
        return next((trial for trial in self.competing if trial.number == number), None)

    def told_state(self, trial: Trial) -> TrialState:
        """What became of a trial, in the word that people are told: once the search is over, one that the schedule left
        at a rung was stopped there; it is paused only for a strategy, which may be asked again with a larger budget."""
        is_left = trial.state is TrialState.PAUSED and self.search_end is not None
        return TrialState.STOPPED if is_left else trial.state

    def is_feasible(self, trial: Trial) -> bool:
        """True if a trial is known to keep every constraint of the study; one that does not can never win."""
        return keeps_constraints(self.spec, trial)

    def may_win(self, trial: Trial) -> bool:
        """True if a trial lies in the space and keeps the constraints, however far it was trained."""
        return may_win(self.spec, trial)

    def replicate_noise(self, objective: Objective) -> float | None:
        """Standard deviation of a value over fresh seeds, pooled over the finalists; None before their round."""
        samples = [
            [one.metrics[objective.metric] for one in trial.replicates if objective.metric in one.metrics]
            for trial in self.trials
        ]
        freedom = sum(len(sample) - 1 for sample in samples if sample)
        squares = sum(pvariance(sample) * len(sample) for sample in samples if sample)
        # The pooled variance sum(SS_i) / sum(n_i - 1): finalists differ in their means, and are taken to share one
        # noise. With one degree of freedom a standard deviation says next to nothing.
        return sqrt(squares / freedom) if freedom > 1 else None

    def within_space(self) -> Self:
        """The history with only those trials that the space holds; they keep their numbers.

        A space that was narrowed leaves trials outside: they stay recorded, and no longer compete.
        """
        inside = tuple(trial for trial in self.trials if self.space.contains(trial.configuration))
        if len(inside) == len(self.trials):
            return self
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**fields, "trials": inside})

    def at(self, elapsed_seconds: float) -> Self:
        """The same history at a later moment, so that a budget of time can be judged without a clock."""
        return self.model_copy(update={"elapsed_seconds": elapsed_seconds})

    def after(self, *events: Event) -> Self:
        """The history once these events have happened.

        Raises:
            ValueError: An event names a trial that the history does not hold.
        """
        return self._fold(events)

    @classmethod
    def replay(cls, events: Iterable[Event]) -> Self | None:
        """The history that the events of one study add up to; None where the study was never opened."""
        events = iter(events)
        # Without a specification there is nothing to fold into; that an opening was lost, `history_replay` finds out.
        for event in events:
            if isinstance(event, StudyOpened):
                return cls(spec=event.spec, version=1)._fold(events)
        return None

    def _fold(self, events: Iterable[Event]) -> Self:
        trials = list(self.trials)
        spec, selection, data_fingerprint, code = self.spec, self.selection, self.data_fingerprint, self.code
        search_end, search_seconds, earlier = self.search_end, self.search_seconds, self.earlier
        n_decisions, elapsed_seconds, version = self.n_decisions, self.elapsed_seconds, self.version
        touched: set[int] = set()
        for event in events:
            version += 1
            # The largest, not the last: what is written outside of a run, such as a retry, says no time.
            elapsed_seconds = max(elapsed_seconds, _told_seconds(event))
            match event:
                case StudyOpened():
                    # Chosen again where warm start is declared anew; else pinned, or a resumed study would learn from
                    # other trials than before.
                    earlier = earlier if event.spec.search.warm_start == spec.search.warm_start else None
                    spec, search_end = event.spec, None
                case StudyRenamed(name=name):
                    spec = spec.model_copy(update={"name": name})
                case WarmStartChosen():
                    earlier = event.studies
                case DecisionMade():
                    n_decisions, search_end, search_seconds = event.number + 1, None, None
                    _apply_decision(trials, event)
                    touched.add(event.trial)
                case SearchEnded():
                    search_end = event.reason
                    # A later run says it again: what was decided by the time that was left stays decided.
                    search_seconds = event.elapsed_seconds if search_seconds is None else search_seconds
                case SegmentStarted() | TrialEvaluated() | TrialFailed() | TrialRetried() | TrialReopened():
                    touched.add(_apply_to_trial(trials, event))
                    search_end = None if isinstance(event, TrialRetried) else search_end
                case SelectionMade():
                    selection = event.selection
                case RunStarted():
                    data_fingerprint = event.data_fingerprint or data_fingerprint
                    code = event.code or code
                case _:
                    pass
        # Not model_copy: it would carry the cached views of the old trials along.
        made = type(self)(
            spec=spec,
            trials=tuple(trials),
            n_decisions=n_decisions,
            version=version,
            elapsed_seconds=elapsed_seconds,
            search_end=search_end,
            search_seconds=search_seconds,
            earlier=earlier,
            selection=selection,
            data_fingerprint=data_fingerprint,
            code=code,
        )
        self._pass_on_active(made, touched)
        return made

    def _pass_on_active(self, later: Self, touched: set[int]) -> None:
        """Follow the active trials instead of looking for them again: a driver asks after each event, and of 10,000
        trials few are active."""
        if "active" in self.__dict__:
            numbers = sorted(touched.union(trial.number for trial in self.active))
            trials = (later.trials[number] for number in numbers)
            later.__dict__["active"] = ActiveTrials(trial for trial in trials if trial.state not in FINISHED)


def _told_seconds(event: Event) -> float:
    """Running time of the study at an event; 0 where nobody said it."""
    return (event.elapsed_seconds or 0.0) if isinstance(event, Driven) else 0.0


def _apply_to_trial(trials: list[Trial], event: _OfTrial) -> int:
    """Change the trial that an event is about, whose number is the answer."""
    number = event.segment.trial if isinstance(event, SegmentStarted) else event.trial
    if number >= len(trials):
        # By place: numbers count from 0 without holes, so that the list is the index.
        raise ValueError(f"{event.type} names trial {number}, but the history holds {len(trials)}.")
    trials[number] = trials[number].model_copy(update=_change(trials[number], event))
    return number


def _apply_decision(trials: list[Trial], event: DecisionMade) -> None:
    match event.decision:
        case Start(configuration=configuration, to_budget=to_budget):
            trials.append(Trial(number=event.trial, configuration=configuration, seed=event.seed, to_budget=to_budget))
        case Fork() as fork:
            trials.append(_forked(event, fork, trials[fork.parent]))
        case Continue(trial=number, to_budget=to_budget):
            trials[number] = trials[number].model_copy(update={"state": TrialState.PROPOSED, "to_budget": to_budget})
        case Stop(trial=number):
            trials[number] = trials[number].model_copy(update={"state": TrialState.STOPPED})


def _forked(event: DecisionMade, fork: Fork, parent: Trial) -> Trial:
    return Trial(
        number=event.trial,
        configuration=fork.configuration,
        seed=event.seed,
        parent=fork.parent,
        replaces=fork.replaces,
        earlier=(*parent.earlier, Stage(configuration=parent.configuration, to_budget=fork.from_budget)),
        budget=fork.from_budget,
        to_budget=fork.to_budget,
        # Those of the parent's last evaluation, even while it is trained on: where it is now, nobody has kept.
        checkpoints=parent.checkpoints,
    )


def _change(trial: Trial, event: _OfTrial) -> dict[str, object]:
    """What an event changes of its trial; one about a replicate touches nothing of the search."""
    match event:
        case SegmentStarted(segment=Segment(replicate=None, attempt=attempt)):
            return {"state": TrialState.RUNNING, "attempt": attempt}
        # The mean over folds alone is a value of the trial; single folds are kept beside it, and replicates never
        # reach the search, or finalists would be favoured by their second look.
        case TrialEvaluated(evaluation=Evaluation(replicate=None, fold=None) as evaluation):
            return {
                "state": event.state,
                "budget": evaluation.budget,
                "evaluations": (*trial.evaluations, evaluation),
                "checkpoints": event.checkpoints,
            }
        case TrialEvaluated(evaluation=Evaluation(replicate=None, fold=int()) as evaluation):
            return {"folds": (*trial.folds, evaluation)}
        case TrialFailed(replicate=None, final=True, failure=failure):
            return {"state": TrialState.FAILED, "failure": failure}
        case TrialRetried(replicate=None, attempt=attempt):
            return {"state": TrialState.PROPOSED, "attempt": attempt, "failure": None}
        case TrialReopened():
            return {"state": TrialState.PAUSED, "replicates": (), "failed_replicates": ()}
        case _:
            return _change_of_replicates(trial, event)


def _change_of_replicates(trial: Trial, event: _OfTrial) -> dict[str, object]:
    """What an event about a fresh seed adds to its trial; nothing where it is about one fold, or about a beginning."""
    match event:
        case TrialEvaluated(evaluation=Evaluation(replicate=int(), fold=None) as evaluation):
            return {"replicates": (*trial.replicates, evaluation)}
        case TrialFailed(replicate=int() as replicate, final=True):
            return {"failed_replicates": tuple(sorted({*trial.failed_replicates, replicate}))}
        case TrialRetried(replicate=int() as replicate):
            return {"failed_replicates": tuple(one for one in trial.failed_replicates if one != replicate)}
        case _:
            return {}
