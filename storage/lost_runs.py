"""Runs that began and never said how they ended: their process died without a word; nothing is recorded here."""

from typing import NamedTuple

from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot


class LostRun(NamedTuple):
    """A run without an end."""

    run: str
    host: str
    pid: int
    flow_run_id: str | None


def lost_runs(store: StoreLayout, study: str, current: str) -> tuple[LostRun, ...]:
    """The runs of a study that have no end, oldest first.

    Only the study's driver may call them lost: while it holds the study, no other run of it is alive.

    Args:
        store: The store.
        study: Its name.
        current: The driver's own run.
    """
    with connect_snapshot(store) as connection:
        rows = connection.execute(
            "SELECT run, host, pid, flow_run_id FROM runs WHERE study = ? AND run <> ? AND status = 'running' "
            "ORDER BY started_at",
            [study, current],
        ).fetchall()
    return tuple(LostRun(*row) for row in rows)
