"""`pegbox export`: a study for other tools: files, an Optuna storage, a database that others read."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, out, print_json, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, StudyName, Verbosity
from pegbox.schemas.errors import StudyError


@Parameter(name="*")
@dataclass(frozen=True)
class Destination:
    """Where to, and how much.

    Attributes:
        parquet: A directory for Parquet files.
        optuna: An Optuna storage.
        database: A database that others read.
        everything: All studies instead of one.
    """

    parquet: Annotated[Path | None, Parameter(help="Write trials.parquet and metrics.parquet into this directory.")] = (
        None
    )
    optuna: Annotated[
        str | None, Parameter(help="Write into this Optuna storage: a URL, an SQLite file (.db) or a journal file.")
    ] = None
    database: Annotated[
        str | None,
        Parameter(
            name="--to",
            show_default=False,
            help="Publish into this database: postgres://HOST/NAME, ducklake:CATALOGUE or duckdb:FILE.",
        ),
    ] = None
    everything: Annotated[
        bool, Parameter(name="--all", negative="", show_default=False, help="All studies of the store; not for Optuna.")
    ] = False


NOWHERE = Destination()


def export(
    study: StudyName = None,
    *,
    to: Destination = NOWHERE,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Write a study as Parquet files, into an Optuna storage, or into a database that others read.

    Raises:
        StudyError: Nothing is asked for, or options do not go together.
        StoreError: It cannot be written.
        NotFoundError: There is no such study.
    """
    if to.parquet is None and to.optuna is None and to.database is None:
        raise StudyError(
            "say where to: --parquet DIRECTORY, --optuna STORAGE, --to DATABASE, or several of them.", "pegbox export"
        )
    # An Optuna study is written under its own name into one storage; for many of them a failure halfway would leave
    # some.
    if to.everything and (study is not None or to.optuna is not None):
        raise StudyError("--all goes with --parquet and --to; leave the study and --optuna out.", "pegbox export")
    chosen = None if to.everything else _chosen(store, study)
    files = _to_parquet(store, to.parquet, chosen) if to.parquet else ()
    n_trials = _to_optuna(store, to.optuna, chosen) if to.optuna and chosen is not None else None
    n_rows = _to_database(store, to.database, chosen) if to.database else {}
    if json:
        print_json({"study": chosen, "files": [str(path) for path in files], "optuna_trials": n_trials, "rows": n_rows})
        return
    for path in files:
        out().print(safe(str(path)))
    for table, count in n_rows.items():
        out().print(f"pegbox.{table}: {count} rows")
    if n_trials is not None:
        out().print(f"{safe(str(chosen))}: {n_trials} trials written to {safe(str(to.optuna))}")
        if "://" not in str(to.optuna):
            err().print(f"next: optuna-dashboard {safe(str(to.optuna))}", style="quiet")


def _chosen(store: Path, study: str | None) -> str:
    """The study that was named, or the last one that ran; an unknown name is storage's to refuse."""
    if study is not None:
        return study
    from pegbox.report.study_reader import study_status

    return study_status(store).study


def _to_parquet(store: Path, directory: Path, study: str | None) -> tuple[Path, ...]:
    from pegbox.storage.parquet_export import export_parquet

    return export_parquet(store, directory, study)


def _to_database(store: Path, database: str, study: str | None) -> dict[str, int]:
    from pegbox.storage.database_export import export_to_database

    return export_to_database(store, database, study)


def _to_optuna(store: Path, storage: str, study: str) -> int:
    from pegbox.report.import_export import export_optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls its journals experimental
        return export_optuna(store, study, storage)
