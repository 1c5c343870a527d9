"""Shows new rows to a model that was trained before: prepares them as the rows were from which it learned."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pegbox.datasets.prepare import find_prepared
from pegbox.datasets.prepared import open_prepared
from pegbox.datasets.preprocessing import read_preprocessing
from pegbox.datasets.raw_inputs import raw_inputs
from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.data import PreparedData
from pegbox.schemas.preprocessing import Feature
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
        None where there is free text, today's rows lack a column or have a class that the model does not know, or
        prepared data is gone.
    """
    old, new, inputs = find_prepared(root, before), find_prepared(root, now), raw_inputs(root, now, "valid")
    if old is None or new is None or inputs is None:
        return None
    splits = open_prepared(old, 0)
    made = read_preprocessing(old, 0)
    if made.texts:  # their words are not kept beside the arrays
        return None
    numeric = _numeric(old.numeric, inputs, made.means, made.deviations)
    categorical = _categorical(made.categorical, inputs)
    target = _target(open_prepared(new, 0).valid.target, old, new)
    if numeric is None or categorical is None or target is None:
        return None
    # A name of its own: workers keep what they loaded under it.
    info = old.model_copy(update={"fingerprint": f"{before}-{now}"})
    return Splits(info, splits.train, Part(numeric, categorical, target))


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
