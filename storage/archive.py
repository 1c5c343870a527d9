"""Archives (zstd) journals whose writers are gone and whose lines are all in the master; they stay the truth."""

from pathlib import Path

import duckdb

from pegbox.storage.journal_files import JournalFile, list_journals
from pegbox.storage.layout import StoreLayout
from pegbox.storage.locks import exclusive
from pegbox.storage.master import open_master
from pegbox.storage.scanning import writer_is_gone
from pegbox.storage.sharing.synchronising import unpublished


def archive_journals(store: StoreLayout) -> list[str]:
    """Archive what can be archived; does nothing while another process ingests.

    Returns:
        Names of the journals that were archived now.

    Raises:
        OSError: A journal cannot be read, or the archive cannot be written.
    """
    # Under the ingest lock: an ingest that listed the plain file must not find it gone in the midst of reading.
    with exclusive(store.ingest / "ingest.lock", wait=False) as held:
        if not held or not store.master.exists():
            return []
        if unpublished(store):
            return []  # of a shared store: what is archived is published
        closed = [file for file in list_journals(store) if not file.is_archived and writer_is_gone(file.path)]
        if not closed:
            return []
        connection = open_master(store)
        try:
            ready = [file for file in closed if _is_ingested(connection, file)]
        finally:
            connection.close()
        for file in ready:
            _compress(file.path, store.archive / f"{file.name}.jsonl.zst")
        return [file.name for file in ready]


def _is_ingested(connection: duckdb.DuckDBPyConnection, file: JournalFile) -> bool:
    """True if every byte was read; a torn end, of a writer that was killed, was never acknowledged."""
    row = connection.execute("SELECT byte_offset FROM journals WHERE name = ?", [file.name]).fetchone()
    return row is not None and row[0] == file.path.stat().st_size


def _compress(source: Path, target: Path) -> None:
    """The archived file is durable before the plain one goes."""
    import os

    import zstandard

    draft = target.with_suffix(".tmp")
    with source.open("rb") as reader, draft.open("wb") as writer:
        # Picked by hand: an archive is written once, when nobody waits for it any more, and seldom read; higher levels
        # cost far more time for a few bytes.
        zstandard.ZstdCompressor(level=9).copy_stream(reader, writer)
        writer.flush()
        os.fsync(writer.fileno())
    draft.replace(target)
    source.unlink()
