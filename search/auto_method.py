"""Algorithm selection, what `auto` stands for: a method by space, budget and objectives, with the reason."""

import math
from typing import NamedTuple

from pegbox.schemas.study import StudySpec
from pegbox.search.space.encoding import SpaceEncoding

MOST_MODELLED = 2000
"""Trials beyond which a model's advantage is worth less than its time. Picked by hand: a study of so many has trials of
seconds, beside which an ask of 60 ms (`benchmarks/ask_latency.py`) begins to count."""
MOST_MODELLED_TOGETHER = 400
"""The same for several objectives at once, whose model is fitted from the start at every ask. Picked by hand; after 50
trials `bayes` had 2.7 times the area of `genetic` (`benchmarks/README.md`)."""


class Choice(NamedTuple):
    """A method and why it was chosen, in one sentence."""

    method: str
    reason: str


def choose_method(spec: StudySpec) -> Choice:
    """The method of a study; that which it names, where it names one."""
    if spec.search.method != "auto":
        return Choice(spec.search.method, "The study asks for it.")
    limit = spec.budget.trials or math.inf
    # The order is that of certainty: trying all of a small space cannot be beaten, whatever the objectives.
    size = _size(spec)
    if size <= limit:
        return Choice("grid", f"All {size:g} configurations of the space fit into the budget, so each is tried once.")
    if len(spec.goals) > 1 and limit > MOST_MODELLED_TOGETHER:
        return Choice(
            "genetic", f"{len(spec.goals)} objectives over {limit:g} trials are more than a model keeps up with."
        )
    if limit > MOST_MODELLED:
        return Choice("genetic", f"{limit:g} trials are more than a model gains from.")
    return Choice("bayes", "A model of the trials so far needs the fewest of them.")


def _size(spec: StudySpec) -> float:
    """At most so many configurations; infinite where a parameter is a real number."""
    axes = SpaceEncoding(spec.space).axes
    return math.prod(math.inf if axis.n_values is None else axis.n_values for axis in axes)
