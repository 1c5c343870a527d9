"""Shows new rows to a model that was trained before: prepares them as the rows were from which it learned."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pegbox.datasets.examples import ExampleScaling
from pegbox.datasets.prepare import find_prepared
from pegbox.datasets.prepared import open_prepared
from pegbox.datasets.preprocessing import read_preprocessing, scaling_of
from pegbox.datasets.raw_inputs import raw_inputs
from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.data import PreparedData
from pegbox.schemas.preprocessing import Feature, Preprocessing
from pegbox.schemas.raw_inputs import RawInputs

IS_MISSING = " is missing"
"""Ends the name of a column that says where a number was filled in; data in which none is missing has none."""


def seen_as(root: Path, before: str, now: str) -> Splits | None:
    """The first fold of earlier data, with the validation rows of today's in the place of its own.

    Args:
        root: The directory that holds prepared data.
        before: Fingerprint of what the model learned from.
        now: Fingerprint of the data as it is.

    Returns:
        None where there is free text, whose words are not kept beside the arrays; where today's rows lack a column,
        have another shape or a class that the model does not know; or where prepared data is gone.
    """
    old, new = find_prepared(root, before), find_prepared(root, now)
    if old is None or new is None:
        return None
    made, fresh = read_preprocessing(old, 0), open_prepared(new, 0).valid
    inputs = _columns(old, made, raw_inputs(root, now, "valid")) if made.example is None else _arrays(made, new, fresh)
    target = _target(fresh.target, old, new)
    if inputs is None or target is None:
        return None
    # A name of its own: workers keep what they loaded under it.
    info = old.model_copy(update={"fingerprint": f"{before}-{now}"})
    return Splits(info, open_prepared(old, 0).train, Part(*inputs, target))


_Inputs = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def _columns(old: PreparedData, made: Preprocessing, inputs: RawInputs | None) -> _Inputs | None:
    if inputs is None or made.texts:
        return None
    numeric = _numeric(old.numeric, inputs, made.means, made.deviations)
    categorical = _categorical(made.categorical, inputs)
    return None if numeric is None or categorical is None else (numeric, categorical)


def _arrays(made: Preprocessing, new: PreparedData, fresh: Part) -> _Inputs | None:
    """Pictures and sequences, from the scale of today's training rows into that of the earlier ones."""
    now = read_preprocessing(new, 0)
    if (made.example, made.shape) != (now.example, now.shape):
        return None
    then, theirs = scaling_of(made), scaling_of(now)
    assert isinstance(then, ExampleScaling)
    assert isinstance(theirs, ExampleScaling)
    return then.after(theirs).apply(fresh.numeric, fresh.categorical)


def _numeric(
    names: tuple[str, ...], inputs: RawInputs, means: tuple[float, ...], deviations: tuple[float | None, ...]
) -> npt.NDArray[np.float32] | None:
    columns = []
    for name, mean, deviation in zip(names, means, deviations, strict=True):
        column = inputs.numbers.get(name)
        if column is None:
            if not name.endswith(IS_MISSING):
                return None
            column = np.zeros(len(inputs))
        columns.append((column - mean) / deviation if deviation else np.zeros(len(inputs)))
    return np.stack(columns, axis=1).astype(np.float32) if columns else np.zeros((len(inputs), 0), np.float32)


def _categorical(features: tuple[Feature, ...], inputs: RawInputs) -> npt.NDArray[np.int64] | None:
    columns = []
    for feature in features:
        words = inputs.categories.get(feature.name)
        if words is None:
            return None
        codes = {level: code for code, level in enumerate(feature.levels, start=1) if code not in feature.unlearned}
        columns.append(np.array([codes.get(word, 0) for word in words.tolist()], dtype=np.int64))
    return np.stack(columns, axis=1) if columns else np.zeros((len(inputs), 0), np.int64)


def _target(
    target: npt.NDArray[np.int64] | npt.NDArray[np.float64], old: PreparedData, new: PreparedData
) -> npt.NDArray[np.int64] | npt.NDArray[np.float64] | None:
    if old.task == "regression" or old.classes == new.classes:
        return target
    if not set(new.classes) <= set(old.classes):
        return None
    return np.array([old.classes.index(name) for name in new.classes])[target]
