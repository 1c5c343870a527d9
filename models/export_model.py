"""Writes a model in another library's format, asks both about the same rows, and says beside it what it takes."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pegbox.datasets.new_rows import NewRows, Remarks
from pegbox.datasets.row_batches import row_batches
from pegbox.datasets.validation_rows import validation_rows
from pegbox.models.artefact import content_hash
from pegbox.models.files_model import FilesModel
from pegbox.models.study_model import StudyModel
from pegbox.schemas.errors import DataError, ModelError, NotFoundError
from pegbox.schemas.exported_model import ExportCheck, ExportedModel, ExportFormat
from pegbox.schemas.preprocessing import Feature, Preprocessing
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.studies import declared
from pegbox.training.atomic_files import write_in_one_step
from pegbox.training.exporting.exporter import SUFFIXES, Exporting, RawRows, Said, Written, exporter_of

# Of a probability, or of a number in deviations of the target. Other kernels add in another order: 1e-5 was seen;
# what a row that falls on the other side of a tree's split differs by is a hundred times as much.
TOLERANCE = 1e-3
# A tree's thresholds are float32 in ONNX: a row in some hundreds lies between a threshold and its rounding.
MOST_OTHER_ANSWERS = 0.01
"""Share of the rows; a file that answers more of them differently is no export of the model."""

# Picked by hand: more rows tell no more, and the file is asked at once.
MOST_CHECKED = 10_000
"""Rows that are asked."""


class Asked(NamedTuple):
    """Rows on which a file is checked."""

    told: str
    rows: RawRows


def export_model(model: StudyModel | FilesModel, wanted: ExportFormat, path: Path, asked: Asked) -> ExportedModel:
    """Write the file, and `<file>.json` beside it; both appear only where the file answers as the model does.

    Raises:
        ModelError: The model cannot be written in this format, a library is missing, the file answers differently, or
            it cannot be written.
    """
    if isinstance(model, FilesModel):
        raise ModelError(model.why_it_cannot_predict)
    if model.preprocessing.texts:
        raise ModelError(
            f"{model.preprocessing.texts[0].name!r} is free text, which no other format is written of here: the way "
            "from words to numbers is pegbox's. Serve the model with load_model."
        )
    exporter = exporter_of(model.manifest.form, wanted)
    if path.suffix != SUFFIXES[wanted]:
        raise ModelError(f"A file of {wanted} ends in {SUFFIXES[wanted]}, got {str(path)!r}. Name it so.")
    found: list[ExportedModel] = []

    def write(unfinished: Path) -> None:
        request = Exporting(
            predictor=model.predictor,
            preprocessing=model.preprocessing,
            labels=model.class_labels,
            path=unfinished,
            study=model.lineage.study,
            trained=getattr(model.manifest.train, "estimator", model.manifest.train.kind),
        )
        written = exporter(request)
        found.append(_described(model, wanted, path, written, _checked(model, written, asked)))

    try:
        write_in_one_step(path, write)
        described = f"{found[0].model_dump_json(indent=2)}\n"
        write_in_one_step(path.with_name(f"{path.name}.json"), lambda file: file.write_text(described, "utf-8"))
    except OSError as error:
        raise ModelError(f"{str(path)!r} cannot be written: {(error.strerror or str(error)).lower()}.") from error
    return found[0]


def rows_of_study(model: StudyModel, store: Path) -> Asked:
    """The validation rows of the study that the model was made by.

    Raises:
        ModelError: The store does not know the study.
        DataError: Its source cannot be read, or has changed.
    """
    name = model.lineage.study
    try:
        with open_history(StoreLayout(store.absolute()).root) as file:
            spec = declared(file, name).spec
    except (NotFoundError, IndexError) as error:
        raise ModelError(
            f"The store {str(store)!r} does not know the study {name!r}, whose validation rows the file would be "
            "checked on. Name rows with --rows, such as the table that it learned from."
        ) from error
    if spec.data is None:
        raise ModelError(f"The study {name!r} names no data. Name rows to check the file on with --rows.")
    numbers, codes = validation_rows(spec.data, spec.task, model.preprocessing)
    rows = RawRows(numbers[:MOST_CHECKED], codes[:MOST_CHECKED])
    return Asked(f"validation rows of {name!r}", rows)


def rows_of_source(model: StudyModel, source: str) -> Asked:
    """The first rows of a file, query or pipe.

    Raises:
        DataError: They cannot be read, do not fit the model, or there are none.
    """
    table = next(iter(row_batches(source, None, model.preprocessing))).slice(0, MOST_CHECKED)
    if not table.num_rows:
        raise DataError("rows: the file is checked on rows, and there are none. Name a source that holds some.")
    return Asked(f"rows of {source}", RawRows(*NewRows(model.preprocessing).read_raw(table, 0, Remarks())))


def _checked(model: StudyModel, written: Written, asked: Asked) -> ExportCheck:
    """Both asked about the same rows.

    Raises:
        ModelError: They differ by more than rounding.
    """
    ours, theirs = _ours(model, written, asked.rows), written.ask(asked.rows)
    if theirs.dtype.kind not in "fiub" or (model.is_classifier and ours.ndim == 1):
        differences = (ours != theirs).astype(np.float64)
    else:
        differences = np.abs(ours - theirs).reshape(len(ours), -1).max(axis=1)
    scale = 1.0 if model.is_classifier else max(float(np.std(ours)), np.finfo(np.float64).tiny)
    n_other = int(np.count_nonzero(~(differences <= TOLERANCE * scale)))
    if n_other > MOST_OTHER_ANSWERS * len(ours):
        raise ModelError(
            f"The file answers {n_other} of {len(ours)} {asked.told} differently, by up to {differences.max():.3g}: "
            "it is no export of this model, and was not kept. Export it in another format."
        )
    return ExportCheck(
        rows=asked.told,
        n_rows=len(ours),
        largest_difference=float(differences.max(initial=0.0)),
        n_other_answers=n_other,
    )


def _ours(model: StudyModel, written: Written, rows: RawRows) -> Said:
    """What the model says, in the form in which the file says it."""
    arrays = NewRows(model.preprocessing).scaled(rows.numbers, rows.codes)
    if model.predictor.has_probabilities:
        known = [model.preprocessing.classes.index(name) for name in written.classes]
        probabilities: Said = model.predictor.predict_proba(*arrays)[:, known]
        return probabilities
    said: Said = model.predictor.predict(*arrays)
    if not model.is_classifier or any(one.name == "predict" for one in written.outputs):
        return said
    labels: Said = model.class_labels[said.astype(np.int64)]
    return labels


def _described(
    model: StudyModel, wanted: ExportFormat, path: Path, written: Written, check: ExportCheck
) -> ExportedModel:
    how = model.preprocessing
    has_codes = any(one.type == "int64" for one in written.inputs)
    return ExportedModel(
        format=wanted,
        file=path.name,
        study=model.lineage.study,
        content=content_hash(model.path),
        target=how.target,
        task=how.task,
        classes=written.classes,
        inputs=written.inputs,
        outputs=written.outputs,
        columns=_columns(how, has_codes=has_codes),
        levels={feature.name: feature.levels for feature in how.categorical} if has_codes else {},
        usage=written.usage,
        versions=written.versions,
        check=check,
    )


def _columns(how: Preprocessing, *, has_codes: bool) -> dict[str, str]:
    """What each column holds, and how it is written."""
    if how.example is None:
        return {feature.name: _holds(feature, as_codes=has_codes) for feature in how.features}
    shape = " × ".join(map(str, how.shape or ()))
    told = "numbers as the source has them"
    if how.example.mode is not None:
        told = f"a {how.example.mode} picture stretched to this height and width, 0 to 255"
    return {how.example.column: f"arrays of {shape}: {told}"}


def _holds(feature: Feature, *, as_codes: bool) -> str:
    """What a column of the file's input holds, where that is not plain."""
    match feature.kind:
        case "number":
            return "numbers as the source has them, NaN where one is missing"
        case "yes or no":
            return "1 for yes, 0 for no, NaN where it is missing"
        case "date":
            return "days since 1970-01-01, with a fraction for the time, NaN where it is missing"
        case "time of day" | "duration":
            return "days, with a fraction, NaN where it is missing"
        case "category" if as_codes:
            return "the code of the category: its place in `levels`, from 1; 0 where it is missing or not among them"
        case "category":
            return "the category as text; an empty text, or one that training never saw, counts as missing"
