"""What a study says about training; the loops live in `training`."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field

from pegbox.schemas.base import ImportPath, Schema
from pegbox.schemas.data import Task

Device = Literal["auto", "cpu", "cuda"]


class _Train(Schema):
    epochs: int = Field(default=1, ge=1)
    """The full budget of a trial."""


class TorchTrain(_Train):
    """A model that pegbox builds from the configuration and trains with its own loop."""

    kind: Literal["mlp", "cnn", "resnet", "rnn", "transformer"]
    task: Task | None = None
    """Taken from the target column where it is left out."""
    patience: int | None = Field(default=None, ge=1)
    """Stop after this many epochs without a better validation loss, and keep the best epoch's weights."""
    precision: Literal["auto", "float32", "mixed"] = "auto"
    """`auto` is mixed where a GPU has it, float32 elsewhere."""
    device: Device = "auto"


class SklearnTrain(_Train):
    """A scikit-learn estimator by import path; its parameters come from the space."""

    kind: Literal["sklearn"]
    estimator: ImportPath = Field(examples=["sklearn.ensemble:RandomForestClassifier"])
    task: Task | None = None


class FunctionTrain(_Train):
    """A function of yours, called with the parameters by name."""

    kind: Literal["function"]
    function: ImportPath
    device: Device = "auto"


class CommandTrain(_Train):
    """A program of yours; `{name}` in an argument is replaced by the value of that parameter."""

    kind: Literal["command"]
    command: tuple[str, ...] = Field(min_length=1, examples=[["python", "train.py", "--lr", "{lr}"]])
    metrics: str = Field(
        default="auto",
        examples=["auto", "json", "name=value", "file:metrics.json", r"regex:loss: (?P<loss>\S+)"],
    )
    """Where metrics are read: JSON lines or `name=value` on stdout (`auto` takes both), a file, or a regular
    expression with named groups."""


TrainSpec = Annotated[TorchTrain | SklearnTrain | FunctionTrain | CommandTrain, Discriminator("kind")]
