"""What a study's history says: which knobs matter, what each does, what next; data only, computed once a version."""

import contextlib
import hashlib
from pathlib import Path

from pydantic import ValidationError

from pegbox import __version__
from pegbox.analysis.advice import Advice
from pegbox.analysis.cost import CostPoint, cost_front
from pegbox.analysis.effects import Effects, effects
from pegbox.analysis.health import advise
from pegbox.analysis.importance import Importance, importance
from pegbox.analysis.rung_correlation import RungCorrelation, rung_correlations
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.base import Schema
from pegbox.schemas.history import History
from pegbox.schemas.selection import Selection
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout

N_INTERACTIONS = 3
MIN_FAILURES = 5
"""Fewer failures have no cause that could be told."""


class Explanation(Schema):
    """What the history of a study says beyond its winner."""

    study: str
    version: int
    """Of the history; a later one may say something else."""
    n_trials: int
    n_failed: int
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


def explain_study(root: Path, name: str | None = None) -> Explanation:
    """Explain a study of a store; the same version of its history is computed once and kept in the store's cache.

    Args:
        root: The store.
        name: Of the study; the one that was active last where it is None.

    Raises:
        NotFoundError: There is no history, or it holds no such study.
        StoreCorruptError: The store is damaged.
    """
    store = StoreLayout(root.absolute())
    with StudyReader(root, name) as reader, HistoryFile(store) as file:
        history = file.history(reader.study)
    kept = _kept_at(store, history)
    with contextlib.suppress(OSError, ValidationError):
        return Explanation.model_validate_json(kept.read_bytes())
    explanation = explain(history)
    with contextlib.suppress(OSError):  # a store that only may be read is explained again each time
        _write(kept, explanation)
    return explanation


def explain(history: History) -> Explanation:
    """Everything that the analysis has to say about the trials that the space of a study holds."""
    n_trials = len(history.trials)
    history = history.within_space()
    ranking = importance(history)
    pairs = tuple(pair.names for pair in ranking.pairs[:N_INTERACTIONS] if pair.share > 0)
    return Explanation(
        study=history.spec.name,
        version=history.version,
        n_trials=n_trials,
        n_failed=len(history.failed),
        n_outside=n_trials - len(history.trials),
        selection=history.selection,
        importance=ranking,
        others=tuple(importance(history, objective=at) for at in range(1, len(history.objectives))),
        effects=effects(history, pairs=pairs),
        costs=effects(history, about="seconds"),
        cost_front=cost_front(history),
        failures=importance(history, about="failure") if len(history.failed) >= MIN_FAILURES else None,
        rungs=rung_correlations(history),
        advice=advise(history, ranking),
    )


def _kept_at(store: StoreLayout, history: History) -> Path:
    """Depends on the study, the version of its history and that of pegbox."""
    content = f"{__version__} {history.version} {history.elapsed_seconds} {history.spec.model_dump_json()}"
    return store.cache / "explanations" / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.json"


def _write(path: Path, explanation: Explanation) -> None:
    """All of it or nothing, also beside another process that does the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = explanation.model_dump_json()
    draft = path.with_suffix(f".{hashlib.sha256(text.encode()).hexdigest()[:8]}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
