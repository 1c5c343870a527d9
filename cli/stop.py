"""`pegbox stop`: stops a study that runs in another terminal."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity


def stop(
    study: Annotated[str, Parameter(help="Name of the study.")],
    *,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Stop a study that runs in another terminal of this machine, as Ctrl-C would there.

    Once lets running trials finish, twice stops at once; `pegbox resume` goes on later.
    """
    from pegbox.flows.stopping import stop_study

    driver = stop_study(store, study)
    err().print(
        f"{safe(study)}: asked process {driver.pid} to stop; running trials are finishing. "
        f"The same command again stops at once, `pegbox resume {safe(study)}` goes on later."
    )
