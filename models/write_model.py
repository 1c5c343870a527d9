"""Makes a model's file of a trained trial; runs in a worker, which has the training libraries at hand."""

from dataclasses import dataclass
from pathlib import Path

from pegbox.datasets.prepared import open_prepared
from pegbox.datasets.preprocessing import read_preprocessing
from pegbox.models.artefact import content_hash, write_artefact
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import ModelError
from pegbox.schemas.model import Lineage, ModelCard, ModelManifest, ModelRecord
from pegbox.schemas.plan import Final
from pegbox.schemas.trial import Segment
from pegbox.training.kinds.registry import model_form_of

FILES = "checkpoint/"
"""What the members begin with that a user's own code left behind."""


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
    """

    path: Path
    segment: Segment
    checkpoint: Path
    data: PreparedData | None
    final: Final
    recipe: str
    card: ModelCard
    lineage: Lineage


def write_model(request: ModelRequest) -> ModelRecord:
    """Write the file.

    Raises:
        TrialError: The checkpoint cannot be read.
        ModelError: The weights cannot be kept without code, or there are no files.
        StoreUnwritableError: The disk is full or fails.
    """
    form = model_form_of(request.segment.train)
    manifest = ModelManifest(
        form="files",
        final=request.final,
        recipe=request.recipe,
        train=request.segment.train,
        configuration=request.segment.configuration,
        lineage=request.lineage,
        card=request.card,
        members={},
    )
    members: dict[str, bytes | Path]
    if form is None or request.data is None:
        members = _files(request.checkpoint)
    else:
        splits = open_prepared(request.data, request.segment.fold)
        weights, inputs = form.pack(request.segment, request.checkpoint, splits)
        members = {form.member: weights}
        preprocessing = read_preprocessing(request.data, request.segment.fold)
        manifest = manifest.model_copy(update={"form": form.name, "inputs": inputs, "preprocessing": preprocessing})
    write_artefact(request.path, manifest, members)
    return ModelRecord(
        trial=request.segment.trial,
        form=manifest.form,
        final=request.final,
        path=str(request.path),
        content=content_hash(request.path),
        n_bytes=request.path.stat().st_size,
        metrics=request.card.test_metrics,
    )


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
