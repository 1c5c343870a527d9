"""Kind `families`: several kinds in one conditional space; whoever trains a segment of it knows one of them alone."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from pegbox.schemas.errors import Problem
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.families import FAMILY, as_alone, space_of
from pegbox.schemas.population import POPULATION_METHODS
from pegbox.schemas.study import BUDGETED_METHODS, StudySpec
from pegbox.schemas.train import FamiliesTrain, ModuleTrain, SklearnTrain, TorchTrain
from pegbox.training.code_parts import UserCode
from pegbox.training.declared_code import check_declared, declared_parts, unseen_code
from pegbox.training.failures import failed
from pegbox.training.kinds import module_kind, sklearn_kind, torch_kind
from pegbox.training.kinds.record import TrainKind

_KINDS: dict[type, TrainKind] = {
    TorchTrain: torch_kind.KIND,
    ModuleTrain: module_kind.KIND,
    SklearnTrain: sklearn_kind.KIND,
}


def _alone(train: FamiliesTrain) -> Iterator[tuple[str, Any, TrainKind]]:
    """Each family by its name, as a study of it alone would have it."""
    for name in train.families:
        one = as_alone(train, name)
        yield name, one, _KINDS[type(one)]


def family_studies(spec: StudySpec) -> Iterator[tuple[str, StudySpec]]:
    """Each family as a study of its own, for those that check one; none of them could be run, for want of validation.

    A study of one kind is the only one of its families.
    """
    if not isinstance(spec.train, FamiliesTrain):
        yield "", spec
        return
    for name, one, _ in _alone(spec.train):
        yield name, spec.model_copy(update={"train": one, "space": space_of(spec.space, name)})


def placed(problem: Problem, family: str, spec: StudySpec) -> Problem:
    """A problem of a family at its place in the study of all of them."""
    match problem.path:
        case ("train", *rest):
            return problem._replace(path=("train", "families", family, *rest))
        case ("space", name, *rest) if f"{family}.{name}" in spec.space.parameters:
            return problem._replace(path=("space", f"{family}.{name}", *rest))
    return problem


def _trainer(train: FamiliesTrain) -> Any:
    message = f"a trial trains one of {', '.join(train.families)}, which its parameter {FAMILY!r} names."
    raise failed(FailureKind.INVALID, message)


def _check(train: FamiliesTrain, spec: StudySpec) -> tuple[Problem, ...]:
    of_each = (
        placed(problem, name, spec)
        for name, study in family_studies(spec)
        for problem in (*_KINDS[type(study.train)].check(study.train, study), *check_declared(study.train))
    )
    # Once: what several families are handed is wrong for each of them.
    return (*dict.fromkeys(of_each), *_check_pace(spec))


def _check_pace(spec: StudySpec) -> Iterator[Problem]:
    """Whatever compares trials in mid-training; on equal rows each is trained to its end."""
    if not spec.fidelity.is_of_epochs:
        return
    why = "compares trials at the same epoch, where an estimator is fitted whole and a network has hardly begun."
    if spec.fidelity.schedule not in {"full", "auto"}:
        message = f"{spec.fidelity.schedule} {why} Write `full`, and `patience` for the networks, or `of: rows`."
        yield Problem(message, ("fidelity", "schedule"))
    if spec.search.method in BUDGETED_METHODS | POPULATION_METHODS:
        yield Problem(f"{spec.search.method} {why} Use bayes.", ("search", "method"))


def _code(train: FamiliesTrain) -> UserCode:
    # Of all of them, though a trial is of one: a study has one fingerprint, by which a schedule knows its code again.
    found = [kind.code(one).plus(*declared_parts(one)) for _, one, kind in _alone(train)]
    return UserCode(
        parts=tuple(part for code in found for part in code.parts),
        files=tuple(dict.fromkeys(file for code in found for file in code.files)),
        packages=frozenset(chain.from_iterable(code.packages for code in found)),
    )


def _warnings(train: FamiliesTrain, spec: StudySpec) -> tuple[Problem, ...]:
    return tuple(
        placed(problem, name, spec)
        for name, study in family_studies(spec)
        for kind in (_KINDS[type(study.train)],)
        for problem in (
            *kind.warnings(study.train, study),
            *unseen_code(study.train, kind.code(study.train).unseen),
        )
    )


def _measures(spec: StudySpec) -> tuple[str, ...]:
    """What every family measures: a metric of some would choose among those alone."""
    of_each = [_KINDS[type(study.train)].measures(study) or () for _, study in family_studies(spec)]
    return tuple(name for name in of_each[0] if all(name in others for others in of_each))


KIND = TrainKind(
    trainer=_trainer,
    preload=lambda train: tuple(
        dict.fromkeys(module for _, one, kind in _alone(train) for module in kind.preload(one))
    ),
    check=_check,
    code=_code,
    measures=_measures,
    code_modules=lambda train: tuple(
        dict.fromkeys(module for _, one, kind in _alone(train) for module in kind.code_modules(one))
    ),
    warnings=_warnings,
)
