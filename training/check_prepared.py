"""What is wrong with a study once its data is known: its task, its shape, and so what can be measured; light."""

from collections.abc import Iterator

from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import FamiliesTrain, ModuleTrain, SklearnTrain, TorchTrain
from pegbox.training.kinds.families_kind import family_studies, placed
from pegbox.training.measured_metrics import METRICS, TWO_CLASSES


def check_prepared(spec: StudySpec, data: PreparedData) -> tuple[Problem, ...]:
    """Problems of the kinds that pegbox builds; a function or command takes any data.

    Call it once the data is prepared and before anything is trained: each of these would fail every trial.
    """
    if isinstance(spec.train, FamiliesTrain):
        of_each = (placed(one, name, spec) for name, study in family_studies(spec) for one in _check(study, data))
        return tuple(dict.fromkeys(of_each))
    return tuple(_check(spec, data))


def _check(spec: StudySpec, data: PreparedData) -> tuple[Problem, ...]:
    if not isinstance(spec.train, TorchTrain | ModuleTrain | SklearnTrain):
        return ()
    return (*_check_task(spec.train, data), *_check_metrics(spec, data), *_check_shape(spec.train, data))


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
    if train.kind in {"rnn", "transformer"} and (n_dimensions > 2 or not data.numeric):
        message = f"the kind {train.kind!r} needs sequences of numbers, got shape {data.shape}. Choose another."
        yield Problem(message, ("train", "kind"))
