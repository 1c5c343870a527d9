"""`pegbox predict`: what the model of a study says of further rows; how it does that is `models.predict_rows`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli import terminal
from pegbox.cli.console import err, print_error, print_json, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, ModelName, Store, Trusted, Verbosity


@Parameter(name="*")
@dataclass(frozen=True)
class Reading:
    """How rows are read, and where predictions go.

    Attributes:
        out: The file; stdout where it is None.
        keep: Columns of the rows that stand beside the predictions.
        encoding: Of the rows.
        trust: Code of the user's that the model is made of.
    """

    out: Annotated[
        Path | None,
        Parameter(name=["--out", "-o"], help="A .parquet or .csv file; CSV on stdout where it is left out."),
    ] = None
    keep: Annotated[
        tuple[str, ...],
        Parameter(
            name="--keep",
            negative="",
            show_default=False,
            help="A column of the rows that stands beside the predictions, such as a key; may be repeated.",
        ),
    ] = ()
    encoding: Annotated[
        str | None, Parameter(name="--encoding", help="Of a CSV file that is not written in UTF-8.")
    ] = None
    trust: Trusted = ()


_PLAIN = Reading()


def predict(
    model: ModelName,
    rows: Annotated[
        str,
        # A lone hyphen is a word here and no option.
        Parameter(
            help="A CSV or Parquet file, an SQL query over files, a folder of pictures, an .npy or .npz file, or - for "
            "a pipe.",
            allow_leading_hyphen=True,
        ),
    ],
    *,
    reading: Reading = _PLAIN,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Predict with the model of a study.

    Raises:
        ModelError: There is no such model, or it cannot predict.
        DataError: The rows lack a column, or hold something else than the model learned from.
    """
    from pegbox.models.files_model import FilesModel
    from pegbox.models.load_model import load_model
    from pegbox.models.predict_rows import Rows, predict_to_file, predict_to_stream
    from pegbox.schemas.errors import ModelError

    out = reading.out
    if json and out is None:
        raise ModelError("--json describes a file of predictions, and stdout holds them already. Add --out.")
    found = load_model(model, store=store, trusted=reading.trust)
    if isinstance(found, FilesModel):
        raise ModelError(found.why_it_cannot_predict)
    asked, console = Rows(rows, reading.keep, reading.encoding), err()
    if out is None:
        predicted = predict_to_stream(found, asked, terminal.stdout_bytes())
    else:
        live = console.is_terminal

        def told(n_rows: int) -> None:
            if live:
                console.print(f"{n_rows:,} rows", end="\r")

        predicted = predict_to_file(found, asked, out, told)
    for remark in predicted.remarks:
        print_error(remark, "note")
    if json:
        print_json(
            {
                "model": str(found.path),
                "study": found.lineage.study,
                "rows": predicted.n_rows,
                "out": str(out),
                "remarks": list(predicted.remarks),
            }
        )
    elif out is not None:
        console.print(f"{predicted.n_rows:,} rows: {safe(str(out))}")
