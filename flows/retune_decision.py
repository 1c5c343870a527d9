"""What a scheduled study does next: which studies it runs, and what their values mean; runs nothing itself."""

import hashlib
import json
from typing import Literal, NamedTuple

from pegbox.analysis.paired_comparison import Paired, compare_losses
from pegbox.execution.kept_losses import trial_losses
from pegbox.schemas.base import Configuration
from pegbox.schemas.events import Incumbent, ScheduleStep
from pegbox.schemas.history import History
from pegbox.schemas.plan import BudgetSpec, FidelitySpec, FinalistsSpec, SearchSpec
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.search.warm_start_sources import FOR_DATA

ENDS = frozenset({"unchanged", "held", "kept", "promoted"})
"""Steps after which nothing is left to do for this data and code."""


ASKED = "2:"
"""Before the fingerprint of what a study asks for: how it is made."""


class Inputs(NamedTuple):
    """What a scheduled study trains on, as far as the flow can see it."""

    data: str | None
    """Fingerprint of the declared data and of what is watched; None where training reads what nobody named."""
    code: str | None
    """Fingerprint of the user's code; None where pegbox trains."""


class RetuneDecision:
    """One run of a scheduled study, on its data and code as they are now.

    Args:
        spec: What was asked for.
        inputs: What it trains on.
        steps: What earlier runs did, oldest first.
    """

    def __init__(self, spec: StudySpec, inputs: Inputs, steps: tuple[ScheduleStep, ...]) -> None:
        self.spec = spec
        self.inputs = inputs
        self.incumbent = steps[-1].incumbent if steps else None
        """What is to be run as far as is known; None before the first answer."""
        self._ends = [step for step in steps if step.step in ENDS]

    @property
    def always(self) -> bool:
        """True if every run is to tune, whatever it sees."""
        return self.spec.schedule is not None and self.spec.schedule.always

    @property
    def tolerance(self) -> float:
        """How much worse the incumbent may be, in units of the metric."""
        return self.spec.schedule.tolerance if self.spec.schedule else 0.0

    @property
    def is_settled(self) -> bool:
        """True if an earlier run came to an end with the same data and code, and the same was asked for."""
        return not self.always and bool(self._ends) and not self._news()

    @property
    def unchanged(self) -> str:
        """Why there is nothing to do, in words that tell what was looked at."""
        seen = "The data is the same" if self.inputs.code is None else "The data and the code are the same"
        return f"{seen}, and the budget is spent: nothing to do."

    @property
    def occasion(self) -> str:
        """What this run judges the incumbent on, to begin a sentence with: `On the new data and with the new code`."""
        words = " and ".join(self._news() or ["on the same data"])
        return words[0].upper() + words[1:]

    @property
    def is_data_alone(self) -> bool:
        """True if code and study are what they were when the last run came to an end."""
        last = self._ends[-1] if self._ends else None
        return last is not None and last.code_fingerprint == self.inputs.code and not self._asks_anew(last)

    def _news(self) -> list[str]:
        """What differs from the last run that came to an end, in words."""
        if not self._ends:
            return []
        last, news = self._ends[-1], []
        if self.inputs.data is None:
            news.append("on data that pegbox cannot see")
        elif last.data_fingerprint is None or last.data_fingerprint == self.inputs.code:
            # Up to 0.2 the code's fingerprint stood in the place of the data's where a study named none.
            news.append("on data that was not watched before")
        elif last.data_fingerprint != self.inputs.data:
            news.append("on the new data")
        # Where it is unknown, in steps of 0.2 and earlier, nothing is claimed of it.
        if last.code_fingerprint is not None and last.code_fingerprint != self.inputs.code:
            news.append("with the new code")
        if self._asks_anew(last):
            news.append("with what the study asks for now")
        return news

    def _asks_anew(self, last: ScheduleStep) -> bool:
        # Before there was a mark it changed with the version of pegbox as well: nothing is claimed of it.
        return last.asked.startswith(ASKED) and last.asked != self._asked

    @property
    def tuned_name(self) -> str:
        """The study that is tuned on this data and code: trials on others are never compared with its own."""
        # 32 bits of the fingerprint: enough to tell the states of one study's data apart, and short enough to be read
        # aloud.
        return f"{self.spec.name}{FOR_DATA}{self._state[:8]}"

    @property
    def _state(self) -> str:
        """Names what is trained on; where `always` has a run tune on what an earlier one did, also which run it is."""
        data, code = self.inputs
        # Ends alone are counted: a run that is killed and goes on finds the study that it began.
        round_ = sum((step.data_fingerprint, step.code_fingerprint) == (data, code) for step in self._ends)
        if data is not None and code is None and not (self.always and round_):
            return data
        text = f"{data}:{code}" + (f":{round_}" if self.always and round_ else "")
        return hashlib.sha256(text.encode()).hexdigest()

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
                "fidelity": FidelitySpec(schedule="full", min=self.spec.fidelity.min, max=self.spec.fidelity.max),
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
            data_fingerprint=self.inputs.data,
            code_fingerprint=self.inputs.code,
            asked=self._asked,
            incumbent=incumbent,
            flow_run_id=flow_run_id,
        )

    @property
    def _asked(self) -> str:
        """Changes with everything in the study that changes its answer."""
        # Where and when a study runs, and how it is labelled, changes no answer. Defaults are left out: a later pegbox
        # has fields that this one does not, and its users have asked for nothing new.
        spec = self.spec.model_dump(mode="json", exclude={"run", "schedule", "tags", "space"}, exclude_defaults=True)
        # What tells kinds apart is a default in some of them: a whole number from a real one, say.
        space = {
            name: [type(one).__name__, one.model_dump(mode="json", exclude_defaults=True)]
            for name, one in self.spec.space.parameters.items()
        }
        text = json.dumps([spec, self.spec.train.kind, space, self.spec.space.rules], sort_keys=True)
        return ASKED + hashlib.sha256(text.encode()).hexdigest()[:16]


Measured = tuple[History, int]
"""A study and the number of the trial in it."""


def compare_trials(first: Measured, second: Measured) -> Paired:
    """Two trials of two studies on their common seeds."""
    objective = first[0].objectives[0]
    return compare_losses(*(trial_losses(history.trials[number], objective) for history, number in (first, second)))


def in_words(paired: Paired, metric: str) -> str:
    """By how much the second is worse or better, without a sign: `by 0.012 (0.004 to 0.02) in val_loss`."""
    if paired.mean is None:
        return "without a common seed to compare"
    interval = ""
    if paired.interval:
        low, high = sorted(abs(bound) for bound in (paired.interval.low, paired.interval.high))
        interval = f" ({low:.4g} to {high:.4g})"
    return f"by {abs(paired.mean):.4g}{interval} in {metric} over {_measured_on(paired)}"


def in_signed_words(paired: Paired, metric: str) -> str:
    """A difference that shows nothing for certain: `by -0.012 (-0.04 to 0.01) in val_loss, where less is better`."""
    if paired.mean is None:
        return in_words(paired, metric)
    interval = f" ({paired.interval.low:+.4g} to {paired.interval.high:+.4g})" if paired.interval else ""
    return f"by {paired.mean:+.4g}{interval} in {metric} as a loss, where less is better, over {_measured_on(paired)}"


def _measured_on(paired: Paired) -> str:
    """Over how many seeds and rows; by what noise is told from a change, where it is less than both."""
    seeds = f"{paired.n_pairs} common {'seed' if paired.n_pairs == 1 else 'seeds'}"
    if paired.n_rows:
        return f"{seeds} and {paired.n_rows} {'common ' if paired.same_rows else ''}rows"
    noise = "the noise of the rows" if paired.interval else "noise"
    return f"{seeds} ({noise} is not known here; `schedule.tolerance` is what a change has to exceed)"
