"""What a scheduled study does next: which studies it runs, and what their values mean; runs nothing itself."""

import hashlib
from typing import Literal

from pegbox.analysis.paired_comparison import Paired, compare_paired, losses_by_seed
from pegbox.schemas.base import Configuration
from pegbox.schemas.events import Incumbent, ScheduleStep
from pegbox.schemas.history import History
from pegbox.schemas.plan import BudgetSpec, FidelitySpec, FinalistsSpec, SearchSpec
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.search.warm_start_sources import FOR_DATA

ENDS = frozenset({"unchanged", "held", "kept", "promoted"})
"""Steps after which nothing is left to do for this data."""


class RetuneDecision:
    """One run of a scheduled study, on the data as it is now.

    Args:
        spec: What was asked for.
        fingerprint: Of the data, or of the training code where a study brings no data.
        steps: What earlier runs did, oldest first.
    """

    def __init__(self, spec: StudySpec, fingerprint: str, steps: tuple[ScheduleStep, ...]) -> None:
        self.spec = spec
        self.fingerprint = fingerprint
        self.incumbent = steps[-1].incumbent if steps else None
        """What is to be run as far as is known; None before the first answer."""
        self._ends = [step for step in steps if step.step in ENDS]

    @property
    def is_settled(self) -> bool:
        """True if an earlier run came to an end with the same data, and the same was asked for."""
        last = self._ends[-1] if self._ends else None
        return last is not None and (last.data_fingerprint, last.asked) == (self.fingerprint, self._asked)

    @property
    def tuned_name(self) -> str:
        """The study that is tuned on this data: trials of other data are never compared with its own."""
        # 32 bits of the fingerprint: enough to tell the states of one study's data apart, and short enough to be read
        # aloud.
        return f"{self.spec.name}{FOR_DATA}{self.fingerprint[:8]}"

    @property
    def rescored_name(self) -> str:
        """The study that trains the incumbent again on this data."""
        return f"{self.tuned_name}/incumbent"

    def rescoring(self, incumbent: Incumbent) -> StudySpec:
        """A study of the incumbent alone, on the seeds that finalists are compared on."""
        return self.spec.model_copy(
            update={
                "name": self.rescored_name,
                "search": SearchSpec(method="random", seed=self.spec.search.seed, enqueue=(incumbent.configuration,)),
                "fidelity": FidelitySpec(min=self.spec.fidelity.min, max=self.spec.fidelity.max),
                "budget": BudgetSpec(trials=1),
                "finalists": FinalistsSpec(top=1, seeds=self.spec.finalists.after(self.spec.most_trainings).seeds),
                "schedule": None,
            }
        )

    def tuning(self, earlier: Selection | None) -> StudySpec:
        """The study as it was asked for, on this data; the incumbent and the earlier finalists are tried first."""
        known = [self.incumbent.configuration] if self.incumbent else []
        known += [finalist.configuration for finalist in earlier.finalists] if earlier else []
        known += self.spec.search.enqueue
        enqueue: list[Configuration] = []
        for configuration in known:
            if configuration not in enqueue and self.spec.space.contains(configuration):
                enqueue.append(configuration)
        search = self.spec.search.model_copy(update={"enqueue": tuple(enqueue)})
        return self.spec.model_copy(update={"name": self.tuned_name, "search": search, "schedule": None})

    def step(
        self,
        step: Literal["unchanged", "held", "lapsed", "kept", "promoted"],
        reason: str,
        incumbent: Incumbent | None,
        flow_run_id: str | None,
    ) -> ScheduleStep:
        """A step of this run with its reason."""
        return ScheduleStep(
            study=self.spec.name,
            step=step,
            reason=reason,
            data_fingerprint=self.fingerprint,
            asked=self._asked,
            incumbent=incumbent,
            flow_run_id=flow_run_id,
        )

    @property
    def _asked(self) -> str:
        """Changes with everything in the study that changes its answer."""
        # Where and when a study runs, and how it is labelled, changes no answer.
        text = self.spec.model_dump_json(exclude={"run", "schedule", "tags"})
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def compare_trials(first: tuple[History, int], second: tuple[History, int]) -> Paired:
    """Two trials of two studies on their common seeds."""
    objective = first[0].objectives[0]
    return compare_paired(
        losses_by_seed(first[0].trials[first[1]], objective), losses_by_seed(second[0].trials[second[1]], objective)
    )


def in_words(paired: Paired, metric: str) -> str:
    """The comparison for the reason of a step: `by 0.012 (0.004 to 0.02) in val_loss over 5 common seeds`."""
    if paired.mean is None:
        return "without a common seed to compare"
    interval = f" ({paired.interval.low:.4g} to {paired.interval.high:.4g})" if paired.interval else ""
    seeds = "seed" if paired.n_pairs == 1 else "seeds"
    return f"by {paired.mean:.4g}{interval} in {metric} as a loss over {paired.n_pairs} common {seeds}"
