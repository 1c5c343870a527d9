"""`pegbox rename`: gives a study another name."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity


def rename(
    study: Annotated[str, Parameter(help="Name of the study.")],
    name: Annotated[str, Parameter(help="The new name.")],
    *,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Give a study another name; all that was recorded goes along, and the old name is free."""
    from pegbox.storage.amending import rename_study
    from pegbox.storage.layout import StoreLayout

    rename_study(StoreLayout(store.absolute()), study, name)
    err().print(f"{safe(study)} is now {safe(name)}")
