"""The models of a study for the page: their standing, their cards, and the commands to use them; loads no weights."""

import shlex

from pegbox.models.artefact import open_artefact
from pegbox.page.models_document import ModelRow, Models
from pegbox.schemas.errors import ModelError
from pegbox.schemas.model import ModelCard, ModelManifest
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.model_files import model_path
from pegbox.storage.model_log import ListedModel, listed_models, why_no_model

# Both picked by hand: a scheduled study gathers models for years, and a manifest with long vocabularies takes a while
# to be read at each look.
MOST_MODELS = 20
MOST_CARDS = 3
"""Models whose cards are told: the current one and the newest."""

_FIELDS = {name: field.description or "" for name, field in ModelCard.model_fields.items()}
"""What each field of a card says, as its schema tells it."""


def models(file: HistoryFile, study: str) -> Models:
    """The models of a study, and those that are promoted under its name; the current one first, then the newest."""
    found = sorted(listed_models(file, study), key=lambda one: one.standing != "current")[:MOST_MODELS]
    rows = tuple(_row(file, one, has_card=place < MOST_CARDS) for place, one in enumerate(found))
    return Models(rows=rows, fields=_FIELDS) if rows else Models(absence=why_no_model(file, study))


def _row(file: HistoryFile, one: ListedModel, *, has_card: bool) -> ModelRow:
    name = f"{one.study}@{one.run}"
    manifest, note = _manifest(file, one) if has_card else (None, "")
    return ModelRow(
        name=name,
        standing=f"{one.standing} of {one.promoted_as}" if one.promoted_as else one.standing,
        trial=one.trial,
        form=one.form,
        final=one.final,
        metrics=one.metrics,
        made_at=one.made_at.timestamp(),
        n_bytes=one.n_bytes,
        is_gone=one.is_gone,
        card=manifest.card if manifest else None,
        lineage=manifest.lineage if manifest else None,
        note=note,
        commands=() if one.is_gone else _commands(name, one),
    )


def _manifest(file: HistoryFile, one: ListedModel) -> tuple[ModelManifest | None, str]:
    if one.is_gone:
        return None, "Its file is gone from the store."
    try:
        with open_artefact(model_path(file.store, one.study, one.run)) as artefact:
            return artefact.manifest, ""
    except ModelError as error:
        # One damaged file must not cost a reader the page of the whole study.
        return None, str(error)


def _commands(name: str, one: ListedModel) -> tuple[str, ...]:
    # Models that are no pipeline from rows to predictions are the files that a program left: there is nothing to ask.
    predict = [] if one.form == "files" else [f"pegbox predict {shlex.quote(name)} rows.csv --out predictions.csv"]
    promote = [] if one.standing == "current" else [f"pegbox promote {shlex.quote(name)}"]
    return (*predict, *promote)
