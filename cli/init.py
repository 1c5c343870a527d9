"""`pegbox init`: a study to begin with, that runs as it is written; what a table becomes is `report.table_study`."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from cyclopts import CycloptsError, Parameter

from pegbox.cli.console import out, safe
from pegbox.cli.options import QUIET, Verbosity
from pegbox.schemas.errors import StudyError

TEMPLATES = {
    "study": ("study.yaml",),
    "function": ("study.yaml", "train.py"),
    "command": ("study.yaml", "train.py"),
    "demo": ("study.yaml",),
}
SCHEMA_LINE = "# yaml-language-server: $schema=./study.schema.json\n"


@Parameter(name="*")
@dataclass(frozen=True)
class Table:
    """What is said of a table beside where it is.

    Attributes:
        target: The column to predict.
        time: Seconds that all of the tuning may take.
        encoding: Of a CSV file.
    """

    target: Annotated[str | None, Parameter(name="--target", help="The column of the table to predict.")] = None
    time: Annotated[
        str | None,
        Parameter(
            name="--time", help="How long the tuning may take in all, such as 10m or 2h; ten minutes if left out."
        ),
    ] = None
    encoding: Annotated[
        str | None, Parameter(name="--encoding", help="Of a CSV file that is not written in UTF-8.")
    ] = None

    @property
    def seconds(self) -> float | None:
        """The time as a number.

        Raises:
            StudyError: It is no duration.
        """
        from pydantic import TypeAdapter, ValidationError

        from pegbox.schemas.durations import Seconds

        try:
            return None if self.time is None else TypeAdapter(Seconds).validate_python(self.time)
        except ValidationError as error:
            raise StudyError(f"expected a time such as 90s, 10m or 2h, got {self.time!r}.", "--time") from error


NO_TABLE = Table()


def _is_known(_type: object, source: str) -> None:
    """Refuses, as a slip of the command line, what is neither a kind nor a source of data."""
    if source not in TEMPLATES:
        from pegbox.datasets.source_kinds import source_of
        from pegbox.schemas.data import DataSpec
        from pegbox.schemas.errors import DataError, suggest

        try:
            source_of(DataSpec(source=source or " "))
        except DataError as error:
            raise CycloptsError(
                msg=f"{source!r} is neither a table nor a study to begin with. {suggest(source, TEMPLATES)}"
            ) from error


def init(
    source: Annotated[
        str,
        Parameter(
            help="study (a network that pegbox trains), function (your own), command (any program), demo; or a table: "
            "a CSV or Parquet file, an SQL query over files, a folder of pictures, sklearn:NAME.",
            validator=_is_known,
        ),
    ] = "study",
    *,
    table: Table = NO_TABLE,
    directory: Annotated[Path, Parameter(name=["--directory", "-d"], help="Where to write.")] = Path(),
    force: Annotated[bool, Parameter(negative="", show_default=False, help="Replace files that are there.")] = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Write a study file to begin with, and its JSON Schema for the editor.

    Raises:
        StudyError: A file is there already, or cannot be written.
        DataError: No study can be made of the table.
    """
    names = (*TEMPLATES.get(source, ("study.yaml",)), "study.schema.json")
    check_free(directory, names, force)
    if source not in TEMPLATES:
        study = SCHEMA_LINE + study_of_table(_seen_from(directory, source), source, table)
        write(directory, {"study.yaml": study, "study.schema.json": _schema()})
    elif table == NO_TABLE:
        texts = {name: (files("pegbox.cli") / "templates" / source / name).read_text("utf-8") for name in names[:-1]}
        write(directory, {**texts, "study.schema.json": _schema()})
    else:
        raise StudyError(
            f"--target, --time and --encoding are of a table, and {source!r} is none. Name one, as in `pegbox init "
            "data.csv --target NAME`.",
            "pegbox init",
        )
    _tell(directory, list(names))


def study_of_table(written: str, source: str, table: Table) -> str:
    """The text of a study file for a table.

    Args:
        written: How the study file names the table.
        source: Where it is from here.

    Raises:
        DataError: No study can be made of it.
    """
    from pegbox.integrations.draft import render
    from pegbox.report.table_study import draft_study
    from pegbox.schemas.data import DataSpec

    draft = draft_study(DataSpec(source=source, target=table.target, encoding=table.encoding), table.seconds)
    draft.data["source"] = written
    return render(draft)


def _seen_from(directory: Path, source: str) -> str:
    """A file as it is named in that directory, in which the study will be run; a query and the like as they are."""
    from pegbox.datasets.source_kinds import is_path

    is_near = directory == Path() or Path(source).is_absolute()
    if is_near or not is_path(source) or not Path(source).exists():
        return source
    return os.path.relpath(source, directory)


def check_free(directory: Path, names: Sequence[str], force: bool) -> None:
    """Look at all files before the first is written: a refusal halfway would leave files of two kinds.

    Raises:
        StudyError: One of them is there already.
    """
    there = [name for name in names if (directory / name).exists()]
    if there and not force:
        raise StudyError(
            "it is there already, and nothing was written. Replace it with --force, or write elsewhere with "
            "--directory.",
            str(directory / there[0]),
        )


def write(directory: Path, texts: dict[str, str]) -> None:
    """Write these files into a directory, which is made where there is none.

    Raises:
        StudyError: They cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StudyError(f"it cannot be written: {(error.strerror or str(error)).lower()}.", str(directory)) from error


def _schema() -> str:
    from pegbox.schemas.study_schema import study_schema

    return json.dumps(study_schema(), indent=2) + "\n"


def _tell(directory: Path, names: list[str]) -> None:
    console = out()
    for name in names:
        console.print(f"wrote {safe(str(directory / name))}")
    enter = "" if directory == Path() else f"cd {safe(str(directory))} && "
    console.print(f"next: {enter}pegbox run study.yaml")
