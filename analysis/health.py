"""Health checks of a study: at most three pieces of advice, the most urgent first; each check has a file of its own."""

from types import MappingProxyType

from pegbox.analysis.advice import Advice
from pegbox.analysis.certainty import constraints_unkept, few_trials, leaking_data, shifted_data, tied_finalists
from pegbox.analysis.convergence import Curves, stagnation, unconverged_curves
from pegbox.analysis.edges import best_at_edge
from pegbox.analysis.failure_causes import main_failure_cause
from pegbox.analysis.importance import Importance
from pegbox.schemas.history import History

MAX_ADVICE = 3
"""More is not read; picked by hand. What is left out comes up again once the first is done."""


def advise(
    history: History, ranking: Importance | None = None, curves: Curves = MappingProxyType({})
) -> tuple[Advice, ...]:
    """What this history says should be done, the most urgent first; empty where nothing is wrong.

    A study that should look further (its best lies at an edge, or its curves still fall) is not told to stop.

    Args:
        ranking: `importance(history)`, where it is known already.
        curves: Trial to its values of the first objective by epoch, of the best trials; empty where none is kept.
    """
    # The order is that of urgency: what makes the values wrong or missing, before what would make them better.
    found = [main_failure_cause(history), constraints_unkept(history)]
    if found[-1] is None:
        found += [leaking_data(history), shifted_data(history)]
        if len(history.objectives) == 1:  # the best of a front lie where one objective is dear, often at an edge
            found += [best_at_edge(history), unconverged_curves(history, curves), tied_finalists(history)]
        found.append(few_trials(history, ranking))
    advice = [one for one in found if one is not None]
    if not any(one.kind in {"constraints", "edge", "budget", "unrankable"} for one in advice):
        stop = stagnation(history)
        advice += [] if stop is None else [stop]
    return tuple(advice[:MAX_ADVICE])
