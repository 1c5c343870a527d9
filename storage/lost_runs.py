"""How runs ended, and zombie runs that never said so: their process died without a word; nothing is recorded here."""

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


class EndedRun(NamedTuple):
    """A run and how it stands; `status` is `running` where it has not said how it ended."""

    run: str
    host: str
    pid: int
    flow_run_id: str | None
    status: str
    message: str | None


# Picked by hand: ends are told at each start, so that more than the last few are untold only where several runs in a
# row found no server; the driver waits for each answer.
MOST_UNTOLD = 3
"""So many runs back, ends are looked for that Prefect does not know: each costs a question."""
_ENDED = "SELECT run, host, pid, flow_run_id, status, message FROM runs WHERE study = $study"


def last_run(store: StoreLayout, study: str) -> EndedRun | None:
    """The run of a study that began last; None before there is one.

    Raises:
        NotFoundError: There is no history.
    """
    with connect_snapshot(store) as connection:
        row = connection.execute(f"{_ENDED} ORDER BY started_at DESC LIMIT 1", {"study": study}).fetchone()
    return EndedRun(*row) if row else None


def untold_runs(store: StoreLayout, study: str, current: str) -> tuple[EndedRun, ...]:
    """The last runs of a study that Prefect knew and that ended, newest first; not the current one."""
    with connect_snapshot(store) as connection:
        rows = connection.execute(
            f"{_ENDED} AND run <> $current AND flow_run_id IS NOT NULL AND status IN ('completed', 'interrupted', "
            "'failed') ORDER BY started_at DESC LIMIT $most",
            {"study": study, "current": current, "most": MOST_UNTOLD},
        ).fetchall()
    return tuple(EndedRun(*row) for row in rows)
