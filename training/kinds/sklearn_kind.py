"""Kind `sklearn`: an estimator by import path."""

from typing import Any

from pegbox.schemas.arrays import Splits
from pegbox.schemas.train import SklearnTrain
from pegbox.training.check_code import check_sklearn
from pegbox.training.code_parts import UserCode, is_package, package_part
from pegbox.training.kinds.record import TrainKind, own_code
from pegbox.training.kinds.user_files import code_of_imports
from pegbox.training.measured_metrics import measured_for
from pegbox.training.model_form import ModelForm


def _trainer(_train: Any) -> Any:
    from pegbox.training.sklearn_trainer import SklearnTrainer

    return SklearnTrainer()


def _code(train: SklearnTrain) -> UserCode:
    # The estimator's own package as well: it may be another library's with the same verbs.
    packages = {"sklearn", train.estimator.partition(":")[0].partition(".")[0]}
    used = (package_part(name) for name in packages if is_package(name))
    return code_of_imports(train.estimator).plus(own_code("sklearn_trainer"), *used)


def _load_data(data: Splits, fold: int) -> None:
    from pegbox.training.estimator_data import estimator_part

    for part in ("train", "valid", "test"):
        estimator_part(data, fold, part)


def _model_form() -> ModelForm:
    from pegbox.training.sklearn_model import FORM

    return FORM


KIND = TrainKind(
    trainer=_trainer,
    preload=lambda _train: ("pegbox.training.sklearn_trainer",),
    check=lambda train, spec: check_sklearn(train, spec.space),
    code=_code,
    measures=lambda spec: measured_for(spec.task),
    code_modules=lambda train: (train.estimator.partition(":")[0],),
    load_data=_load_data,
    model_form=_model_form,
)
