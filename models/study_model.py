"""A model that predicts, as scikit-learn has its estimators: rows with named columns in, classes or numbers out."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pegbox.datasets.function import as_table
from pegbox.datasets.new_examples import batch_rows, listed_examples
from pegbox.datasets.new_rows import NewRows, Remarks
from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import DataError, ModelError
from pegbox.schemas.model import Lineage, ModelCard, ModelManifest
from pegbox.schemas.preprocessing import Preprocessing
from pegbox.training.model_form import Predictor

Labels = npt.NDArray[Any]
Probabilities = npt.NDArray[np.floating]


class Answers(NamedTuple):
    """What a model says of some rows."""

    labels: Labels
    """Shape (n_rows,): classes as the source writes them, or numbers."""
    probabilities: Probabilities | None
    """Shape (n_rows, n_classes); None for regression, and for an estimator that has none."""


class StudyModel:
    """The model of a study; made by `load_model`.

    It is a fitted estimator of scikit-learn's contract that cannot be fitted again: `fit` gives it back as it is, and
    a clone of it is itself, as `sklearn.frozen.FrozenEstimator` has it.

    Attributes:
        path: Of its file.
        card: What it is, how sure that is, and where its limits are.
        configuration: The winner's.
        lineage: Where it comes from.
        class_labels: The classes as the source writes them, in the order of their codes; empty for regression.
        classes_: In the order of the columns of `predict_proba`; only where classes are predicted.
        feature_names_in_: The columns that it needs, in the order of the source.
    """

    def __init__(self, path: Path, manifest: ModelManifest, predictor: Predictor) -> None:
        assert manifest.preprocessing is not None
        self.path, self.manifest, self.predictor = path, manifest, predictor
        self.card: ModelCard = manifest.card
        self.configuration: Configuration = manifest.configuration
        self.lineage: Lineage = manifest.lineage
        self.preprocessing: Preprocessing = manifest.preprocessing
        self.feature_names_in_ = np.array(self.preprocessing.columns, dtype=object)
        self.n_features_in_ = len(self.preprocessing.columns)
        self._rows = NewRows(self.preprocessing)
        self._at_once = batch_rows(self.preprocessing)  # a million rows need no more memory than these
        self.class_labels = class_labels(self.preprocessing)
        if self.is_classifier:
            self.classes_ = self.class_labels

    @property
    def is_classifier(self) -> bool:
        """True if it predicts classes."""
        return self.preprocessing.task == "classification"

    def predict(self, rows: Any) -> Labels:
        """A class or a number for each row.

        Args:
            rows: A data frame, an arrow table, a mapping or list of mappings with the columns by name, in any order;
                or an array of numbers with the columns in the order of `feature_names_in_`. A model of pictures takes
                a folder, a list of paths or of Pillow's images, or an array of shape (n_rows, height, width) or
                (n_rows, height, width, 3) of 0 to 255; one of sequences an array of their shape.

        Returns:
            Shape (n_rows,).

        Raises:
            DataError: Columns are missing, or hold something else than they did in training.
        """
        return self._answer(rows, with_probabilities=False).labels

    def predict_proba(self, rows: Any) -> Probabilities:
        """The probability of each class, shape (n_rows, n_classes), in the order of `classes_`.

        Raises:
            ModelError: The model has no probabilities.
            DataError: As `predict`.
        """
        if not self.predictor.has_probabilities:
            what = "predicts numbers" if not self.is_classifier else "is an estimator without probabilities"
            raise ModelError(f"The model of {self.lineage.study!r} {what}. Call predict.")
        found = self._answer(rows, with_probabilities=True).probabilities
        assert found is not None
        return found

    def answers(self, table: pa.Table, first_row: int, remarks: Remarks) -> Answers:
        """What the model says of one batch of rows, with what was noticed about them; see `NewRows.read`."""
        return self._of_arrays(*self._rows.read(table, first_row, remarks), with_probabilities=True)

    def score(self, rows: Any, target: Any) -> float:
        """Accuracy, or R² of a number, as scikit-learn's estimators have it."""
        truth, said = np.asarray(target), self.predict(rows)
        if self.is_classifier:
            return float((said == truth).mean())
        spread = float(((truth - truth.mean()) ** 2).sum())
        return 1.0 - float(((truth - said) ** 2).sum()) / spread if spread else 0.0

    def fit(self, rows: Any = None, target: Any = None) -> Self:
        """The model as it is: it was trained by its study."""
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The configuration of the winner."""
        return dict(self.configuration)

    def set_params(self, **params: Any) -> Self:
        """Nothing can be set.

        Raises:
            ModelError: Something is to be set.
        """
        if params:
            name = next(iter(params))
            raise ModelError(f"A trained model cannot be given another {name!r}. Tune the study again.")
        return self

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier" if self.is_classifier else "regressor",
            target_tags=TargetTags(required=False),
            classifier_tags=ClassifierTags() if self.is_classifier else None,
            regressor_tags=None if self.is_classifier else RegressorTags(),
            input_tags=InputTags(allow_nan=True, categorical=True, string=True),
        )

    def __repr__(self) -> str:
        return f"<{self.card.title}>"

    def _answer(self, rows: Any, *, with_probabilities: bool) -> Answers:
        """In batches, with a warning for what was noticed."""
        if (array := self._as_array(rows)) is not None:
            batches = range(0, len(array), self._at_once)
            read = (self._rows.read_array(array[start : start + self._at_once]) for start in batches)
            found = [self._of_arrays(*one, with_probabilities=with_probabilities) for one in read]
            return _joined(found) if found else self._of_none(self._rows.read_array(array))
        table, remarks = self._as_table(rows), Remarks()
        starts = range(0, max(table.num_rows, 1), self._at_once)
        found = [
            self._of_arrays(
                *self._rows.read(table.slice(start, self._at_once), start, remarks),
                with_probabilities=with_probabilities,
            )
            for start in starts
        ]
        for sentence in remarks.sentences():
            warnings.warn(sentence, UserWarning, stacklevel=3)
        return _joined(found)

    def _of_none(self, _read: object) -> Answers:
        return Answers(self.class_labels[:0] if self.is_classifier else np.empty(0), self._no_probabilities(0))

    def _no_probabilities(self, n_rows: int) -> Probabilities | None:
        return np.empty((n_rows, len(self.class_labels))) if self.predictor.has_probabilities else None

    def _of_arrays(
        self, numeric: npt.NDArray[np.float32], codes: npt.NDArray[np.int64], *, with_probabilities: bool
    ) -> Answers:
        if not len(numeric):  # estimators refuse what has no rows
            return self._of_none(None)
        if with_probabilities and self.predictor.has_probabilities:
            probabilities = self.predictor.predict_proba(numeric, codes)
            return Answers(self.class_labels[probabilities.argmax(axis=1)], probabilities)
        said = self.predictor.predict(numeric, codes)
        return Answers(self.class_labels[said.astype(np.int64)] if self.is_classifier else said, None)

    def _as_array(self, rows: Any) -> npt.NDArray[np.floating] | None:
        """The rows as an array of numbers; None where they have names, or are no numbers."""
        if not isinstance(rows, np.ndarray) or rows.dtype.kind not in "fiub":
            return None
        shape = self.preprocessing.shape
        if self.preprocessing.example is not None:
            return rows
        return rows.reshape(len(rows), -1) if shape and rows.shape[1:] == shape else rows

    def _as_table(self, rows: Any) -> pa.Table:
        example = self.preprocessing.example
        try:
            if example is not None and isinstance(rows, str | Path | list | tuple):
                return listed_examples(rows, self.preprocessing)
            if isinstance(rows, np.ndarray) and rows.ndim == 2:
                return pa.table([pa.array(rows[:, i]) for i in range(rows.shape[1])], list(self.preprocessing.columns))
            return pa.Table.from_pylist(rows) if isinstance(rows, list) else as_table(rows)
        except (TypeError, ValueError, AttributeError, pa.ArrowException) as error:
            raise DataError(
                f"rows: expected a data frame, an arrow table, a mapping or list of mappings with the columns by name, "
                f"or an array of numbers, got {type(rows).__name__}: {error}"
            ) from error


def class_labels(preprocessing: Preprocessing) -> Labels:
    """The classes as the source writes them, in the order of their codes; empty for regression."""
    names = preprocessing.classes
    match preprocessing.class_type:
        case "whole number":
            return np.array([int(name) for name in names])
        case "number":
            return np.array([float(name) for name in names])
        case "yes or no":
            return np.array([name == "true" for name in names])
        case _:
            return np.array(names, dtype=object)


def _joined(found: list[Answers]) -> Answers:
    if len(found) == 1:
        return found[0]
    probabilities = [one.probabilities for one in found if one.probabilities is not None]
    return Answers(
        np.concatenate([one.labels for one in found]), np.concatenate(probabilities) if probabilities else None
    )
