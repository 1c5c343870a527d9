"""Studies whose trials live as no single example does: every feature that decides who competes, thrown together.

Only what a driver may write is drawn, in an order in which it may write it.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from pegbox.schemas.decision import Continue, Start, Stop
from pegbox.schemas.events import (
    DecisionMade,
    Driven,
    Event,
    SearchEnded,
    SegmentStarted,
    SegmentTrained,
    SelectionMade,
    StudyOpened,
    TrialEvaluated,
    TrialFailed,
    TrialReopened,
    TrialRetried,
)
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.selection import Finalist, Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, Trial, TrialState
from pegbox.storage.journal_lines import encode_line

BEGAN = 1_764_000_000.0
SPACES: tuple[dict[str, Any], ...] = (
    {"x": {"min": 0.0, "max": 1.0}, "kind": ["a", "b", "c"]},
    {"x": {"min": 0.2, "max": 0.9}, "kind": ["a", "b", "c"]},
    {"x": {"min": 0.0, "max": 1.0}, "kind": ["a", "b"]},
    {"x": {"min": 0.0, "max": 1.0}, "kind": ["a", "b", "c"], "forbid": [{"kind": "c", "x": {"min": 0.5}}]},
)
GOALS = ("minimize", "maximize")
METRICS = ("loss", "speed", "heat")
LIMITS = ("size", "speed")


class Life:
    """One study, event after event; what came of it stands in `history`."""

    def __init__(self, name: str, seed: int) -> None:
        self._rng = random.Random(f"{name} {seed}")
        self._ends = random.Random(f"{name} {seed} ends")
        self._n_goals = self._rng.choice((1, 1, 2, 3))
        self._goals = [{"metric": METRICS[at], "goal": self._rng.choice(GOALS)} for at in range(self._n_goals)]
        self._has_rungs = self._rng.random() < 0.5
        self._spec = self._declared(name, SPACES[0], self._limits())
        self._n_decisions = 0
        self.history = History(spec=self._spec, version=1)

    def events(self, n_steps: int) -> Iterator[Event]:
        """So many things that happened, and the opening."""
        yield StudyOpened(study=self._spec.name, spec=self._spec)
        for _ in range(n_steps):
            for told in [*self._step(), *self._ended(0.04)]:
                event = self._timed(told)
                self.history = self.history.after(event)
                yield event
        for told in self._ended(0.5):
            event = self._timed(told)
            self.history = self.history.after(event)
            yield event

    def _ended(self, chance: float) -> list[Event]:
        """The search may be over, and go on."""
        if self._ends.random() > chance:
            return []
        return [SearchEnded(study=self._spec.name, reason="It is enough.", elapsed_seconds=0.0)]

    def _declared(self, name: str, space: dict[str, Any], limits: list[dict[str, Any]]) -> StudySpec:
        return StudySpec.model_validate(
            {
                "name": name,
                "train": {"kind": "function", "function": "a:b", "epochs": 9},
                "space": space,
                "objectives": self._goals,
                "constraints": limits,
                "search": {"method": "random"},
                "fidelity": {"schedule": "asha" if self._has_rungs else "full", "min": 3},
                "budget": {"trials": 99},
            }
        )

    def _limits(self) -> list[dict[str, Any]]:
        return [
            {"metric": metric, self._rng.choice(("min", "max")): self._rng.choice((0.3, 0.5, 0.7))}
            for metric in LIMITS
            if self._rng.random() < 0.4
        ]

    def _step(self) -> list[Event]:
        chance = self._rng.random()
        if chance < 0.12 or not self.history.trials:
            return [self._start()]
        if chance < 0.2:
            return [self._open_anew()]
        if chance < 0.26:
            return self._select()
        going_on = self.history.active if self._rng.random() < 0.6 else ()
        return self._live(self._rng.choice(going_on or self.history.trials))

    def _timed(self, event: Event) -> Event:
        """Two seconds from one event to the next; rests between runs are left out."""
        seconds = {"elapsed_seconds": 2.0 * self.history.version}
        return event.model_copy(update=seconds) if isinstance(event, Driven) else event

    def _open_anew(self) -> Event:
        limits = self._limits() if self._rng.random() < 0.3 else [one.model_dump() for one in self._spec.constraints]
        self._spec = self._declared(self._spec.name, self._rng.choice(SPACES), limits)
        return StudyOpened(study=self._spec.name, spec=self._spec)

    def _start(self) -> Event:
        configuration = {"x": round(self._rng.random(), 2), "kind": self._rng.choice("abc")}
        step = Start(configuration=configuration, to_budget=3 if self._has_rungs else 9)
        return self._decided(step, len(self.history.trials))

    def _decided(self, step: Start | Continue | Stop, trial: int) -> Event:
        number, self._n_decisions = self._n_decisions, self._n_decisions + 1
        return DecisionMade(
            study=self._spec.name, number=number, saw=self.history.version, elapsed_seconds=float(number),
            decision=step, trial=trial, seed=trial * 7,
        )  # fmt: skip

    def _live(self, trial: Trial) -> list[Event]:
        """What may happen to a trial next."""
        match trial.state:
            case TrialState.PROPOSED:
                return [self._handed_over(trial, trial.attempt)]
            case TrialState.RUNNING:
                return self._rng.choice((self._evaluated, self._evaluated, self._evaluated, self._failed))(trial)
            case TrialState.PAUSED:
                step = self._rng.choice((Stop(trial=trial.number), Continue(trial=trial.number, to_budget=9)))
                return [self._decided(step, trial.number)]
            case TrialState.FAILED:
                return [TrialRetried(study=self._spec.name, trial=trial.number, attempt=trial.attempt + 1)]
            case TrialState.COMPLETED:
                return self._rng.choice((self._fresh_seed,) * 6 + (self._reopened,))(trial)
            case _:
                return []

    def _handed_over(self, trial: Trial, attempt: int) -> Event:
        return SegmentStarted(study=self._spec.name, run="r", segment=self._segment(trial, attempt))

    def _segment(self, trial: Trial, attempt: int) -> Segment:
        return Segment(
            study=self._spec.name, trial=trial.number, attempt=attempt, configuration=trial.configuration,
            seed=trial.seed, from_budget=trial.budget, to_budget=max(trial.to_budget, 1), train=self._spec.train,
            code="c",
        )  # fmt: skip

    def _metrics(self) -> dict[str, float]:
        """To one digit, so that equal values are common; a limited metric may be missing."""
        found = {name: self._rng.randrange(-9, 10) / 10 for name in (*METRICS, *LIMITS)}
        missing = "size" if self._rng.random() < 0.1 else ""
        return {name: value for name, value in found.items() if name != missing}

    def _evaluated(self, trial: Trial) -> list[Event]:
        state = TrialState.COMPLETED if trial.to_budget >= 9 else TrialState.PAUSED
        metrics, budget = self._metrics(), trial.to_budget
        folds = [
            Evaluation(budget=budget, metrics=self._metrics(), fold=fold) for fold in range(self._rng.choice((0, 2)))
        ]
        whole = Evaluation(budget=budget, metrics=metrics, seconds=1.0)
        trained = TrainedSegment(budget=budget, seconds=1.0, worker="w")
        segment = SegmentTrained(
            study=self._spec.name, trial=trial.number, attempt=trial.attempt, from_budget=trial.budget,
            to_budget=budget, fold=0, seed=trial.seed, trained=trained,
        )  # fmt: skip
        told = [self._told(trial, one, TrialState.RUNNING) for one in folds]
        return [segment, *told, self._told(trial, whole, state)]

    def _told(self, trial: Trial, evaluation: Evaluation, state: TrialState) -> Event:
        return TrialEvaluated(study=self._spec.name, trial=trial.number, evaluation=evaluation, state=state)

    def _failed(self, trial: Trial, replicate: int | None = None) -> list[Event]:
        failure = Failure(kind=self._rng.choice(list(FailureKind)), message="it broke.")
        broken = TrialFailed(
            study=self._spec.name, trial=trial.number, attempt=trial.attempt, failure=failure,
            final=self._rng.random() < 0.7, replicate=replicate,
        )  # fmt: skip
        if broken.final or replicate is not None:
            return [broken]
        return [broken, self._handed_over(trial, trial.attempt + 1)]

    def _fresh_seed(self, trial: Trial) -> list[Event]:
        seed = self._rng.randrange(3)
        if self._rng.random() < 0.25:
            return self._failed(trial, seed)
        if seed in trial.failed_replicates:
            return [TrialRetried(study=self._spec.name, trial=trial.number, attempt=2, replicate=seed)]
        evaluation = Evaluation(budget=9, metrics=self._metrics(), replicate=seed)
        return [self._told(trial, evaluation, trial.state)]

    def _reopened(self, trial: Trial) -> list[Event]:
        return [TrialReopened(study=self._spec.name, trial=trial.number)]

    def _select(self) -> list[Event]:
        """Of the trials with fresh seeds; whether the winner may win is not asked: it did when it was chosen."""
        metric = self._spec.goals[0].metric
        seeds = {
            one.number: [e.metrics[metric] for e in one.replicates] for one in self.history.trials if one.replicates
        }
        if not seeds:
            return []
        finalists = tuple(
            Finalist(
                trial=number, configuration=self.history.trials[number].configuration, search_value=0.0,
                values=tuple(values), mean=sum(values) / len(values), probability_best=0.5,
                estimate=self._rng.choice((None, 0.125)),
            )
            for number, values in seeds.items()
        )  # fmt: skip
        winner = self._rng.choice(finalists)
        selection = Selection(
            study=self._spec.name, metric=metric, goal=self._spec.goals[0].goal, winner=winner.trial,
            configuration=winner.configuration, finalists=finalists, reason="it was drawn.",
        )  # fmt: skip
        return [SelectionMade(study=self._spec.name, run="r", selection=selection)]


def journal_lines(events: Sequence[Event], begun: float = BEGAN) -> list[bytes]:
    """The events of one study as its driver journals them, a second apart."""
    return [encode_line(event, at, begun + at, at) for at, event in enumerate(events, 1)]
