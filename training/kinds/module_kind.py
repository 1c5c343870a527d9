"""Kind `torch`: a module of the user's, which pegbox trains with its own loop."""

from typing import Any

from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import ModuleTrain
from pegbox.training.check_module import check_module
from pegbox.training.code_parts import UserCode, package_part
from pegbox.training.kinds.record import TrainKind, own_code
from pegbox.training.kinds.torch_kind import KIND as BUILT
from pegbox.training.kinds.user_files import code_of_imports
from pegbox.training.measured_metrics import measured_for


def _trainer(_train: Any) -> Any:
    from pegbox.training.torch_trainer import TorchTrainer

    return TorchTrainer()


def _paths(train: ModuleTrain) -> tuple[str, ...]:
    named = (train.module, train.loss, train.loaders, *train.metrics.values())
    return tuple(path for path in named if path is not None)


def _code(train: ModuleTrain) -> UserCode:
    return code_of_imports(*_paths(train)).plus(own_code("torch_trainer"), package_part("torch"))


def _measures(spec: StudySpec) -> tuple[str, ...]:
    own = spec.train.metrics if isinstance(spec.train, ModuleTrain) else {}
    return (*measured_for(spec.task), *(f"val_{name}" for name in own), "parameters")


KIND = TrainKind(
    trainer=_trainer,
    preload=BUILT.preload,
    check=lambda train, spec: check_module(train, spec.space),
    code=_code,
    measures=_measures,
    code_modules=lambda train: tuple(dict.fromkeys(path.partition(":")[0] for path in _paths(train))),
    load_data=BUILT.load_data,
    model_form=BUILT.model_form,
)
