"""Kind `mlp`, `cnn`, ...: models that pegbox builds and trains with its own loop."""

from typing import Any

from pegbox.schemas.arrays import Splits
from pegbox.schemas.errors import Problem
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import TorchTrain
from pegbox.training.check_space import check_space
from pegbox.training.code_parts import UserCode, package_part
from pegbox.training.hyperparameters.torch_kinds import TORCH_KINDS
from pegbox.training.kinds.record import TrainKind, own_code
from pegbox.training.measured_metrics import measured_for
from pegbox.training.model_form import ModelForm
from pegbox.training.resources import visible_gpus


def _trainer(_train: Any) -> Any:
    from pegbox.training.torch_trainer import TorchTrainer

    return TorchTrainer()


def _check(train: TorchTrain, spec: StudySpec) -> tuple[Problem, ...]:
    return check_space(spec.space, TORCH_KINDS[train.kind], train.kind)


def _measures(spec: StudySpec) -> tuple[str, ...]:
    return (*measured_for(spec.task), "parameters")


def _load_data(data: Splits, fold: int) -> None:
    if visible_gpus():
        return
    import torch

    from pegbox.training.tensors import fold_tensors

    fold_tensors(data, fold, torch.device("cpu"))


def _model_form() -> ModelForm:
    from pegbox.training.torch_model import FORM

    return FORM


KIND = TrainKind(
    trainer=_trainer,
    # torch loads its compiler with the first step of an optimizer, which takes seconds.
    preload=lambda _train: ("torch", "torch._dynamo", "pegbox.training.torch_trainer"),
    check=_check,
    code=lambda _train: UserCode((own_code("torch_trainer", "stacked_trainer"), package_part("torch"))),
    measures=_measures,
    load_data=_load_data,
    model_form=_model_form,
)
