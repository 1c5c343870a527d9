"""Fitted estimators as skops files, which hold no code, and the predictor that is made of one."""

import io
import json
import re
import zipfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import skops.io

from pegbox.schemas.arrays import Splits
from pegbox.schemas.errors import ModelError
from pegbox.schemas.model import ModelInputs
from pegbox.schemas.trial import Segment
from pegbox.training.estimator_data import estimator_inputs
from pegbox.training.model_form import Floats, ModelForm, Opened
from pegbox.training.sklearn_trainer import read_estimator

TRUSTED_PACKAGES = ("sklearn.", "lightgbm.", "xgboost.")
"""Their classes may be loaded where they are installed: compiled trees and losses that skops does not list itself."""

PLAIN_TYPES = ("collections.OrderedDict",)
"""Of Python itself, which skops does not list and which hold nothing that could run; LightGBM keeps one."""

# An address in memory, or a random UUID for bytes, as XGBoost's trees are.
_ID = re.compile(r'("__id__": |"file": ")([\w-]+)')


def pack(segment: Segment, checkpoint: Path, data: Splits) -> tuple[bytes, ModelInputs]:
    """The fitted estimator of a checkpoint as a skops file.

    Raises:
        TrialError: The checkpoint is damaged, or belongs to another trial.
        ModelError: The estimator holds what skops cannot write.
    """
    estimator, _ = read_estimator(checkpoint, segment)
    try:
        written = skops.io.dumps(estimator)
    except Exception as error:  # skops raises what the members of an estimator raise
        raise ModelError(
            f"{type(estimator).__name__} cannot be kept as a model: {type(error).__name__}: {error}. Use an estimator "
            "whose attributes are numbers, arrays and estimators; its checkpoint is kept as it is."
        ) from error
    return _renumbered(written), ModelInputs.of(data.info, *data.target_scale)


def _renumbered(written: bytes) -> bytes:
    """The same skops file with members named by their order, and no time: equal estimators give equal bytes.

    skops names them by their address in memory, or at random.
    """
    numbers: dict[str, int] = {}

    def renumber(found: re.Match[str]) -> str:
        return f"{found[1]}{numbers.setdefault(found[2], len(numbers))}"

    with zipfile.ZipFile(io.BytesIO(written)) as before:
        schema = _ID.sub(renumber, before.read("schema.json").decode())
        members = {name: before.read(name) for name in before.namelist() if name != "schema.json"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as after:
        for name, content in members.items():
            number, _, ending = name.partition(".")
            after.writestr(zipfile.ZipInfo(f"{numbers[number]}.{ending}"), content)
        after.writestr(zipfile.ZipInfo("schema.json"), schema)
    return buffer.getvalue()


def open_estimator(weights: bytes, trusted: Sequence[str] = ()) -> Any:
    """The fitted estimator of a skops file; none of its code runs, for it has none.

    Raises:
        ModelError: It is damaged, or needs a class that is not trusted.
    """
    try:
        needed = skops.io.get_untrusted_types(data=weights)
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError, ValueError) as error:
        raise ModelError(
            f"The estimator is damaged: {type(error).__name__}: {error}. Train the study again."
        ) from error
    strange = [name for name in needed if name not in (*trusted, *PLAIN_TYPES) and not _is_known_class(name)]
    if strange:
        raise ModelError(
            f"The model needs {strange[0]!r}, which is no class of scikit-learn, LightGBM or XGBoost as they are "
            f"installed here. Where you know whose it is: load_model(..., trusted={strange!r})."
        )
    try:
        return skops.io.loads(weights, trusted=needed)
    except Exception as error:  # the versions of scikit-learn differ in what their classes hold
        raise ModelError(
            f"The estimator cannot be loaded by the libraries that are installed: {type(error).__name__}: {error}. "
            "Install the versions that stand in the model's lineage."
        ) from error


def _is_known_class(name: str) -> bool:
    """True for a class of a library that estimators come from."""
    if not name.startswith(TRUSTED_PACKAGES):
        return False
    module, _, attribute = name.rpartition(".")
    try:
        return isinstance(getattr(import_module(module), attribute, None), type)
    except ImportError:
        return False


class SklearnPredictor:
    """A `Predictor` for estimators."""

    def __init__(self, opened: Opened) -> None:
        self.estimator = open_estimator(opened.weights, opened.trusted)
        self.inputs = opened.inputs

    @property
    def has_probabilities(self) -> bool:
        """Whether the estimator has them."""
        return self.inputs.task == "classification" and hasattr(self.estimator, "predict_proba")

    def predict(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Floats:
        """See `Predictor.predict`."""
        found = np.asarray(self.estimator.predict(self._matrix(numeric, categorical))).reshape(len(numeric))
        return found if self.inputs.task == "classification" else found.astype(np.float64)

    def predict_proba(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> Floats:
        """See `Predictor.predict_proba`; a class that the training rows lacked has none."""
        found = np.asarray(self.estimator.predict_proba(self._matrix(numeric, categorical)))
        if len(self.estimator.classes_) == self.inputs.n_classes:
            return found
        whole = np.zeros((len(numeric), self.inputs.n_classes), dtype=found.dtype)
        whole[:, self.estimator.classes_] = found
        return whole

    def _matrix(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        if not self.inputs.cardinalities:
            return numeric
        return estimator_inputs(numeric, categorical, self.inputs.cardinalities)


FORM = ModelForm(name="sklearn", member="estimator.skops", pack=pack, open=SklearnPredictor)
