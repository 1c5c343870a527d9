"""Which kinds of training there are: who trains one, what may be wrong with it, which code it runs; loads no torch."""

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pegbox.schemas.arrays import Splits
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import CommandTrain, FunctionTrain, SklearnTrain, TorchTrain, TrainSpec
from pegbox.training.check_code import check_function, check_sklearn
from pegbox.training.check_command import check_command, doubts_of_command
from pegbox.training.check_space import check_space
from pegbox.training.hyperparameters.torch_kinds import TORCH_KINDS
from pegbox.training.resources import parse_bytes, visible_gpus
from pegbox.training.sources import hash_files, imported_modules, imports_module, local_files, module_file
from pegbox.training.stack_shape import why_not_together
from pegbox.training.trainer import Trainer

METRICS: dict[str, tuple[str, ...]] = {
    "classification": ("val_loss", "val_accuracy", "val_balanced_accuracy", "val_f1", "val_roc_auc", "val_pr_auc"),
    "regression": ("val_loss", "val_rmse", "val_mae", "val_r2"),
}
"""What is measured of a model that pegbox builds, beside `parameters`, the number of its weights."""

TWO_CLASSES = ("val_roc_auc", "val_pr_auc")
"""Of these, what is measured only where there are two classes; the positive one is the last by name, or the larger."""


def trainer_for(train: TrainSpec) -> Trainer:
    """Who trains this; loads torch, scikit-learn or nothing, as the kind needs."""
    module, name = {
        TorchTrain: ("torch_trainer", "TorchTrainer"),
        FunctionTrain: ("function_trainer", "FunctionTrainer"),
        CommandTrain: ("command_trainer", "CommandTrainer"),
        SklearnTrain: ("sklearn_trainer", "SklearnTrainer"),
    }[type(train)]
    trainer: Trainer = getattr(import_module(f"pegbox.training.{module}"), name)()
    return trainer


def preload_for(train: TrainSpec) -> tuple[str, ...]:
    """Modules that workers should import before their first trial, so that no trial pays for it."""
    match train:
        case TorchTrain():
            # torch loads its compiler with the first step of an optimizer, which takes seconds.
            return ("torch", "torch._dynamo", "pegbox.training.torch_trainer")
        case SklearnTrain():
            return ("pegbox.training.sklearn_trainer",)
        case FunctionTrain():
            files = _function_files(train)
            heavy = tuple(name for name in ("torch", "sklearn") if imports_module(files, name))
            compiler = ("torch._dynamo",) if "torch" in heavy else ()
            return (*heavy, *compiler, "pegbox.training.function_trainer")
        case CommandTrain():
            return ("pegbox.training.command_trainer",)


def code_modules(train: TrainSpec) -> tuple[str, ...]:
    """Modules of the user's that hold what is trained; to import one runs the user's code."""
    match train:
        case FunctionTrain():
            return (train.function.partition(":")[0],)
        case SklearnTrain():
            return (train.estimator.partition(":")[0],)
        case TorchTrain() | CommandTrain():
            return ()


def load_data(train: TrainSpec, data: Splits, fold: int) -> None:
    """Load what a trainer reads of a fold as it keeps it, so that processes forked from this one share it.

    Nothing is put on a GPU, which does not live through a fork.
    """
    match train:
        case TorchTrain() if not visible_gpus():
            cpu = import_module("torch").device("cpu")
            import_module("pegbox.training.tensors").fold_tensors(data, fold, cpu)
        case SklearnTrain():
            for part in ("train", "valid", "test"):
                import_module("pegbox.training.estimator_data").estimator_part(data, fold, part)
        case _:
            return


def check_training(spec: StudySpec) -> tuple[Problem, ...]:
    """Everything that is wrong with how a study trains, so far as it can be told without training or importing."""
    return (*_check_kind(spec), *_check_metrics(spec), *_check_run(spec))


def doubts_of_training(spec: StudySpec) -> tuple[Problem, ...]:
    """What is allowed in how a study trains, and more often than not a mistake."""
    return doubts_of_command(spec, spec.train) if isinstance(spec.train, CommandTrain) else ()


def _check_kind(spec: StudySpec) -> tuple[Problem, ...]:
    match spec.train:
        case TorchTrain(kind=kind):
            return check_space(spec.space, TORCH_KINDS[kind], kind)
        case FunctionTrain() as train:
            return check_function(train, spec.space)
        case CommandTrain() as train:
            return check_command(train, spec.space, spec.run.workers)
        case SklearnTrain() as train:
            return check_sklearn(train, spec.space)


def _check_metrics(spec: StudySpec) -> tuple[Problem, ...]:
    """An objective or constraint that the trainer does not measure; a function or command may measure anything."""
    if not isinstance(spec.train, TorchTrain | SklearnTrain):
        return ()
    task = spec.train.task
    measured = METRICS[task] if task else METRICS["classification"] + METRICS["regression"]
    known = dict.fromkeys((*measured, *(("parameters",) if isinstance(spec.train, TorchTrain) else ())))
    where = f"the kind {spec.train.kind!r}" + (f" for {task}" if task else "")
    problems = [
        Problem(
            f"{where} does not measure {objective.metric!r}. {suggest(objective.metric, known)}",
            ("objective", "metric") if spec.objective else ("objectives", position, "metric"),
        )
        for position, objective in enumerate(spec.goals)
        if objective.metric not in known
    ]
    problems += [
        Problem(
            f"{where} does not measure {limit.metric!r}. {suggest(limit.metric, known)}", ("constraints", at, "metric")
        )
        for at, limit in enumerate(spec.constraints)
        if limit.metric not in known
    ]
    if spec.budget.cost is not None:
        message = f"{where} measures no metric `cost`. Limit the study with budget.epochs or budget.time instead."
        problems.append(Problem(message, ("budget", "cost")))
    return tuple(problems)


def _check_run(spec: StudySpec) -> tuple[Problem, ...]:
    problems = []
    if spec.run.memory is not None:
        try:
            parse_bytes(spec.run.memory)
        except ValueError as error:
            problems.append(Problem(str(error), ("run", "memory")))
    if spec.run.batch is not None:
        problems += [Problem(f"{why} Leave run.batch out.", ("run", "batch")) for why in why_not_together(spec)]
    if getattr(spec.train, "device", "auto") == "cuda" and spec.run.engine == "local" and not visible_gpus():
        message = "device is cuda, but this machine shows no GPU. Write `device: auto`, or run where there is one."
        problems.append(Problem(message, ("train", "device")))
    return tuple(problems)


def code_fingerprint(train: TrainSpec) -> str:
    """Equal for equal code: of pegbox for the kinds that it builds, of the user's files otherwise.

    A function counts with its module and every file below the working directory that it imports; a command with the
    files that its arguments name. Installed packages count by the version of torch or scikit-learn only.
    """
    match train:
        case TorchTrain():
            return f"{hash_files(own_files('torch'))}-torch-{_version('torch')}"
        case SklearnTrain():
            files = _local_files_of(train.estimator)
            return f"{hash_files(own_files('sklearn'))}-sklearn-{_version('scikit-learn')}-{hash_files(files)}"
        case FunctionTrain():
            return hash_files(_function_files(train))
        case CommandTrain():
            return hash_files(_command_files(train))


ROOM = Path(__file__).resolve().parent
OWN_TRAINERS = {"sklearn": ("sklearn_trainer",), "torch": ("torch_trainer", "stacked_trainer")}
"""Where the training that pegbox does itself begins."""


def own_files(trainer: Literal["sklearn", "torch"]) -> tuple[Path, ...]:
    """The files of this room that a trainer imports, directly or not: derived, so that none can be forgotten.

    What the rooms below hold is not counted: schemas declare what is part of the key itself.
    """
    found: set[Path] = set()
    waiting = [f"{__package__}.{name}" for name in OWN_TRAINERS[trainer]]
    while waiting:
        name = waiting.pop()
        file = _file_in_room(name)
        if file is not None and file not in found:
            found.add(file)
            waiting += imported_modules(file, name)
    return tuple(sorted(found))


def _file_in_room(module: str) -> Path | None:
    """The file of a module of this room; None for all else that a `from` statement may name."""
    if not module.startswith(f"{__package__}."):
        return None
    file = ROOM.joinpath(*module.removeprefix(f"{__package__}.").split(".")).with_suffix(".py")
    return file if file.is_file() else None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _function_files(train: FunctionTrain) -> tuple[Path, ...]:
    return _local_files_of(train.function)


def _local_files_of(import_path: str) -> tuple[Path, ...]:
    """The module's own file, if it lies below the working directory or outside Python's own, and what it imports."""
    module = import_path.partition(":")[0]
    file = module_file(module)
    if file is None or "site-packages" in file.parts or file.is_relative_to(sys.base_prefix):
        return ()
    return local_files(file, module, Path.cwd())


def _command_files(train: CommandTrain) -> tuple[Path, ...]:
    files: dict[Path, None] = {}
    for argument in train.command:
        path = Path(argument)
        if path.suffix == ".py" and path.is_file():
            files.update(dict.fromkeys(local_files(path, path.stem, Path.cwd())))
        elif path.is_file() and path.stat().st_size < 10_000_000:
            files[path] = None
    return tuple(files)
