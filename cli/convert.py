"""`pegbox convert`: a study file made of another tool's sweep, experiment, space or objective."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, out, print_json, safe
from pegbox.cli.options import QUIET, Json, Output, Verbosity
from pegbox.schemas.errors import StudyError

Source = Annotated[
    str,
    Parameter(help="A sweep of W&B, a Katib experiment, a Hydra configuration; or a Python file, as file.py:name."),
]
Force = Annotated[bool, Parameter(negative="", show_default=False, help="Replace a file that is there.")]


def convert(
    source: Source, *, output: Output = None, force: Force = False, json: Json = False, verbosity: Verbosity = QUIET
) -> None:
    """Make a study file of another tool's file.

    Raises:
        ConversionError: The file cannot be read, or is of no known kind.
        StudyError: The output is there already, or cannot be written.
    """
    from pegbox.integrations.conversion import convert as made_from

    path, name = _parted(source)
    made = made_from(path, name)
    if json:
        print_json({"study": made.value, "notes": made.notes})
    # JSON and a file can be wanted at once; text and JSON on stdout cannot.
    elif output is None:
        sys.stdout.write(made.text)
    if output is not None:
        _write(output, made.text, force)
        if not json:
            out().print(f"wrote {safe(str(output))}")
    n_notes = len(made.notes)
    said = f"{n_notes} note{'s' if n_notes != 1 else ''} in its comments; " if n_notes else ""
    err().print(f"{said}next: pegbox validate {safe(str(output or 'STUDY.yaml'))}", style="quiet")


def _parted(source: str) -> tuple[Path, str | None]:
    """`file.py:name`; a colon elsewhere belongs to the path."""
    file, colon, name = source.rpartition(":")
    return (Path(file), name) if colon and file.endswith(".py") and name.isidentifier() else (Path(source), None)


def _write(output: Path, text: str, force: bool) -> None:
    if output.exists() and not force:
        raise StudyError("it is there already, and nothing was written. Replace it with --force.", str(output))
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"it cannot be written: {(error.strerror or str(error)).lower()}.", str(output)) from error
