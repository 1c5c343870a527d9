"""Makes a model's file of a trained trial; runs in a worker, which has the training libraries at hand."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pegbox.datasets.prepared import open_prepared
from pegbox.datasets.preprocessing import read_preprocessing
from pegbox.models.artefact import content_hash, write_artefact
from pegbox.schemas.arrays import Part
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import ModelError, TrialError
from pegbox.schemas.model import Lineage, ModelCard, ModelManifest, ModelRecord
from pegbox.schemas.plan import Final
from pegbox.schemas.trial import Segment
from pegbox.training.kinds.registry import model_form_of
from pegbox.training.model_form import ModelForm, Predictor

FILES = "checkpoint/"
"""What the members begin with that a user's own code left behind."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Rows that weights did not learn from, for the diagnostics of the card.

    Attributes:
        segment: The training of these weights: the model's own or, where that learned from all rows, the one before.
        checkpoint: What that left behind.
        data: Which holds the rows.
        part: Which of its rows.
        told: The same in a sentence.
    """

    segment: Segment
    checkpoint: Path
    data: PreparedData
    part: Literal["test", "valid"]
    told: str


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A model that is to be made.

    Attributes:
        path: Where its file goes.
        segment: Whose training it is.
        checkpoint: What that left behind.
        data: What it learned from; None where training brought its own.
        final: How the study asks for it.
        recipe: See `ModelManifest`.
        card: What it says of itself.
        lineage: Where it comes from.
        unseen: What its card tells more of; None where the kind of training keeps files.
        others: Further finalists, each with what its training left behind, of which an ensemble may be made.
    """

    path: Path
    segment: Segment
    checkpoint: Path
    data: PreparedData | None
    final: Final
    recipe: str
    card: ModelCard
    lineage: Lineage
    unseen: Unseen | None = None
    others: tuple[tuple[Segment, Path], ...] = ()


def write_model(request: ModelRequest) -> ModelRecord:
    """Write the file.

    Raises:
        TrialError: The checkpoint cannot be read.
        ModelError: The weights cannot be kept without code, or there are no files.
        StoreUnwritableError: The disk is full or fails.
    """
    form, card = model_form_of(request.segment.train), request.card
    manifest = ModelManifest(
        form="files",
        final=request.final,
        recipe=request.recipe,
        train=request.segment.train,
        configuration=request.segment.configuration,
        lineage=request.lineage,
        card=card,
        members={},
    )
    members: dict[str, bytes | Path]
    if form is None or request.data is None:
        members = _files(request.checkpoint)
    else:
        manifest, members = _trained(manifest, request, form, request.data)
        card = manifest.card
    write_artefact(request.path, manifest, members)
    return ModelRecord(
        trial=request.segment.trial,
        form=manifest.form,
        final=request.final,
        path=str(request.path),
        content=content_hash(request.path),
        n_bytes=request.path.stat().st_size,
        metrics=card.test_metrics,
        card=card,
    )


def _trained(
    manifest: ModelManifest, request: ModelRequest, form: ModelForm, data: PreparedData
) -> tuple[ModelManifest, dict[str, bytes | Path]]:
    """The manifest of weights of pegbox's own training, and these by the names of their files."""
    splits = open_prepared(data, request.segment.fold)
    weights, inputs = form.pack(request.segment, request.checkpoint, splits)
    how = read_preprocessing(data, request.segment.fold)
    manifest = manifest.model_copy(update={"form": form.name, "inputs": inputs, "preprocessing": how})
    members: dict[str, bytes | Path] = {form.member: weights}
    predictor: Predictor | None = None
    if request.others:
        # Here, where a worker computes: it loads what measures, which the driver does without.
        from pegbox.models.write_ensemble import Candidate, combine

        candidates = (Candidate(request.segment, request.checkpoint), *(Candidate(*one) for one in request.others))
        found = combine(manifest.card, candidates, splits)
        manifest, predictor = manifest.model_copy(update={"card": found.card}), found.predictor
        if found.members:
            manifest = manifest.model_copy(update={"form": "ensemble", "ensemble": found.members})
            members = found.files
    if request.unseen is not None:
        card = _diagnosed(manifest.card, form, request.unseen, predictor)
        manifest = manifest.model_copy(update={"card": card})
    return manifest, members


def _diagnosed(card: ModelCard, form: ModelForm, unseen: Unseen, predictor: Predictor | None) -> ModelCard:
    """The card with what the model says of rows that it did not learn from.

    Args:
        predictor: Who answers; the weights of `unseen` where it is None.
    """
    # Here, where a worker computes: the driver imports this module, and scipy's statistics take half a second to load.
    from pegbox.models.diagnose import diagnose
    from pegbox.models.write_ensemble import open_packed

    splits = open_prepared(unseen.data, unseen.segment.fold)
    rows: Part | None = getattr(splits, unseen.part)
    assert rows is not None, "the flow names a part that there is"
    try:
        predictor = predictor or open_packed(
            form, unseen.segment, *form.pack(unseen.segment, unseen.checkpoint, splits)
        )
    except (ModelError, TrialError) as error:
        return card.model_copy(update={"limits": (*card.limits, f"Nothing more is known of it: {error}")})
    how = read_preprocessing(unseen.data, unseen.segment.fold)
    return card.model_copy(update={"diagnostics": diagnose(predictor, how, rows, unseen.part, unseen.told)})


def _files(checkpoint: Path) -> dict[str, bytes | Path]:
    """All regular files of a checkpoint, by their names below it; links and pipes are no part of a model."""
    if checkpoint.is_file():
        return {f"{FILES}{checkpoint.name}": checkpoint}
    found: dict[str, bytes | Path] = {
        f"{FILES}{path.relative_to(checkpoint).as_posix()}": path
        for path in checkpoint.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    if not found:
        raise ModelError(f"The checkpoint {checkpoint} holds no file, so that there is no model to keep.")
    return found
