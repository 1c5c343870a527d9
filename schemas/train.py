"""What a study says about training; the loops live in `training`."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field

from pegbox.schemas.base import Declared, ImportPath
from pegbox.schemas.data import Task

Device = Literal["auto", "cpu", "cuda"]

IMPORTED = "imported:objective"
"""The function of a study that was run by another tool: a name that leads nowhere, because its code is not here."""


class _Train(Declared):
    brings_data: ClassVar[bool] = False
    """True if training may bring its own data, so that the study needs none."""

    epochs: int = Field(default=1, ge=1)
    """The full budget of a trial."""


class TorchTrain(_Train):
    """A model that pegbox builds from the configuration and trains with its own loop."""

    kind: Literal["mlp", "cnn", "resnet", "rnn", "transformer"]
    """The family of models; the space holds its hyperparameters."""
    task: Task | None = None
    """Taken from the target column where it is left out."""
    patience: int | None = Field(default=None, ge=1)
    """Stop after this many epochs without a better validation loss, and keep the best epoch's weights."""
    precision: Literal["auto", "float32", "mixed"] = "auto"
    """`auto` is mixed where a GPU has it, float32 elsewhere."""
    device: Device = "auto"
    """`auto` takes a GPU where there is one."""


class SklearnTrain(_Train):
    """A scikit-learn estimator by import path; its parameters come from the space."""

    kind: Literal["sklearn"]
    """An estimator with `fit` and `predict`."""
    estimator: ImportPath = Field(examples=["sklearn.ensemble:RandomForestClassifier"])
    """The class, as `package.module:name`."""
    task: Task | None = None
    """Taken from the target column where it is left out."""


class FunctionTrain(_Train):
    """A function of yours, called with the parameters by name."""

    kind: Literal["function"]
    """A Python function."""
    brings_data: ClassVar[bool] = True
    function: ImportPath
    """The function, as `package.module:name`."""
    device: Device = "auto"
    """Handed to the function through `trial.device`."""


def _argument(raw: Any) -> Any:
    """A number or truth value of the study file as the text that a program is given."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw) if isinstance(raw, int | float) else raw


Argument = Annotated[str, BeforeValidator(_argument, json_schema_input_type=str | float | bool)]
"""One argument of a program; a number may stand without quotes."""


class CommandTrain(_Train):
    """A program of yours; `{name}` in an argument is replaced by the value of that parameter."""

    kind: Literal["command"]
    """Any program."""
    brings_data: ClassVar[bool] = True
    command: tuple[Argument, ...] = Field(min_length=1, examples=[["python", "train.py", "--lr", "{lr}"]])
    """The program and its arguments, without a shell. Placeholders: `{lr}` a parameter, `{lr:json}` as JSON,
    `{amp?--amp}` a flag, `{args}`, `{args_no_hyphens}`, `{args_no_boolean_flags}`, `{args_json}`, `{args_json_file}`
    all parameters, and `{epochs}`, `{from_epochs}`, `{seed}`, `{trial}`, `{checkpoint_dir}`, `{resume_dir}`,
    `{data_dir}`, `{device}`."""
    metrics: str = Field(
        default="auto",
        examples=["auto", "json", "name=value", "file:metrics.json", "tensorboard:logs", r"regex:loss: (?P<loss>\S+)"],
    )
    """Where metrics are read. `auto` reads what programs print (pairs, JSON, dicts, progress bars, tables), `json` and
    `name=value` one form of it; or a file (JSON, JSON lines, CSV), TensorBoard's event files, or a regular expression
    with named groups."""


class CustomTrain(_Train):
    """A trainer of your own, by import path: an object with the verbs `train` and `evaluate`."""

    kind: Literal["custom"]
    """A class that trains a segment from one budget to another, such as a wrapper of another framework's loop."""
    brings_data: ClassVar[bool] = True
    trainer: ImportPath = Field(examples=["my_project.training:MyTrainer"])
    """The class, or a function that makes one, as `package.module:name`."""
    options: dict[str, Any] = Field(default={})
    """Arguments that it is made with."""


TrainSpec = Annotated[TorchTrain | SklearnTrain | FunctionTrain | CommandTrain | CustomTrain, Discriminator("kind")]
