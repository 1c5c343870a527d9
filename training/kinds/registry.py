"""Which kinds of training there are, and what holds for a study of any of them; loads no torch."""

from fnmatch import fnmatch

from pegbox.schemas.arrays import Splits
from pegbox.schemas.code import USER_KINDS, Code, CodePart
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import (
    OWN_CODE,
    CommandTrain,
    CustomTrain,
    FamiliesTrain,
    FunctionTrain,
    ModuleTrain,
    SklearnTrain,
    TorchTrain,
    TrainSpec,
)
from pegbox.training.command_line import HANDED_NAMES
from pegbox.training.declared_code import check_declared, declared_parts, unseen_code
from pegbox.training.kinds import (
    command_kind,
    custom_kind,
    families_kind,
    function_kind,
    module_kind,
    sklearn_kind,
    torch_kind,
)
from pegbox.training.kinds.record import TrainKind
from pegbox.training.kinds.record import own_code as own_code_of
from pegbox.training.model_form import ModelForm
from pegbox.training.resources import parse_bytes, shows_device
from pegbox.training.stack_shape import why_not_together
from pegbox.training.trainer import Trainer

KINDS: dict[type, TrainKind] = {
    TorchTrain: torch_kind.KIND,
    ModuleTrain: module_kind.KIND,
    SklearnTrain: sklearn_kind.KIND,
    FamiliesTrain: families_kind.KIND,
    FunctionTrain: function_kind.KIND,
    CommandTrain: command_kind.KIND,
    CustomTrain: custom_kind.KIND,
}
"""By the schema of what a study says under `train`."""


def kind_of(train: TrainSpec) -> TrainKind:
    """What pegbox knows of this kind of training."""
    return KINDS[type(train)]


def trainer_for(train: TrainSpec) -> Trainer:
    """Who trains this; loads torch, scikit-learn or nothing, as the kind needs.

    Raises:
        TrialError: The trainer is the user's, and cannot be made.
    """
    trainer: Trainer = kind_of(train).trainer(train)
    return trainer


def preload_for(train: TrainSpec) -> tuple[str, ...]:
    """Modules that workers should import before their first trial, so that no trial pays for it."""
    return kind_of(train).preload(train)


def code_of(spec: StudySpec) -> Code:
    """The code that trains: equal fingerprints stand for equal results of equal configurations.

    Of pegbox's own kinds the trainer and the version of its library; of the user's code every definition that is
    reached, the packages, files and variables that it names, what the study file says it depends on, and how many
    processes train a trial together.

    Raises:
        StudyError: Something that the study depends on is not there.
    """
    # Of one process nothing is said: what was computed before there could be more stays known.
    together = spec.run.world_size
    ranks = [CodePart(kind="processes", name="", value=str(together))] if together > 1 else []
    amounts = [] if spec.fidelity.is_of_epochs else [own_code_of("amounts")]
    return Code.of((*kind_of(spec.train).code(spec.train).parts, *declared_parts(spec.train), *ranks, *amounts))


def own_code(spec: StudySpec) -> Code | None:
    """What a schedule calls code: the user's, without what it watches as data; None where pegbox alone trains.

    An upgrade of a library, of pegbox too, is no news for a schedule.
    """
    kind = kind_of(spec.train)
    if kind.measures(spec) is not None and not kind.code_modules(spec.train):
        return None
    watch = spec.schedule.watch if spec.schedule else ()
    parts = code_of(spec).only(USER_KINDS).parts
    return Code(parts=tuple(one for one in parts if not _is_watched(one, watch)))


def _is_watched(part: CodePart, watch: tuple[str, ...]) -> bool:
    """True for a file that a schedule watches as data: by its name, its folder or a pattern."""
    return part.kind == "file" and any(
        fnmatch(part.name, one.removeprefix("./")) or part.name.startswith(f"{one.removeprefix('./').rstrip('/')}/")
        for one in watch
    )


def code_modules(train: TrainSpec) -> tuple[str, ...]:
    """Modules of the user's that hold what is trained; to import one runs the user's code."""
    return kind_of(train).code_modules(train)


def model_form_of(train: TrainSpec) -> ModelForm | None:
    """How the weights of such a training are kept as a model; None where a model is the user's own files."""
    return kind_of(train).model_form()


def weights_form_of(train: TrainSpec) -> ModelForm:
    """How such weights are kept, of training that pegbox does itself."""
    form = model_form_of(train)
    assert form is not None, "a user's own files are no weights"
    return form


def load_data(train: TrainSpec, data: Splits, fold: int) -> None:
    """Load what a trainer reads of a fold as it keeps it, so that processes forked from this one share it."""
    kind_of(train).load_data(data, fold)


def training_warnings(spec: StudySpec) -> tuple[Problem, ...]:
    """What is allowed in how a study trains, and more often than not a mistake."""
    kind = kind_of(spec.train)
    return (*kind.warnings(spec.train, spec), *unseen_code(spec.train, kind.code(spec.train).unseen))


def check_training(spec: StudySpec) -> tuple[Problem, ...]:
    """Everything that is wrong with how a study trains, so far as it can be told without training or importing."""
    return (
        *(_at_fidelity(spec, one) for one in kind_of(spec.train).check(spec.train, spec)),
        *check_declared(spec.train),
        *_check_amount(spec),
        *_check_metrics(spec),
        *_check_run(spec),
    )


def _at_fidelity(spec: StudySpec, problem: Problem) -> Problem:
    """The problem at where the study says it: a fidelity is handed over as a parameter is, and stands elsewhere."""
    is_amount = problem.path == ("space", spec.fidelity.of) and not spec.fidelity.is_of_epochs
    return problem._replace(path=("fidelity", "of")) if is_amount else problem


def _check_amount(spec: StudySpec) -> tuple[Problem, ...]:
    """A fidelity whose name is taken: code of the user's would be handed one of the two, and not know which."""
    of = spec.fidelity.of
    if spec.fidelity.is_of_epochs or not isinstance(spec.train, OWN_CODE) or of not in HANDED_NAMES:
        return ()
    message = (
        f"a {spec.train.kind} is handed {of!r} already, and would not know which of the two it got. Name the fidelity "
        f"otherwise, such as {of}_size; taken are {', '.join(HANDED_NAMES)}."
    )
    return (Problem(message, ("fidelity", "of")),)


def _check_metrics(spec: StudySpec) -> tuple[Problem, ...]:
    """An objective or constraint that the trainer does not measure; a function or command may measure anything."""
    measured = kind_of(spec.train).measures(spec)
    if measured is None:
        return ()
    known = dict.fromkeys(measured)
    where = f"the kind {spec.train.kind!r}" + (f" for {spec.task}" if spec.task else "")
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
    asked = getattr(spec.train, "device", "auto")
    if spec.run.engine == "local" and not shows_device(asked):
        message = f"device is {asked}, but this machine shows none. Write `device: auto`, or run where there is one."
        problems.append(Problem(message, ("train", "device")))
    return tuple(problems)
