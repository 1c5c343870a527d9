"""What a study says about training; the loops live in `training`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, model_validator

from pegbox.schemas.base import Declared, EntryError, ImportPath
from pegbox.schemas.data import Task

Device = Literal["auto", "cpu", "cuda", "mps", "xpu"]

IMPORTED = "imported:objective"
"""The function of a study that was run by another tool: a name that leads nowhere, because its code is not here."""


class _Train(Declared):
    epochs: int = Field(default=1, ge=1)
    """The full budget of a trial."""

    @property
    def brings_data(self) -> bool:
        """True if training may bring its own data, so that the study needs none."""
        return False


def _argument(raw: Any) -> Any:
    """A number or truth value of the study file as the text that a program is given."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw) if isinstance(raw, int | float) else raw


Argument = Annotated[str, BeforeValidator(_argument, json_schema_input_type=str | float | bool)]
"""A text; a number may stand without quotes."""


class _UserCode(_Train):
    """Training that runs code of yours, which pegbox reads to know a result again."""

    depends: tuple[str, ...] = Field(default=(), examples=[["conf/*.yaml", "package:timm", "env:DATA_VERSION"]])
    """What shapes a result and cannot be seen in the code: files, folders and patterns, installed packages, `env:NAME`
    for a variable. A result is used again only where they are as they were."""
    version: Argument | None = Field(default=None, examples=[3])
    """Of the training, for changes that no file shows; another version trains everything again."""


class _OwnCode(_UserCode):
    """What may load anything itself."""

    @property
    def brings_data(self) -> bool:
        """A function, a program or a trainer of yours may."""
        return True


class _LoopTrain(_Train):
    """What pegbox's own loop is told, whoever builds the model."""

    task: Task | None = None
    """Taken from the target column where it is left out."""
    patience: int | None = Field(default=None, ge=1)
    """Stop after this many epochs without a better validation loss, and keep the best epoch's weights."""
    precision: Literal["auto", "float32", "mixed"] = "auto"
    """`auto` is mixed where a GPU has it, float32 elsewhere."""
    device: Device = "auto"
    """`auto` takes a CUDA GPU where there is one; `mps` (Apple) and `xpu` (Intel) are taken by name."""


class TorchTrain(_LoopTrain):
    """A model that pegbox builds from the configuration and trains with its own loop."""

    kind: Literal["mlp", "cnn", "resnet", "rnn", "transformer"]
    """The family of models; the space holds its hyperparameters."""


class ModuleTrain(_UserCode, _LoopTrain):
    """A `torch.nn.Module` of yours, trained with pegbox's own loop."""

    kind: Literal["torch"]
    """A module by import path; the space holds its arguments and the hyperparameters of every torch kind."""
    module: ImportPath = Field(examples=["my_project.models:Net"])
    """The class, or a function that makes one, as `package.module:name`."""
    loss: ImportPath | None = Field(default=None, examples=["my_project.losses:focal", "torch.nn:SmoothL1Loss"])
    """`loss(outputs, target)`, a function or a class of modules; cross-entropy or the squared error where it is left
    out."""
    metrics: dict[str, ImportPath] = Field(default={}, examples=[{"top2": "my_project.metrics:top2"}])
    """Further metrics by name, `metric(outputs, target)` each; `top2` is measured as `val_top2` and `test_top2`."""
    loaders: ImportPath | None = Field(default=None, examples=["my_project.data:loaders"])
    """A function that returns your own `Dataset`s or `DataLoader`s, of any structure, instead of `data`."""

    @property
    def brings_data(self) -> bool:
        """True if its own loaders give the rows."""
        return self.loaders is not None


class SklearnTrain(_UserCode):
    """A scikit-learn estimator by import path; its parameters come from the space."""

    kind: Literal["sklearn"]
    """An estimator with `fit` and `predict`."""
    estimator: ImportPath = Field(examples=["sklearn.ensemble:RandomForestClassifier"])
    """The class, as `package.module:name`."""
    task: Task | None = None
    """Taken from the target column where it is left out."""


class FunctionTrain(_OwnCode):
    """A function of yours, called with the parameters by name."""

    kind: Literal["function"]
    """A Python function."""
    function: ImportPath
    """The function, as `package.module:name`."""
    device: Device = "auto"
    """Handed to the function through `trial.device`; `auto` is a CUDA GPU where there is one, else the CPU."""


class CommandTrain(_OwnCode):
    """A program of yours; `{name}` in an argument is replaced by the value of that parameter."""

    kind: Literal["command"]
    """Any program."""
    command: tuple[Argument, ...] = Field(min_length=1, examples=[["python", "train.py", "--lr", "{lr}"]])
    """The program and its arguments, without a shell. Placeholders: `{lr}` a parameter, `{lr:json}` as JSON,
    `{amp?--amp}` a flag, `{args}`, `{args_no_hyphens}`, `{args_no_boolean_flags}`, `{args_json}`, `{args_json_file}`
    all parameters, and `{epochs}`, `{from_epochs}`, `{seed}`, `{trial}`, `{checkpoint_dir}`, `{resume_dir}`,
    `{data_dir}`, `{device}`, and
    what `fidelity.of` names."""
    metrics: str = Field(
        default="auto",
        examples=["auto", "json", "name=value", "file:metrics.json", "tensorboard:logs", r"regex:loss: (?P<loss>\S+)"],
    )
    """Where metrics are read. `auto` reads what programs print (pairs, JSON, dicts, progress bars, tables), `json` and
    `name=value` one form of it; or a file (JSON, JSON lines, CSV), TensorBoard's event files, or a regular expression
    with named groups."""


class CustomTrain(_OwnCode):
    """A trainer of your own, by import path: an object with the verbs `train` and `evaluate`."""

    kind: Literal["custom"]
    """A class that trains a segment from one budget to another, such as a wrapper of another framework's loop."""
    trainer: ImportPath = Field(examples=["my_project.training:MyTrainer"])
    """The class, or a function that makes one, as `package.module:name`."""
    options: dict[str, Any] = Field(default={})
    """Arguments that it is made with."""


OneFamily = TorchTrain | ModuleTrain | SklearnTrain
"""What pegbox trains with loops of its own, and keeps as a model that predicts."""


class FamiliesTrain(_Train):
    """Several families of models in one search, which decides among them."""

    kind: Literal["families"]
    """Each trial trains one of the families: that which its parameter `family` names."""
    families: Mapping[str, Annotated[OneFamily, Discriminator("kind")]] = Field(
        min_length=2,
        examples=[
            {
                "forest": {"kind": "sklearn", "estimator": "sklearn.ensemble:RandomForestClassifier"},
                "mlp": {"kind": "mlp", "patience": 5},
            }
        ],
    )
    """By a name of yours: a torch kind, a module of yours or an estimator, each as it stands in a study of its own. Its
    hyperparameters are those of the space whose names begin with its own, `forest.max_features`. `epochs` stands beside
    `families` and holds for all: an estimator is fitted whole in the first of them, unless it has `partial_fit`."""
    task: Task | None = None
    """Taken from the target column where it is left out."""
    early: int = Field(default=2, ge=0)
    """Trials that each family gets before the search decides among them, those of `search.enqueue` counted; a family
    whose trials all failed gets no more."""

    @property
    def patience(self) -> int | None:
        """That of the first network which has some; None where none has."""
        found = (getattr(one, "patience", None) for one in self.families.values())
        return next((one for one in found if one is not None), None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, train in self.families.items():
            at = ("families", name)
            if not name.isidentifier():
                message = f"the name of a family is of letters, digits and _, got {name!r}, for it begins the names"
                raise EntryError(f"{message} of its parameters. Rename it.", *at)
            if train.epochs != 1:
                raise EntryError(
                    f"all families are trained for train.epochs, and {name} has {train.epochs} of its own. Write "
                    "`epochs` beside `families`, once.",
                    *at,
                    "epochs",
                )
            if train.task is not None:
                raise EntryError("all families have one task. Write `task` beside `families`, once.", *at, "task")
            if train.brings_data:
                raise EntryError(f"families learn from the same rows, and {name} brings its own. Name `data`.", *at)
        return self


TrainSpec = Annotated[
    TorchTrain | ModuleTrain | SklearnTrain | FamiliesTrain | FunctionTrain | CommandTrain | CustomTrain,
    Discriminator("kind"),
]
MEASURES_ITSELF = (FunctionTrain, CommandTrain)
"""Whose training reports all that there is to know, so that nothing is left to measure when it is over."""

OWN_CODE = (*MEASURES_ITSELF, CustomTrain)
"""Kinds whose code is the user's from the first line to the last; it may be handed any number."""
