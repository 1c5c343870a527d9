"""A strategy that is shown only the trials its space holds; those that a narrowed space left outside are retired."""

from collections.abc import Sequence

import numpy as np

from pegbox.schemas.decision import Continue, Decision, Stop
from pegbox.schemas.history import History
from pegbox.schemas.plan import BudgetSpec
from pegbox.schemas.population import POPULATION_METHODS
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial, TrialState
from pegbox.search.limits import committed
from pegbox.search.methods import strategy_for
from pegbox.search.space.shared_sums import share_sums
from pegbox.search.strategy import Strategy
from pegbox.search.trial_cache import TrialCache


def study_strategy(spec: StudySpec, earlier: Sequence[History] = ()) -> Strategy:
    """The strategy that decides a study, whatever its space was before.

    Args:
        spec: The study.
        earlier: Histories of the studies that it learns from.

    Raises:
        StudyError: The study asks for a method or an option that there is not.
    """
    if spec.search.method in POPULATION_METHODS:
        # Its copies name other trials, which must keep their numbers; what lies outside it replaces itself.
        return strategy_for(spec, earlier)
    # In this order: whether a trial lies inside is asked of its values, which the shares no longer show.
    return NarrowedSpaceStrategy(spec.space, share_sums(spec, strategy_for, earlier))


class NarrowedSpaceStrategy:
    """Asks a strategy about the trials inside the space; they are numbered anew for it, and it never notices.

    What the trials outside have cost counts against the budget.
    """

    def __init__(self, space: Space, strategy: Strategy) -> None:
        self._strategy = strategy
        self._inside = TrialCache(lambda trial: space.contains(trial.configuration))
        self._renumbered: dict[int, tuple[Trial, Trial]] = {}

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        """The next decision.

        Raises:
            SearchError: The method cannot go on.
        """
        is_inside = self._inside.rows(history.trials)
        if all(is_inside):
            return self._strategy.next(history, rng)
        inside, outside = _parted(history, is_inside)
        # Stopped first: a trial that is neither shown to the strategy nor ended would stay paused for ever.
        paused = next((trial for trial in outside if trial.state is TrialState.PAUSED), None)
        if paused is not None:
            return Stop(trial=paused.number)
        decision = self._strategy.next(self._view(history, inside, outside), rng)
        if isinstance(decision, Continue | Stop):
            return decision.model_copy(update={"trial": inside[decision.trial].number})
        return decision

    def _view(self, history: History, inside: list[Trial], outside: list[Trial]) -> History:
        spec = history.spec.model_copy(update={"budget": _remaining(history.spec.budget, outside)})
        return History(
            spec=spec,
            trials=tuple(self._numbered(trial, number) for number, trial in enumerate(inside)),
            n_decisions=history.n_decisions,
            version=history.version,
            elapsed_seconds=history.elapsed_seconds,
            selection=history.selection,
            data_fingerprint=history.data_fingerprint,
        )

    def _numbered(self, trial: Trial, number: int) -> Trial:
        """Equal objects for equal questions: what strategies remember of a trial they find by identity."""
        before, after = self._renumbered.get(trial.number, (None, None))
        if before is trial and after is not None and after.number == number:
            return after
        after = trial.model_copy(update={"number": number})
        self._renumbered[trial.number] = (trial, after)
        return after


def _parted(history: History, is_inside: list[bool]) -> tuple[list[Trial], list[Trial]]:
    pairs = list(zip(history.trials, is_inside, strict=True))
    return [trial for trial, inside in pairs if inside], [trial for trial, inside in pairs if not inside]


def _remaining(budget: BudgetSpec, outside: list[Trial]) -> BudgetSpec:
    """What is left for the trials inside; a limit may come down to 0, where nothing more begins."""
    spent = {
        "trials": len(outside),
        "epochs": sum(committed(trial) for trial in outside),
        "cost": sum(trial.value("cost") or 0.0 for trial in outside),
    }
    limits = {name: getattr(budget, name) for name in spent}
    return budget.model_copy(
        update={name: max(limit - spent[name], 0) for name, limit in limits.items() if limit is not None}
    )
