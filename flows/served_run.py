"""Runs a study with the store's own Prefect server beside it: what the command line and `pegbox.Study` both do."""

import atexit
import os
import time
from collections.abc import Callable
from contextlib import ExitStack

from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout

SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_COLORS": "false",
}
"""Unless the user has set them; Prefect reads them when it is imported."""

_KEPT = ExitStack()
"""What this process holds until it ends."""
atexit.register(_KEPT.close)


def run_served(
    spec: StudySpec,
    layout: StoreLayout,
    waiting_for: Callable[[str], object] = lambda what: None,
    *,
    keeps_server: bool = False,
    began: float | None = None,
) -> tuple[Selection, list[str]]:
    """Start what the flow needs, all of it at once, then run it.

    Args:
        spec: Found valid.
        layout: The store.
        waiting_for: Told what the start waits for.
        keeps_server: Hold the server until this process ends, for a process that runs further studies: Prefect's
            settings name it for good once they were read.
        began: When the command began, by the monotonic clock; now where it is left out.

    Returns:
        The winner, and what there is to say of the run.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    began = time.monotonic() if began is None else began
    # Imported after the settings, which Prefect reads once, when it is imported.
    from pegbox.execution.crew import start_early
    from pegbox.flows.prefect_server.server_loss import server_loss_told
    from pegbox.flows.prefect_server.shared_server import prefect_server, wait_until_healthy
    from pegbox.flows.run_facts import note_start

    waiting_for("loading Prefect and the training libraries")
    # Workers before the server: they load torch while it comes up. To the first task it took 7 seconds on an idle
    # machine, and 14 with an empty home (Prefect 3.8.8).
    start_early(spec)
    with ExitStack() as leaving:
        server = prefect_server(layout.root / "prefect", layout.logs / "prefect-server.log")
        url = (_KEPT if keeps_server else leaving).enter_context(server)
        from pegbox.flows.tune import tune

        if url:
            waiting_for("Prefect's server, which takes a while the first time")
            wait_until_healthy(url)
        waiting_for("preparing the data and starting the workers")
        note_start(began)
        with server_loss_told(layout, spec.name) as told:
            selection = tune(spec, layout.root)
    return selection, [*told.notices, *_unpublished(layout)]


def _unpublished(layout: StoreLayout) -> list[str]:
    """What to say where a shared store does not have all of a run that ended."""
    from pegbox.storage.sharing.synchronising import unpublished

    n_bytes = unpublished(layout)
    return (
        [
            f"The shared store did not answer at the end, so {n_bytes} bytes of the history are on this machine alone, "
            f"in {layout.root}. The next command with this store publishes them; do it before another machine goes on."
        ]
        if n_bytes
        else []
    )
