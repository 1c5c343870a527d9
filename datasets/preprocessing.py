"""From the rows that a model learned from to what further rows need: fits the description that an artefact keeps."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import types
from pydantic import ValidationError

from pegbox.datasets.column_types import Codes, Floats, Kind, kind_of
from pegbox.datasets.examples import ExampleScaling
from pegbox.datasets.frame import Frame
from pegbox.datasets.scaling import Scaling
from pegbox.datasets.target import Rows
from pegbox.schemas.data import DataSpec, PreparedData
from pegbox.schemas.errors import DataError
from pegbox.schemas.preprocessing import ClassType, Feature, FeatureKind, Preprocessing, TextFeature

PREPROCESSING = "preprocessing.json"


AnyScaling = Scaling | ExampleScaling


def fit_scaling(frame: Frame, rows: Rows) -> AnyScaling:
    """The scaling that these rows teach: of columns, or of arrays by channel."""
    return Scaling.fit(frame, rows) if frame.example is None else ExampleScaling.fit(frame, rows)


def describe_preprocessing(
    spec: DataSpec, frame: Frame, scaling: AnyScaling, texts: tuple[TextFeature, ...] = ()
) -> Preprocessing:
    """How the rows of this frame become arrays under this scaling."""
    target = frame.target
    array = () if frame.example is None else (frame.example.column,)
    features = (*array, *frame.numeric_names, *frame.categorical_names, *frame.texts)
    used = set(features)
    names = tuple(name for name in frame.types if name in used) if spec.features is None else features
    return Preprocessing(
        target=frame.target_name,
        task=target.task,
        classes=target.classes,
        class_type=_class_type(frame),
        columns=names,
        ignored=tuple(name for name in frame.types if name not in used),
        numeric=tuple(
            Feature(name=name, kind=number_kind(frame.types[name]), yes=frame.habits.yes.get(name, ()))
            for name in frame.numeric_names
        ),
        categorical=tuple(
            Feature(name=name, kind="category", levels=levels, unlearned=_unlearned(known))
            for name, levels, known in zip(frame.categorical_names, frame.levels, _known_of(scaling), strict=True)
        ),
        missing=spec.missing,
        decimal=frame.habits.mark,
        day_first=frame.habits.day_first,
        fills=tuple(scaling.fills.tolist()) if isinstance(scaling, Scaling) else (),
        gaps=tuple(scaling.gaps.tolist()) if isinstance(scaling, Scaling) else (),
        means=tuple(scaling.means.tolist()),
        deviations=tuple(None if np.isinf(one) else one for one in scaling.deviations.tolist()),
        shape=frame.shape,
        example=frame.example,
        texts=texts,
    )


def _known_of(scaling: AnyScaling) -> tuple[Codes, ...]:
    return scaling.known if isinstance(scaling, Scaling) else ()


def scaling_of(preprocessing: Preprocessing) -> AnyScaling:
    """The scaling that was described; bit for bit the one that was fitted."""
    if preprocessing.example is not None and preprocessing.shape is not None:
        return ExampleScaling(
            preprocessing.shape,
            preprocessing.example.channel_axis,
            _floats(preprocessing.means),
            _floats(np.inf if one is None else one for one in preprocessing.deviations),
        )
    return Scaling(
        fills=_floats(preprocessing.fills),
        gaps=np.array(preprocessing.gaps, dtype=np.int64),
        means=_floats(preprocessing.means),
        deviations=_floats(np.inf if one is None else one for one in preprocessing.deviations),
        known=tuple(_known(feature) for feature in preprocessing.categorical),
    )


def read_preprocessing(data: PreparedData, fold: int) -> Preprocessing:
    """How the arrays of a fold of prepared data were made.

    Raises:
        DataError: The file is gone or damaged.
    """
    path = preprocessing_path(data.path, fold)
    try:
        return Preprocessing.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeError) as error:
        raise DataError(
            f"The prepared data in {str(data.path)!r} is damaged: {path.name} of fold {fold} cannot be read. Delete "
            "this directory and run the study again: it will be prepared anew."
        ) from error


def preprocessing_path(directory: Path, fold: int) -> Path:
    """Where prepared data says how a fold was made."""
    return directory / f"fold-{fold}" / PREPROCESSING


def number_kind(column_type: pa.DataType) -> FeatureKind:
    """What a column that is no category holds."""
    if types.is_time(column_type):
        return "time of day"
    if types.is_duration(column_type):
        return "duration"
    kinds: dict[Kind, FeatureKind] = {Kind.BOOLEAN: "yes or no", Kind.DATE: "date"}
    return kinds.get(kind_of(column_type), "number")


def _class_type(frame: Frame) -> ClassType:
    kind = kind_of(frame.types[frame.target_name])
    if kind is Kind.BOOLEAN:
        return "yes or no"
    if kind is not Kind.NUMBER:
        return "text"
    return "whole number" if all(name.lstrip("-").isdigit() for name in frame.target.classes) else "number"


def _unlearned(known: Codes) -> tuple[int, ...]:
    # Code 0, missing, is none: it stands for what training never saw.
    return tuple((np.flatnonzero(known[1:] == 0) + 1).tolist())


def _known(feature: Feature) -> Codes:
    known = np.ones(len(feature.levels) + 1, dtype=np.int64)
    known[list(feature.unlearned)] = 0
    return known


def _floats(values: object) -> Floats:
    return np.fromiter(values, dtype=np.float64)  # type: ignore[call-overload, no-any-return]
