"""`pegbox sql`: queries over the history, in a sandbox, while studies run; the prompt is `cli.sql_prompt`'s."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from pegbox.cli import terminal
from pegbox.cli.options import DEFAULT_STORE, QUIET, Output, Store, Verbosity
from pegbox.cli.query_table import print_table
from pegbox.schemas.errors import QueryError
from pegbox.storage.sandbox import QueryResult, run_query

Query = Annotated[
    str | None,
    Parameter(
        # A lone `-` stands for stdin, and a query may begin with a comment of SQL.
        allow_leading_hyphen=True,
        help="One SELECT; `-` reads it from stdin, SHOW TABLES lists what there is. A prompt where it is left out.",
    ),
]
QueryFile = Annotated[Path | None, Parameter(name=["--file", "-f"], help="Read the query from this file.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Form:
    """How the rows are given, and where.

    Attributes:
        form: By its name.
        json: As the form of that name.
        output: A file in place of stdout.
    """

    form: Annotated[
        Literal["table", "csv", "json", "parquet"],
        Parameter(name="--format", help="How to give the rows; parquet needs --output."),
    ] = "table"
    json: Annotated[bool, Parameter(name="--json", negative="", show_default=False, help="As --format json.")] = False
    output: Output = None


TABLE = Form()


def sql(
    query: Query = None,
    *,
    file: QueryFile = None,
    form: Form = TABLE,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Ask the history with SQL.

    Raises:
        QueryError: The query is none, was refused, failed or took too much.
    """
    chosen, output = "json" if form.json else form.form, form.output
    if chosen == "parquet" and output is None:
        raise QueryError("Parquet is written to a file; name it with --output, such as --output trials.parquet.")
    if query is None and file is None and output is None and sys.stdin.isatty() and sys.stdout.isatty():
        from pegbox.cli.sql_prompt import prompt

        prompt(store, lambda result: _give(result, chosen, None))
        return
    with run_query(store, _text(query, file), "arrow" if chosen == "parquet" else "rows") as result:
        _give(result, chosen, output)


def _text(query: str | None, file: Path | None) -> str:
    if query is not None and file is not None:
        raise QueryError(f"Give the query or a file of it, got both {query!r} and --file {str(file)!r}.")
    if file is None:
        return sys.stdin.read() if query in (None, "-") else str(query)
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise QueryError(
            f"The query could not be read from the file {str(file)!r}: {said.lower()}. The form of the answer is "
            "chosen by --format."
        ) from error


def _give(result: QueryResult, form: str, output: Path | None) -> None:
    if form == "table" and output is None:
        print_table(result)
    else:
        _write(result, form, output)


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
    # It is an OSError too, but says that the reader has enough; `main` knows what to do.
    except BrokenPipeError:
        raise
    except OSError as error:
        raise QueryError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}.") from error
