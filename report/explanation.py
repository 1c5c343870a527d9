"""What an analysis of a study's history says: the one document of which terminal, page and artifacts show parts."""

from pegbox.analysis.advice import Advice
from pegbox.analysis.cost import CostPoint
from pegbox.analysis.effects import Effects
from pegbox.analysis.importance import Importance
from pegbox.analysis.rung_correlation import RungCorrelation
from pegbox.schemas.base import Schema
from pegbox.schemas.selection import Selection


class Explanation(Schema):
    """What the history of a study says beyond its winner."""

    study: str
    version: int
    """Of the history; a later one may say something else."""
    n_trials: int
    n_failed: int
    n_sampled: int | None = None
    """Of how many trials the statistics are, where there are too many for all of them."""
    n_outside: int = 0
    """Trials that a narrowed space does not hold any more; all that is said here leaves them out."""
    selection: Selection | None = None
    """Who won on fresh seeds; None as long as nobody has."""
    importance: Importance
    """Of the first objective."""
    others: tuple[Importance, ...] = ()
    """Of each further objective."""
    effects: Effects
    """On the first objective, with the interactions of the pairs that have the largest share."""
    further_effects: tuple[Effects, ...] = ()
    """On each further objective."""
    costs: Effects
    """On the training time."""
    cost_front: tuple[CostPoint, ...] = ()
    """Trials that no other beats at less cost."""
    failures: Importance | None = None
    """What makes trials fail; None where few do."""
    rungs: tuple[RungCorrelation, ...] = ()
    """Whether low rungs rank trials as high ones do."""
    advice: tuple[Advice, ...] = ()
    """What to do next, the most urgent first."""
