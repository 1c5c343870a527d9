"""Prepares a study's data once, content-addressed by its fingerprint; workers open what this leaves behind."""

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
from pydantic import ValidationError

from pegbox.datasets.frame import Frame, build_frame
from pegbox.datasets.free_text import learn_texts, names_of_texts, text_numbers
from pegbox.datasets.prepared import ARRAYS, UNDERSTANDING, array_path
from pegbox.datasets.preprocessing import describe_preprocessing, fit_scaling, preprocessing_path
from pegbox.datasets.scaling import numeric_names
from pegbox.datasets.source import Loaded, Source
from pegbox.datasets.source_kinds import source_of
from pegbox.datasets.split import Fold, split_rows, whole_fold
from pegbox.datasets.understanding import understand
from pegbox.schemas.arrays import Part
from pegbox.schemas.data import DECODED, DataSpec, PreparedData, Task
from pegbox.schemas.errors import DataError, StoreUnwritableError
from pegbox.schemas.plan import Rows
from pegbox.schemas.understanding import DataUnderstanding

VERSION = 3
"""Raise it whenever the same rows and specification come to give other arrays."""

_INFO = "prepared.json"


def fingerprint(spec: DataSpec, task: Task | None) -> str:
    """Names the prepared data; changes with the source's content and all that shapes the arrays.

    A file is hashed, not read; a query is run and a function called, for only their rows tell whether they changed.

    Raises:
        DataError: The source cannot be read.
    """
    source = source_of(spec)
    digest = source.digest()
    return _fingerprint(spec, task, digest or build_frame(spec, task, source.load()).digest())


def prepare(spec: DataSpec, task: Task | None, root: Path, *, learn_from: Rows = "parts") -> PreparedData:
    """Load, type, split, scale and write the data, or find it where that was done before.

    Args:
        task: What the target is for; taken from the source or the column where None.
        root: The directory that holds prepared data, one directory below it for each fingerprint.
        learn_from: What the training part is: that of each fold, or more for the model that a study ends in.

    Raises:
        DataError: The data cannot be read, split or used as declared.
        StoreUnwritableError: `root` cannot be written.
    """
    source = source_of(spec, root / DECODED)
    digest = source.digest()
    if digest is not None:
        # A file is hashed at the speed of the disk; parsing takes many times as long, so that a second run pays for
        # the hash alone.
        found = find_prepared(root, _fingerprint(spec, task, digest, learn_from))
        if found is not None:
            return found
    frame = build_frame(spec, task, _load(source, digest, spec))
    name = _fingerprint(spec, task, digest or frame.digest(), learn_from)
    found = find_prepared(root, name)
    if found is not None:
        return found
    folds = split_rows(spec.split, frame)
    # Of the parts in any case: those of a whole fold overlap, and a row would count twice.
    understood = understand(spec, frame, folds)
    if learn_from != "parts":
        folds = (whole_fold(folds, len(frame), with_test=learn_from == "all"),)
    return _write(spec, frame, folds, understood, root.absolute() / name)


def _fingerprint(spec: DataSpec, task: Task | None, digest: str, learn_from: Rows = "parts") -> str:
    # As it was told before there was more than one: what was prepared then is found.
    more: dict[Rows, dict[str, bool | str]] = {"parts": {}, "not held out": {"whole": True}, "all": {"whole": "all"}}
    # The source is named by its content: a file that was moved is the same data.
    content = {
        "version": VERSION,
        "digest": digest,
        "task": task,
        "spec": spec.shaping,
        **more[learn_from],
    }
    # 128 bits: directories are named by it, and no two of them will ever collide by chance. Sorted keys, or the order
    # of fields in a version of pydantic would be part of the name.
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _load(source: Source, digest: str | None, spec: DataSpec) -> Loaded:
    try:
        loaded = source.load()
    except OSError as error:
        raise StoreUnwritableError(
            f"What was read of {spec.source!r} cannot be kept in the store: {error}. Free the space, or name another."
        ) from error
    # Hashed again after reading: a file that a job still writes would else be prepared under the name of what it was.
    if digest is not None and source.digest() != digest:
        raise DataError(f"data.source: {spec.source!r} changed while it was read. Run again when it is complete.")
    return loaded


def find_prepared(root: Path, name: str) -> PreparedData | None:
    """What an earlier call left; the path is where it lies now, for a store may be moved."""
    directory = root.absolute() / name
    try:
        text = (directory / _INFO).read_text(encoding="utf-8")
        found = PreparedData.model_validate_json(text)
    except OSError:
        return None
    except ValidationError as error:
        raise DataError(
            f"{str(directory / _INFO)!r} is damaged, or of another version of pegbox. Delete this directory and run "
            "again: it will be prepared anew."
        ) from error
    return found.model_copy(update={"path": directory})


def _write(
    spec: DataSpec, frame: Frame, folds: tuple[Fold, ...], understood: DataUnderstanding, directory: Path
) -> PreparedData:
    """Write everything beside its place, then move it there as a whole: a killed run leaves nothing half written."""
    root = directory.parent
    info = _describe(spec, frame, folds, directory)
    try:
        # Beside its place, so that the move is a rename; of a random name, for two studies may prepare the same data
        # at once.
        partial = root / f".partial-{uuid4().hex}"
        partial.mkdir(parents=True)
        try:
            for number, fold in enumerate(folds):
                _write_fold(spec, frame, fold, partial, number)
            (partial / UNDERSTANDING).write_text(understood.model_dump_json(indent=2), encoding="utf-8")
            (partial / _INFO).write_text(info.model_dump_json(indent=2), encoding="utf-8")
            _publish(partial, directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise StoreUnwritableError(
            f"The prepared data cannot be written below {str(root)!r}: {error}. Free the space, or name another store."
        ) from error
    return info


def _publish(partial: Path, directory: Path) -> None:
    try:
        os.replace(partial, directory)  # noqa: PTH105 -- named so because it replaces in one step
    except OSError:
        # Another process was first; a fingerprint stands for the same arrays.
        if not (directory / _INFO).is_file():
            raise


def _write_fold(spec: DataSpec, frame: Frame, fold: Fold, directory: Path, number: int) -> None:
    scaling = fit_scaling(frame, fold.train)
    path = preprocessing_path(directory, number)
    path.parent.mkdir()
    # Beside the arrays: a model that is made of them needs it for rows that come later.
    texts = learn_texts(spec.text, {name: column[fold.train] for name, column in frame.texts.items()})
    path.write_text(describe_preprocessing(spec, frame, scaling, texts).model_dump_json(indent=2), encoding="utf-8")
    for name, rows in _parts(fold).items():
        part: Part = scaling.part(frame, rows)
        if texts:
            words = text_numbers(texts, {one: column[rows] for one, column in frame.texts.items()})
            part = replace(part, numeric=np.hstack([part.numeric, words]))
        for array in ARRAYS:
            path = array_path(directory, number, name, array)
            # Plain .npy files: they can be memory-mapped, which compressed or columnar ones cannot.
            np.save(path, getattr(part, array))


def _parts(fold: Fold) -> dict[str, np.ndarray]:
    parts = {"train": fold.train, "valid": fold.valid, "test": fold.test}
    return {name: rows for name, rows in parts.items() if len(rows)}


def _describe(spec: DataSpec, frame: Frame, folds: tuple[Fold, ...], directory: Path) -> PreparedData:
    target = frame.target.values[folds[0].train]
    is_regression = frame.target.task == "regression"
    return PreparedData(
        path=directory,
        fingerprint=directory.name,
        task=frame.target.task,
        n_folds=len(folds),
        n_rows={name: len(rows) for name, rows in _parts(folds[0]).items()},
        n_dropped=frame.n_dropped,
        numeric=(*numeric_names(frame), *names_of_texts(spec.text, frame.texts)),
        categorical=frame.categorical_names,
        cardinalities=frame.cardinalities,
        classes=frame.target.classes,
        target_mean=float(target.mean()) if is_regression else 0.0,
        # A target that is constant in the training rows has no scale; dividing by one leaves it as it is.
        target_std=float(target.std()) or 1.0 if is_regression else 1.0,
        shape=frame.shape,
    )
