"""`pegbox auto`: from a table to a model in one command; it writes a study file, and runs it as `pegbox run` does."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.init import NO_TABLE, Table, check_free, study_of_table, write
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.schemas.errors import StudyError


def auto(
    source: Annotated[
        str, Parameter(help="A CSV or Parquet file, an SQL query over files, a folder of pictures, sklearn:NAME.")
    ],
    *,
    table: Table = NO_TABLE,
    force: Annotated[bool, Parameter(negative="", show_default=False, help="Write the study file anew.")] = False,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> int:
    """Make a study of a table, run it, and keep its model.

    The study file stays, and is the one that counts from then on: the same command goes on with it, or shows its
    answer.

    Returns:
        0; a study that is made here has no target to miss.

    Raises:
        StudyError: A file of that name is there already and says something else than is asked for.
        DataError: No study can be made of the table.
    """
    from pegbox.cli.run import run
    from pegbox.report.table_study import study_name

    name, console = study_name(source, table.target or ""), err()
    file = Path(f"{name}.yaml")
    if file.exists() and not force:
        _check_asked(file, source, table)
        console.print(f"going on with {safe(str(file))}, as it stands")
    else:
        check_free(Path(), [file.name], force)
        write(Path(), {file.name: study_of_table(source, source, table)})
        console.print(f"wrote {safe(str(file))}: what was decided, and why")
    code = run(file, store=store, json=json, verbosity=verbosity)
    # Asked for anew: a run has moved where the former leads.
    rows = "NEW_FOLDER/" if Path(source).is_dir() else "NEW.csv"
    err().print(f"next: pegbox predict {safe(shlex.quote(_name_in(file)))} {rows} --out predictions.csv", style="quiet")
    return code


def _name_in(file: Path) -> str:
    from pegbox.schemas.study_file import read_study

    return read_study(file).spec.name


def _check_asked(file: Path, source: str, table: Table) -> None:
    """Refuse to go on with a file that says something else than the command: neither may be left out in silence."""
    from pegbox.schemas.study_file import read_study

    spec = read_study(file).spec
    data, asked = spec.data, {"data.source": source, "data.target": table.target, "data.encoding": table.encoding}
    says = {
        "data.source": data and data.source,
        "data.target": data and data.target,
        "data.encoding": data and data.encoding,
    }
    if table.seconds is not None:
        asked["budget.whole"], says["budget.whole"] = f"{table.seconds:g}", f"{spec.budget.whole or 0:g}"
    for key, wanted in asked.items():
        if wanted is not None and wanted != says[key]:
            raise StudyError(
                f"it is there already, with {key} {says[key]!r} where the command asks for {wanted!r}. Change the "
                "file, or write it anew with --force.",
                str(file),
            )
