"""Models in the history: which there are, and which is the one to be used; their files are `model_files`' matter."""

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import Json

from pegbox.schemas.base import Schema
from pegbox.schemas.errors import ModelError, suggest
from pegbox.schemas.events import ModelPromoted
from pegbox.schemas.model import ModelCard
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.model_files import CURRENT, model_path, put_under
from pegbox.storage.queries.asking import MeasuredColumn, ask, ask_column
from pegbox.storage.study_lock import StudyLock

Standing = Literal["current", "former", "latest", "earlier"]


class ListedModel(Schema):
    """One row of the view `models`, and whether its file is there."""

    study: str
    run: str
    trial: int
    form: str
    final: str
    standing: Standing
    promoted_as: str | None
    metrics: MeasuredColumn
    made_at: datetime
    n_bytes: int
    card: Json[ModelCard] | None = None
    """None where an earlier pegbox made it."""
    is_gone: bool = False
    """True where the file was deleted."""


class _Promoted(Schema):
    source: str
    run: str


class Promotion(NamedTuple):
    """A model that is to be promoted.

    Attributes:
        study: Under whose name it is to be found.
        source: The study whose run made it.
        run: Which run.
        by: Who asks for it.
        reason: Why.
    """

    study: str
    source: str
    run: str
    by: Literal["user", "schedule"] = "user"
    reason: str = ""


def listed_models(file: HistoryFile, study: str | None = None) -> tuple[ListedModel, ...]:
    """The models of a study, or of all, the newest first."""
    rows = ask(
        file,
        ListedModel,
        "SELECT study, run, trial, form, final, standing, promoted_as, metrics, made_at, n_bytes, card FROM models "
        "WHERE $study IS NULL OR study = $study OR promoted_as = $study ORDER BY made_at DESC, run",
        study=study,
    )
    return tuple(
        row.model_copy(update={"is_gone": not model_path(file.store, row.study, row.run).is_file()}) for row in rows
    )


def newest_card(file: HistoryFile, study: str) -> ModelCard | None:
    """The card of the newest model of a study; None where it has none."""
    found = [model for model in listed_models(file, study) if model.study == study]
    return found[0].card if found else None


def why_no_model(file: HistoryFile, study: str) -> str:
    """Why the last run that ended in no model did; empty where none did."""
    found = ask_column(
        file,
        "SELECT body->>'$.reason' FROM events WHERE type = 'model_made' AND study = $study "
        "AND body->>'$.model' IS NULL ORDER BY written_at DESC, seq DESC LIMIT 1",
        study=study,
    )
    return str(found[0] or "") if found else ""


def newest_run(store: StoreLayout, study: str) -> str | None:
    """The run that made the newest model of a study; None where it has none."""
    with open_history(store.root) as file:
        found = [model.run for model in listed_models(file, study) if model.study == study]
    return found[0] if found else None


def former_of(store: StoreLayout, study: str) -> tuple[str, str]:
    """Source and run of the model that was promoted before the current one.

    Raises:
        ModelError: There is none to go back to.
    """
    with open_history(store.root) as file:
        rows = ask(
            file,
            _Promoted,
            "SELECT coalesce(nullif(body->>'$.source', ''), study) AS source, body->>'$.run' AS run FROM events "
            "WHERE type = 'model_promoted' AND study = $study ORDER BY written_at DESC, journal DESC, seq DESC",
            study=study,
        )
    before = [row for row in rows if row != rows[0]]
    if not before:
        raise ModelError(
            f"No other model of {study!r} was promoted before. `pegbox models` lists those that there are."
        )
    return before[0].source, before[0].run


def promote_model(store: StoreLayout, promotion: Promotion) -> None:
    """Make a model the one that `study@current` names, in one step; the former stays where it is.

    Raises:
        ModelError: There is no such model, or its file is gone.
        StoreBusyError: Another process promotes one of the study at this moment.
        StoreUnwritableError: The store cannot be written.
    """
    with StudyLock(store, f"{promotion.study} (models)"):
        with open_history(store.root) as file:
            models = [one for one in listed_models(file) if one.study == promotion.source]
        found = next((one for one in models if one.run == promotion.run), None)
        if found is None:
            hint = suggest(promotion.run, [one.run for one in models])
            raise ModelError(f"The study {promotion.source!r} has no model of a run {promotion.run!r}. {hint}")
        path = model_path(store, promotion.source, promotion.run)
        if found.is_gone:
            raise ModelError(
                f"The file of the model {promotion.source}@{promotion.run} is gone: {str(path)!r}. "
                f"Run the study again, which makes its model anew, or promote another one."
            )
        current = model_path(store, promotion.study, CURRENT)
        current.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Recorded first: a kill in between leaves a history that says what to do again, not a file that nobody chose.
        journal = Journal(store.journal, writer="amend")
        journal.append(
            ModelPromoted(
                study=promotion.study,
                # Left out where it is the study itself, so that it keeps its meaning when the study is renamed.
                source="" if promotion.source == promotion.study else promotion.source,
                run=promotion.run,
                by=promotion.by,
                reason=promotion.reason,
            )
        )
        journal.close()
        put_under(path, current)
    ingest(store, wait=True, force=True)
