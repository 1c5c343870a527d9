"""`pegbox export-model`: a model in the format of another library; how it is written is `models.export_model`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from pegbox.cli.console import err, out, print_json, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, ModelName, Store, Trusted, Verbosity


@Parameter(name="*")
@dataclass(frozen=True)
class Writing:
    """Where the file goes, and what it is checked on.

    Attributes:
        out: The file; named after the study where it is None.
        rows: To check it on; the study's validation rows where it is None.
        trust: Code of the user's that the model is made of.
    """

    out: Annotated[
        Path | None,
        Parameter(name=["--out", "-o"], help="The file; named after the study where it is left out."),
    ] = None
    rows: Annotated[
        str | None,
        Parameter(
            name="--rows",
            help="Rows that the file is checked on: a CSV or Parquet file, or an SQL query; the study's validation "
            "rows where it is left out.",
        ),
    ] = None
    trust: Trusted = ()


_PLAIN = Writing()


def export_model(
    model: ModelName,
    *,
    to: Annotated[
        Literal["onnx", "torch", "sklearn"],
        Parameter(
            name="--format", help="torch writes a .pt2 file of torch.export, sklearn a pipeline as a skops file."
        ),
    ],
    writing: Writing = _PLAIN,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Write a model for another library.

    Raises:
        ModelError: There is no such model, it cannot be written so, or the file answers differently.
        DataError: The rows to check it on cannot be read.
    """
    from pegbox.models.export_model import export_model as write
    from pegbox.models.export_model import rows_of_source, rows_of_study
    from pegbox.models.files_model import FilesModel
    from pegbox.models.load_model import load_model
    from pegbox.schemas.errors import ModelError
    from pegbox.storage.model_files import plain_name
    from pegbox.training.exporting.exporter import SUFFIXES

    found = load_model(model, store=store, device="cpu", trusted=writing.trust)
    if isinstance(found, FilesModel):
        raise ModelError(found.why_it_cannot_predict)
    asked = rows_of_study(found, store) if writing.rows is None else rows_of_source(found, writing.rows)
    file = writing.out or Path(f"{plain_name(found.lineage.study)}{SUFFIXES[to]}")
    exported = write(found, to, file, asked)
    if json:
        print_json(exported.model_dump(mode="json") | {"out": str(file)})
        return
    check, screen = exported.check, out()
    screen.print(safe(str(file)))
    other = f", {check.n_other_answers} rows answered otherwise" if check.n_other_answers else ""
    screen.print(
        f"  as the model on {check.n_rows:,} {safe(check.rows)}: largest difference "
        f"{check.largest_difference:.2g}{other}"
    )
    for taken in exported.inputs:
        what = f"{len(taken.columns)} columns"
        if len(taken.shape) > 1:
            what = f"arrays of {' × '.join(map(str, taken.shape))}"
        screen.print(f"  takes {taken.name}: {taken.type}, {what}")
    for given in exported.outputs:
        screen.print(f"  gives {given.name}: {given.type}")
    err().print(f"next: {safe(str(file))}.json says what each column holds, and how the file is asked", style="quiet")
