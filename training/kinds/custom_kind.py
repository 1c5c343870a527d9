"""Kind `custom`: a `Trainer` of the user's by import path, for loops that pegbox does not know."""

import ast
from typing import Any

from pegbox.schemas.errors import Problem
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import CustomTrain
from pegbox.training.check_code import check_import_path
from pegbox.training.failures import failed
from pegbox.training.kinds.record import TrainKind
from pegbox.training.kinds.user_files import code_of_imports

VERBS = ("train", "evaluate")
"""What a `Trainer` does; see `training/trainer.py` for what each is given and gives back."""


def _trainer(train: CustomTrain) -> Any:
    from pegbox.training.user_code import import_function

    made = import_function(train.trainer)(**train.options)
    missing = [verb for verb in VERBS if not callable(getattr(made, verb, None))]
    if missing:
        message = f"{train.trainer} made {type(made).__name__}, which has no {missing[0]}. A trainer has {VERBS}."
        raise failed(FailureKind.INVALID, message)
    return made


def _check(train: CustomTrain, _spec: StudySpec) -> tuple[Problem, ...]:
    place = ("train", "trainer")
    problem, definition = check_import_path(train.trainer, place)
    if problem:
        return (problem,)
    if not isinstance(definition, ast.ClassDef) or definition.bases:
        return ()  # a function that makes one, or a class that may inherit the verbs
    known = {node.name for node in definition.body if isinstance(node, ast.FunctionDef)}
    return tuple(
        Problem(f"{train.trainer} has no method {verb!r}. A trainer has {' and '.join(VERBS)}.", place)
        for verb in VERBS
        if verb not in known
    )


def _preload(train: CustomTrain) -> tuple[str, ...]:
    imported = code_of_imports(train.trainer).packages
    return tuple(name for name in ("torch", "sklearn") if name in imported)


KIND = TrainKind(
    trainer=_trainer,
    preload=_preload,
    check=_check,
    code=lambda train: code_of_imports(train.trainer),
    code_modules=lambda train: (train.trainer.partition(":")[0],),
)
