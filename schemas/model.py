"""The model that a study ends in: what its file says of it; how files are written and read lives in `models`."""

from typing import Literal

from pydantic import Field

from pegbox.schemas.base import Configuration, Metrics, Schema
from pegbox.schemas.data import PreparedData, Task
from pegbox.schemas.diagnostics import ModelDiagnostics
from pegbox.schemas.plan import Final
from pegbox.schemas.preprocessing import Preprocessing
from pegbox.schemas.selection import Interval
from pegbox.schemas.train import TrainSpec

FORMAT = 3
"""Raise it whenever an earlier pegbox could not read what this one writes; 2 has ensembles and diagnostics, 3 ensembles
of several families, and models of all rows."""
READABLE = (1, 2, FORMAT)
"""Formats that this pegbox reads."""

Form = Literal["torch", "sklearn", "ensemble", "files"]


class ModelInputs(Schema):
    """What weights must know of the arrays that they work on."""

    task: Task
    n_numeric: int
    cardinalities: tuple[int, ...] = ()
    n_classes: int = 0
    """0 for regression."""
    example: tuple[int, ...] | None = None
    """Shape of one example where the numbers are an image or a sequence."""
    target_mean: float = 0.0
    target_std: float = 1.0
    """Location and scale of a regression target in the rows that the weights learned from."""

    @classmethod
    def of(cls, data: PreparedData, target_mean: float, target_std: float) -> "ModelInputs":
        """Of prepared data; the scale of the target is that of the fold."""
        return cls(
            task=data.task,
            n_numeric=data.n_numeric,
            cardinalities=data.cardinalities,
            n_classes=len(data.classes),
            example=data.shape,
            target_mean=target_mean,
            target_std=target_std,
        )


class Lineage(Schema):
    """Where a model comes from."""

    study: str
    trial: int
    replicate: int | None = None
    """Which fresh seed of the finalists' round the weights are of, or took their seed from."""
    seed: int
    epochs: int
    """That it was trained for."""
    data_fingerprint: str | None = None
    """Of the prepared data that it learned from."""
    code: str
    """Fingerprint of the code that trained it."""
    versions: dict[str, str] = Field(default={})


class ModelCard(Schema):
    """What a model is, what it was measured on, how sure that is, and where its limits are."""

    title: str
    """In one sentence: what it predicts, from what, for which study."""
    n_rows: dict[str, int] = Field(default={})
    """Rows that it learned from (`train`) and that it was measured on."""
    metric: str
    goal: Literal["minimize", "maximize"]
    expected: float
    """Of the study's first objective on validation rows, over fresh seeds of this configuration."""
    interval: Interval | None = None
    """Of that."""
    test_metrics: Metrics = Field(default={})
    """Of these very weights, on rows that were held out; empty where none were."""
    limits: tuple[str, ...] = ()
    """What a user of the model has to know, a sentence each."""
    diagnostics: ModelDiagnostics | None = None
    """On rows that it did not learn from; None where a user's own code trained it."""


class EnsembleMember(Schema):
    """One model of several whose answers are averaged."""

    trial: int
    configuration: Configuration
    weight: float
    """All of them add up to 1."""
    member: str
    """The file of its weights."""
    train: TrainSpec | None = None
    """How it was trained; as the winner where it is None, which it was before format 3."""


class ModelManifest(Schema):
    """Everything that a model's file says beside the weights."""

    format: int = FORMAT
    form: Form
    final: Final
    recipe: str
    """Equal for models that are made in the same way of the same training."""
    train: TrainSpec
    configuration: Configuration
    inputs: ModelInputs | None = None
    """None where a user's own code trained it."""
    preprocessing: Preprocessing | None = None
    """None where a user's own code trained it."""
    lineage: Lineage
    card: ModelCard
    ensemble: tuple[EnsembleMember, ...] = ()
    """Of the form `ensemble`, the winner first; they learned from the same rows."""
    members: dict[str, str]
    """Every other file within it, with the SHA-256 of its content."""


class ModelRecord(Schema):
    """A model in the history."""

    trial: int
    form: Form
    final: Final
    path: str
    """The file, below the store."""
    content: str
    """SHA-256 of the whole file."""
    n_bytes: int
    metrics: Metrics = Field(default={})
    """On the held-out rows."""
    card: ModelCard | None = None
    """None where an earlier pegbox made it."""
