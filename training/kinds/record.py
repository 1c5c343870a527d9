"""What pegbox knows of one kind of training; a new kind is a schema in `schemas.train` and one record of this form."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pegbox.schemas.arrays import Splits
from pegbox.schemas.code import CodePart
from pegbox.schemas.errors import Problem
from pegbox.schemas.study import StudySpec
from pegbox.training.code_parts import UserCode, hash_meaning
from pegbox.training.model_form import ModelForm
from pegbox.training.sources import imported_modules

TRAINING = Path(__file__).resolve().parent.parent
PACKAGE = "pegbox.training"


def keeps_files() -> None:
    """Of a kind whose model is the files that the user's code left behind."""


def measures_anything(spec: StudySpec) -> None:
    """Of a kind whose code is the user's."""


def loads_nothing(data: Splits, fold: int) -> None:
    """Of a kind that reads its data anew in each trial."""


def warns_of_nothing(train: Any, spec: StudySpec) -> tuple[Problem, ...]:
    """Of a kind in which whatever is allowed is meant."""
    return ()


@dataclass(frozen=True)
class TrainKind:
    """One kind of training.

    Attributes:
        trainer: Makes the `Trainer` of what a study says under `train`; imports what it needs, in a worker.
        preload: Modules that workers import before their first trial, so that no trial pays for it.
        check: What is wrong with what a study of this kind says under `train` and around it, so far as it can be
            told without training or importing.
        code: The code that trains, as far as it is read; its fingerprint is part of the key under which segments are
            kept.
        measures: The metrics that it measures; None where that is the user's matter.
        code_modules: Modules of the user's that hold what is trained; to import one runs the user's code.
        load_data: Loads what the trainer reads of a fold as it keeps it, so that processes forked from this one share
            it. Nothing is put on a GPU, which does not live through a fork.
        warnings: What is allowed, and more often than not a mistake.
        model_form: How its weights are kept as a model that predicts; loads the library that they are of. None where
            a model is the files that the user's code left behind.
    """

    trainer: Callable[[Any], Any]
    preload: Callable[[Any], tuple[str, ...]]
    check: Callable[[Any, StudySpec], tuple[Problem, ...]]
    code: Callable[[Any], UserCode]
    measures: Callable[[StudySpec], tuple[str, ...] | None] = measures_anything
    code_modules: Callable[[Any], tuple[str, ...]] = lambda _train: ()
    load_data: Callable[[Splits, int], None] = loads_nothing
    warnings: Callable[[Any, StudySpec], tuple[Problem, ...]] = warns_of_nothing
    model_form: Callable[[], ModelForm | None] = keeps_files


def own_files(*trainers: str) -> tuple[Path, ...]:
    """The files of this room that trainers import, directly or not: derived, so that none can be forgotten.

    What the rooms below hold is not counted: schemas declare what is part of the key itself.

    Args:
        trainers: Modules of this room, such as `torch_trainer`.
    """
    found: set[Path] = set()
    waiting = [f"{PACKAGE}.{name}" for name in trainers]
    while waiting:
        name = waiting.pop()
        file = _file_in_room(name)
        if file is not None and file not in found:
            found.add(file)
            waiting += imported_modules(file, name)
    return tuple(sorted(found))


def _file_in_room(module: str) -> Path | None:
    """The file of a module of this room; None for all else that a `from` statement may name."""
    if not module.startswith(f"{PACKAGE}."):
        return None
    file = TRAINING.joinpath(*module.removeprefix(f"{PACKAGE}.").split(".")).with_suffix(".py")
    return file if file.is_file() else None


@cache  # they do not change while it runs, and to read them takes half a second
def own_code(*trainers: str) -> CodePart:
    """Trainers of this room, as code that trains."""
    return CodePart(kind="pegbox", name=trainers[0], value=hash_meaning(own_files(*trainers)))
