"""Kind `torch`: a module of the user's, which pegbox trains with its own loop."""

from typing import Any

from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import ModuleTrain
from pegbox.training.check_module import check_module
from pegbox.training.kinds.record import TrainKind, own_code
from pegbox.training.kinds.torch_kind import KIND as BUILT
from pegbox.training.kinds.user_files import files_of_import
from pegbox.training.measured_metrics import measured_for
from pegbox.training.sources import hash_files


def _trainer(_train: Any) -> Any:
    from pegbox.training.torch_trainer import TorchTrainer

    return TorchTrainer()


def _paths(train: ModuleTrain) -> tuple[str, ...]:
    named = (train.module, train.loss, train.loaders, *train.metrics.values())
    return tuple(path for path in named if path is not None)


def _code(train: ModuleTrain) -> str:
    files = sorted({file for path in _paths(train) for file in files_of_import(path)})
    return f"{own_code('torch', 'torch_trainer')}-{hash_files(files)}"


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
