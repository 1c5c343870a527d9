"""The past of a study as the snapshot holds it: its history, replayed, and the versions that its name has had."""

from pegbox.schemas.history import History
from pegbox.storage.history_replay import replay
from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot


def recorded_history(store: StoreLayout, study: str) -> History | None:
    """The history that a study's events in the snapshot add up to; None where the store does not hold it.

    Raises:
        StoreCorruptError: The events are not whole.
    """
    with connect_snapshot(store) as connection:
        rows = connection.execute(
            "SELECT version, body FROM events WHERE study = ? AND version IS NOT NULL ORDER BY version", [study]
        ).fetchall()
    return replay(study, rows)


def last_version(store: StoreLayout, study: str) -> int:
    """The last version that a study of this name had which has another name now; 0 where there was none.

    What begins under the name counts on from it, so that a line of a journal tells by its version whose it is.
    """
    with connect_snapshot(store) as connection:
        row = connection.execute("SELECT coalesce(max(version), 0) FROM renames WHERE study = ?", [study]).fetchone()
    return int(row[0]) if row else 0
