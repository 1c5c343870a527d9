"""An estimator behind scikit-learn's own preprocessing as a skops file: a pipeline that holds no code of pegbox's."""

import importlib
import math
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from pegbox.schemas.errors import ModelError
from pegbox.schemas.exported_model import ExportedInput, ExportedOutput
from pegbox.schemas.preprocessing import Feature, Preprocessing
from pegbox.training.exporting.exporter import (
    Exporting,
    RawRows,
    Said,
    Written,
    exporting_errors,
    numbers_input,
    versions_of,
)


def write_pipeline(request: Exporting) -> Written:
    """Write the file.

    Raises:
        ModelError: pandas is missing, whose frames the pipeline takes, or skops cannot write the estimator.
    """
    how, predictor = request.preprocessing, request.predictor
    pandas = None if how.example is not None else _pandas()
    with exporting_errors(request, "skops"):
        whole = Pipeline(
            [("columns", _columns(how, pandas) if pandas else _arrays(how)), ("estimator", predictor.estimator)]
        )
        request.path.write_bytes(skops.io.dumps(whole))
        needed = skops.io.get_untrusted_types(file=request.path)
        loaded = skops.io.load(request.path, trusted=needed)

    def ask(rows: RawRows) -> Said:
        frame = _frame(how, rows, pandas) if pandas else rows.as_taken(how)
        said: Said = loaded.predict_proba(frame) if predictor.has_probabilities else loaded.predict(frame)
        return said

    known = predictor.estimator.classes_ if how.classes else ()
    names = tuple(one.name for one in (*how.numeric, *how.categorical))
    rows = ExportedInput(name="rows", type="data frame", columns=names) if how.example is None else numbers_input(how)
    return Written(
        inputs=(rows,),
        outputs=_outputs(how, has_probabilities=predictor.has_probabilities),
        classes=tuple(how.classes[code] for code in known),
        usage=f"skops.io.load(file, trusted={needed!r}).predict(rows)",
        versions=versions_of("scikit-learn", "skops", "pandas"),
        ask=ask,
    )


def _pandas() -> ModuleType:
    try:
        return importlib.import_module("pandas")
    except ModuleNotFoundError as error:
        raise ModelError(
            "The pipeline of scikit-learn finds columns by name in frames of pandas, which is not installed. Run: "
            "pip install pandas"
        ) from error


def _columns(how: Preprocessing, pandas: ModuleType) -> Pipeline:
    """Gives the matrix that the estimator was fitted on: numbers, indicators of gaps, a column for each category."""
    parts = [("numbers", FrozenEstimator(_numbers(how, pandas)), [one.name for one in how.numeric])]
    if how.categorical:
        names = [one.name for one in how.categorical]
        parts.append(("categories", FrozenEstimator(_categories(how.categorical, pandas)), names))
    # Fitted on one row: it learns the names of the columns, and its parts are fitted already.
    first = RawRows(np.zeros((1, len(how.numeric))), np.ones((1, len(how.categorical)), dtype=np.int64))
    columns = ColumnTransformer(parts, sparse_threshold=0).fit(_frame(how, first, pandas))
    # As in training: a value that lies on a tree's threshold in float32 lies beside it in float64.
    return Pipeline([("columns", columns), ("float32", FunctionTransformer(np.asarray, kw_args={"dtype": "float32"}))])


def _arrays(how: Preprocessing) -> Pipeline:
    """Gives the matrix that the estimator was fitted on: each array in one row, each channel scaled."""
    assert how.example is not None
    assert how.shape is not None
    along = [-1 if place == how.example.channel_axis else 1 for place in range(len(how.shape))]
    deviations = [np.inf if one is None else one for one in how.deviations]
    scaler = StandardScaler().fit(np.zeros((2, math.prod(how.shape))))
    scaler.mean_ = np.broadcast_to(np.reshape(how.means, along), how.shape).ravel()
    scaler.scale_ = np.broadcast_to(np.reshape(deviations, along), how.shape).ravel()
    scaler.var_ = scaler.scale_**2
    flat = FunctionTransformer(np.reshape, kw_args={"shape": (-1, math.prod(how.shape))})
    wide = FunctionTransformer(np.asarray, kw_args={"dtype": "float64"})
    narrow = FunctionTransformer(np.asarray, kw_args={"dtype": "float32"})
    return Pipeline([("flat", flat), ("float64", wide), ("scale", scaler), ("float32", narrow)])


def _numbers(how: Preprocessing, pandas: ModuleType) -> Pipeline:
    """Fills, indicators and scale of the description, put into scikit-learn's transformers."""
    fills = np.array(how.fills)
    rows = np.stack([fills, fills])
    rows[1, list(how.gaps)] = np.nan  # a column that misses a value in fitting is given an indicator
    imputer = SimpleImputer(keep_empty_features=True, add_indicator=bool(how.gaps))
    imputer.fit(pandas.DataFrame(rows, columns=[one.name for one in how.numeric]))
    imputer.statistics_ = fills  # the mean of two equal numbers may be off by their last digit
    scaler = StandardScaler().fit(np.zeros((2, len(how.means))))
    scaler.mean_ = np.array(how.means)
    # Infinite where a column is constant, which makes zeros of it, as in training.
    scaler.scale_ = np.array([np.inf if one is None else one for one in how.deviations])
    scaler.var_ = scaler.scale_**2
    return make_pipeline(imputer, scaler)


def _categories(features: tuple[Feature, ...], pandas: ModuleType) -> Pipeline:
    """Texts to codes, with -1 for what is missing or was never learned; then a column for each of them."""
    levels = [np.array(_learned(feature), dtype=object) for feature in features]
    codes = [np.arange(-1, len(feature.levels)) for feature in features]
    ordinal = OrdinalEncoder(categories=levels, handle_unknown="use_encoded_value", unknown_value=-1)
    ordinal.fit(pandas.DataFrame({one.name: [known[0]] for one, known in zip(features, levels, strict=True)}))
    one_hot = OneHotEncoder(categories=codes, sparse_output=False)
    one_hot.fit(np.full((1, len(features)), -1))
    return make_pipeline(ordinal, one_hot)


def _learned(feature: Feature) -> list[str]:
    """The levels, those that training never saw replaced by what no row will hold, so that their codes stay."""
    return [
        f"\x00never learned {code}" if code in feature.unlearned else level
        for code, level in enumerate(feature.levels, start=1)
    ]


def _frame(how: Preprocessing, rows: RawRows, pandas: ModuleType) -> Any:
    columns: dict[str, npt.NDArray[Any]] = {one.name: rows.numbers[:, i] for i, one in enumerate(how.numeric)}
    words = rows.words(how)
    columns |= {one.name: words[:, i] for i, one in enumerate(how.categorical)}
    return pandas.DataFrame(columns)


def _outputs(how: Preprocessing, *, has_probabilities: bool) -> tuple[ExportedOutput, ...]:
    if not how.classes:
        return (ExportedOutput(name="predict", type="float64", told="Shape (rows,), in units of the target."),)
    code = ExportedOutput(name="predict", type="int64", told="Shape (rows,): the place of the class in `classes`.")
    told = "Shape (rows, classes), in the order of `classes`."
    return (code, ExportedOutput(name="predict_proba", type="float64", told=told)) if has_probabilities else (code,)
