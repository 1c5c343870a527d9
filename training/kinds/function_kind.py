"""Kind `function`: a Python function of the user's."""

from typing import Any

from pegbox.schemas.train import FunctionTrain
from pegbox.training.check_code import check_function
from pegbox.training.kinds.record import TrainKind
from pegbox.training.kinds.user_files import code_of_imports


def _trainer(_train: Any) -> Any:
    from pegbox.training.function_trainer import FunctionTrainer

    return FunctionTrainer()


def _preload(train: FunctionTrain) -> tuple[str, ...]:
    imported = code_of_imports(train.function).packages
    heavy = tuple(name for name in ("torch", "sklearn") if name in imported)
    compiler = ("torch._dynamo",) if "torch" in heavy else ()  # loaded with the first step of an optimizer
    return (*heavy, *compiler, "pegbox.training.function_trainer")


KIND = TrainKind(
    trainer=_trainer,
    preload=_preload,
    check=lambda train, spec: check_function(train, spec.handed_space, spec.fidelity.of),
    code=lambda train: code_of_imports(train.function),
    code_modules=lambda train: (train.function.partition(":")[0],),
)
