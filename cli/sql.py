"""`pegbox sql`: one query over the history, in a sandbox, while studies run."""

import json
import sys
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from pegbox.cli import terminal
from pegbox.cli.console import err, out, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity
from pegbox.report.rounding import number
from pegbox.schemas.errors import QueryError
from pegbox.storage.sandbox import QueryResult, run_query

MOST_ROWS = 1000
"""Of a table, which is for the eye; the other formats give all."""
DIGITS = 6

Format = Annotated[
    Literal["table", "csv", "json", "parquet"],
    Parameter(name=["--format", "-f"], help="How to give the rows; parquet needs --output."),
]


def sql(
    query: Annotated[
        str,
        Parameter(
            allow_leading_hyphen=True, help="One SELECT; `-` reads it from stdin, SHOW TABLES lists what there is."
        ),
    ],
    *,
    form: Format = "table",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write it here instead of stdout.")] = None,
    json: Annotated[bool, Parameter(name="--json", negative="", show_default=False, help="As --format json.")] = False,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Ask the history with SQL.

    Raises:
        QueryError: The query is none, was refused, failed or took too much.
    """
    text = sys.stdin.read() if query == "-" else query
    chosen = "json" if json else form
    if chosen == "parquet" and output is None:
        raise QueryError("Parquet is written to a file; name it with --output, such as --output trials.parquet.")
    with run_query(store, text, "arrow" if chosen == "parquet" else "rows") as result:
        if chosen == "table" and output is None:
            _print_table(result)
        else:
            _write(result, chosen, output)


def _write(result: QueryResult, form: str, output: Path | None) -> None:
    from pegbox.storage.query_output import write_csv, write_json, write_parquet

    try:
        if form == "parquet" and output is not None:
            write_parquet(result, output)
        elif output is None:
            (write_json if form == "json" else write_csv)(result, terminal.stdout())
        elif form == "table":
            raise QueryError("A table is for the eye; write a file with --format csv, json or parquet.")
        else:
            with output.open("w", encoding="utf-8", newline="") as stream:
                (write_json if form == "json" else write_csv)(result, stream)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise QueryError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}.") from error


def _print_table(result: QueryResult) -> None:
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for name, kind in zip(result.columns, result.types, strict=True):
        table.add_column(safe(name), justify="right" if _is_number(kind) else "left", overflow="fold")
    rows = iter(result)
    n_rows = 0
    for row in islice(rows, MOST_ROWS):
        table.add_row(*(_cell(value, kind) for value, kind in zip(row, result.types, strict=True)))
        n_rows += 1
    show(out(), table)
    n_more = sum(1 for _ in rows)
    if n_more:
        err().print(f"{n_rows} of {n_rows + n_more} rows; --format csv gives all.", style="quiet")


def _is_number(kind: str) -> bool:
    return kind.startswith(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL"))


def _cell(value: Any, kind: str) -> Text:
    if value is None:
        return Text("NULL", style="quiet")
    if isinstance(value, bool):
        return Text("true" if value else "false")
    if isinstance(value, float):
        return Text(number(value, DIGITS))
    if isinstance(value, list | dict):
        return Text(safe(json.dumps(value, ensure_ascii=False)))
    text = safe(str(value))
    return Text(text[:19] if kind.startswith("TIMESTAMP") else text)
