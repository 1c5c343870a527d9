"""Algorithm selection, what `auto` stands for: a method by space, budget and what trials took so far, and why."""

import math
from typing import NamedTuple

from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.space.encoding import SpaceEncoding

MOST_MODELLED = 2000
"""Trials beyond which a model's advantage is worth less than its time. Picked by hand: what more trials tell a model of
which it keeps 600 is little."""
MOST_MODELLED_TOGETHER = 400
"""The same for several objectives at once, whose model is fitted from the start at every ask. Picked by hand; after 50
trials `bayes` had 2.7 times the area of `genetic` (`benchmarks/README.md`)."""
ASK_SECONDS = 0.06
"""What a decision of the model takes once there are a thousand trials (`benchmarks/ask_latency.py`)."""


class Choice(NamedTuple):
    """A method and why it was chosen, in one sentence."""

    method: str
    reason: str


class Pace(NamedTuple):
    """How far a study is and what its trials took.

    Told by trials that were trained to the full budget alone, so that whoever reads the store counts the same.
    """

    n_trials: int = 0
    """Of all states."""
    seconds: float = 0.0
    """Mean training time of a completed trial; 0 where none is."""
    cost: float = 0.0
    """What was paid so far for each completed trial; 0 where none is, or where cost is not limited."""

    @classmethod
    def of(cls, history: History) -> "Pace":
        """The pace of a study."""
        completed = history.completed
        if not completed:
            return cls(len(history.trials))
        # Of the recorded training times, not of the clock: a replayed decision sees the same.
        seconds = [trial.evaluations[-1].seconds if trial.evaluations else 0.0 for trial in completed]
        # Read only where it limits anything: this is asked at every decision, of thousands of trials.
        is_limited = history.spec.budget.cost is not None
        cost = sum(trial.value("cost") or 0.0 for trial in history.trials) if is_limited else 0.0
        return cls(len(history.trials), math.fsum(seconds) / len(completed), cost / len(completed))


def choose_method(spec: StudySpec, pace: Pace | None = None) -> Choice:
    """The method of a study; that which it names, where it names one.

    A grid follows from the study alone. Between the methods that learn, `auto` may change its mind as trials end: it is
    asked at every decision, and answers from the history, so that a replay finds the same.

    Args:
        spec: The study.
        pace: How far it is; not begun where None.
    """
    if spec.search.method != "auto":
        return Choice(spec.search.method, "The study asks for it.")
    # The order is that of certainty: trying all of a small space cannot be beaten, whatever the objectives.
    if is_tried_whole(spec):
        return Choice(
            "grid", f"All {_size(spec):g} configurations of the space fit into the budget, so each is tried once."
        )
    return _learning(spec, pace or Pace())


def is_tried_whole(spec: StudySpec) -> bool:
    """True if every configuration of the space certainly fits into the budget.

    A limit of time, cost or progress may end a grid anywhere: then the best are tried first, by a model, which tries
    all as well where there is time.
    """
    budget = spec.budget
    others = (budget.search_seconds, budget.cost, budget.stagnation, budget.improvement)
    return (
        math.isfinite(spec.most_trainings) and all(one is None for one in others) and _size(spec) <= spec.most_trainings
    )


def expected_trainings(spec: StudySpec, pace: Pace) -> float | None:
    """How many trainings to the full budget the study allows; None while that is not known.

    Unknown before a trial ended where time or cost limits the study, and always where it ends once it gains no more.
    """
    budget = spec.budget
    if budget.stagnation is not None or budget.improvement is not None:
        return None
    counts = [spec.most_trainings]
    for limit, each, at_once in ((budget.search_seconds, pace.seconds, spec.run.workers), (budget.cost, pace.cost, 1)):
        if limit is not None and not each:
            return None
        if limit is not None:
            counts.append(limit * at_once / each)
    return min(counts)


def _learning(spec: StudySpec, pace: Pace) -> Choice:
    most = MOST_MODELLED if len(spec.goals) == 1 else MOST_MODELLED_TOGETHER
    goals = "" if len(spec.goals) == 1 else f" of {len(spec.goals)} objectives"
    if pace.n_trials >= most:
        return Choice("genetic", f"More than {most:,} trials{goals} are more than a model gains from.")
    expected = expected_trainings(spec, pace)
    each = pace.seconds / spec.run.workers
    if expected is not None and expected > most and 0 < each < ASK_SECONDS:
        how = f"A training takes {each:.2g} s, less than a model takes to choose one"
        return Choice("genetic", f"{how}, and about {expected:,.0f} of them{goals} fit into the budget.")
    reason = "A model of the trials so far needs the fewest of them"
    if expected is not None and expected <= most:
        return Choice("bayes", f"{reason}.")
    later = f"genetic goes on after {most:,} trials, or sooner where trainings are shorter than {ASK_SECONDS:g} s"
    unknown = "how many fit into the budget is not known yet" if expected is None else f"{expected:,.0f} fit"
    return Choice("bayes", f"{reason}; {unknown}, {later}.")


def _size(spec: StudySpec) -> float:
    """At most so many configurations; infinite where a parameter is a real number."""
    axes = SpaceEncoding(spec.space).axes
    return math.prod(math.inf if axis.n_values is None else axis.n_values for axis in axes)
