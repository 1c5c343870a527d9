"""What is wrong with a study once its data is known: its task, its shape, and so what can be measured; light."""

from collections.abc import Iterator

from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.plan import ROWS
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import CommandTrain, FamiliesTrain, ModuleTrain, SklearnTrain, TorchTrain
from pegbox.training.kinds.families_kind import family_studies, placed
from pegbox.training.measured_metrics import METRICS, TWO_CLASSES


def check_prepared(spec: StudySpec, data: PreparedData) -> tuple[Problem, ...]:
    """Problems of the kinds that pegbox builds; a function or command takes any data that has the rows it asks for.

    Call it once the data is prepared and before anything is trained: each of these would fail every trial.
    """
    if isinstance(spec.train, FamiliesTrain):
        of_each = (placed(one, name, spec) for name, study in family_studies(spec) for one in _check(study, data))
        # Once: what is wrong with the rows is so for each of them.
        return tuple(dict.fromkeys(of_each))
    return tuple(_check(spec, data))


def _check(spec: StudySpec, data: PreparedData) -> tuple[Problem, ...]:
    rows = tuple(_check_rows(spec, data))
    if not isinstance(spec.train, TorchTrain | ModuleTrain | SklearnTrain):
        return rows
    return (*rows, *_check_task(spec.train, data), *_check_metrics(spec, data), *_check_shape(spec.train, data))


def _check_rows(spec: StudySpec, data: PreparedData) -> Iterator[Problem]:
    """More rows than there are; a program is told the number, and may have others."""
    n_rows = data.n_rows["train"]
    if spec.fidelity.of == ROWS and not isinstance(spec.train, CommandTrain) and spec.full_budget > n_rows:
        message = f"the training part of the data has {n_rows} rows, got max={spec.full_budget}. Lower it to {n_rows}."
        yield Problem(message, ("fidelity", "max"))


def _check_task(train: TorchTrain | ModuleTrain | SklearnTrain, data: PreparedData) -> Iterator[Problem]:
    if train.task is not None and train.task != data.task:
        message = f"the target column is one of {data.task}, got task={train.task!r}. Correct it, or leave it out."
        yield Problem(message, ("train", "task"))


def _check_metrics(spec: StudySpec, data: PreparedData) -> Iterator[Problem]:
    n_classes = len(data.classes)
    known = [name for name in METRICS[data.task] if name not in TWO_CLASSES or n_classes == 2]
    if isinstance(spec.train, TorchTrain | ModuleTrain):
        known.append("parameters")
    if isinstance(spec.train, ModuleTrain):
        known += [f"val_{name}" for name in spec.train.metrics]
    for position, objective in enumerate(spec.goals):
        if objective.metric in known:
            continue
        what = f"{n_classes} classes" if data.task == "classification" else "a numeric target"
        message = f"with {what}, {objective.metric!r} is not measured. {suggest(objective.metric, known)}"
        yield Problem(message, ("objective", "metric") if spec.objective else ("objectives", position, "metric"))


def _check_shape(train: TorchTrain | ModuleTrain | SklearnTrain, data: PreparedData) -> Iterator[Problem]:
    n_dimensions = 0 if data.shape is None else len(data.shape)
    if train.kind == "cnn" and n_dimensions not in {2, 3}:
        yield Problem(
            f"a cnn needs images, got examples of shape {data.shape}. Choose another kind, or a `module:function` that "
            "gives an array of shape (n, height, width).",
            ("train", "kind"),
        )
    if train.kind in {"rnn", "transformer"} and (n_dimensions > 2 or not data.n_numeric):
        message = f"the kind {train.kind!r} needs sequences of numbers, got shape {data.shape}. Choose another."
        yield Problem(message, ("train", "kind"))
