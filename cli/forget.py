"""`pegbox forget`: shows a study nowhere any more, and makes its name free."""

import shlex
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity


def forget(
    study: Annotated[str, Parameter(help="Name of the study.")],
    *,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Show a study nowhere any more, and make its name free; `pegbox restore` takes it back until `pegbox store gc`."""
    from pegbox.storage.amending import forget_study
    from pegbox.storage.layout import StoreLayout

    forget_study(StoreLayout(store.absolute()), study)
    name = safe(shlex.quote(study))
    err().print(f"{safe(study)} is forgotten; `pegbox restore {name}` takes it back, until `pegbox store gc`")
