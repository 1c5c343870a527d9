"""Writes the trials and metrics of a study, or of all studies, as Parquet files."""

from pathlib import Path

import duckdb

from pegbox.schemas.errors import StoreUnwritableError
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.master import identifier, quoted
from pegbox.storage.reading import connect_snapshot


def export_parquet(root: Path, directory: Path, study: str | None = None) -> tuple[Path, Path]:
    """Write `trials.parquet` and `metrics.parquet`.

    Trials of one study have a typed column for each parameter; those of all studies have them as JSON.

    Args:
        root: The store's directory.
        directory: Made where it is missing; files in it are replaced.
        study: Its name; all studies where it is left out.

    Returns:
        The paths of the trials and of the metrics.

    Raises:
        NotFoundError: The store holds no such study.
        StoreUnwritableError: The files cannot be written.
    """
    with open_history(root) as history:  # brings the snapshot up to date, and knows the names
        view = None if study is None else history.sql_name_of(study)
    # Few Parquet readers know VARIANT yet; JSON is text to all of them.
    trials = "SELECT * REPLACE (params::JSON AS params) FROM trials"
    if study is not None:
        trials = f"FROM {identifier(view)}" if view else f"{trials} WHERE study = {quoted(study)}"
    metrics = "FROM metrics" if study is None else f"FROM metrics WHERE study = {quoted(study)}"
    paths = directory / "trials.parquet", directory / "metrics.parquet"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with connect_snapshot(StoreLayout(Path(root).absolute())) as connection:
            for query, path in zip(
                (f"{trials} ORDER BY number", f"{metrics} ORDER BY trial, name, step"), paths, strict=True
            ):
                draft = path.with_suffix(".tmp")
                connection.execute(f"COPY ({query}) TO {quoted(str(draft))} (FORMAT parquet, COMPRESSION zstd)")
                draft.replace(path)
    except (OSError, duckdb.IOException) as error:
        raise StoreUnwritableError(
            f"The directory {directory} must take the exported files, but the system said: "
            f"{str(error).splitlines()[0]!r}. Name another one."
        ) from error
    return paths
