"""The validation rows of a study as its source has them: neither filled in nor scaled."""

from pegbox.datasets.column_types import Codes, Floats
from pegbox.datasets.frame import build_frame
from pegbox.datasets.source_kinds import source_of
from pegbox.datasets.split import split_rows
from pegbox.schemas.data import DataSpec, Task
from pegbox.schemas.errors import DataError
from pegbox.schemas.preprocessing import Preprocessing


def validation_rows(spec: DataSpec, task: Task | None, how: Preprocessing) -> tuple[Floats, Codes]:
    """Those of the first fold, read anew.

    Args:
        how: Of the model that is to be asked about them.

    Returns:
        Numbers, NaN where one is missing, shape (n_rows, n_numeric), and codes, shape (n_rows, n_categorical).

    Raises:
        DataError: The source cannot be read, or holds other columns or categories than the model knows.
    """
    frame = build_frame(spec, task, source_of(spec).load())
    if how.example is not None and (frame.shape, frame.example) == (how.shape, how.example):
        rows = split_rows(spec.split, frame)[0].valid
        return frame.numeric[rows], frame.codes[rows]
    found = (*frame.numeric_names, *zip(frame.categorical_names, frame.levels, strict=True))
    if found != (*(one.name for one in how.numeric), *((one.name, one.levels) for one in how.categorical)):
        raise DataError(
            f"data.source: {spec.source!r} holds other columns or categories now than when the model was made. Run "
            "the study again on what it holds, or name rows as they were then with --rows."
        )
    rows = split_rows(spec.split, frame)[0].valid
    return frame.numeric[rows], frame.codes[rows]
