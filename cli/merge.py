"""`pegbox merge`: the history of another store comes into this one."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import out, print_json, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.storage.layout import StoreLayout
from pegbox.storage.merging import merge_store
from pegbox.storage.store import open_store


def merge(
    other: Annotated[Path, Parameter(help="Directory of the store that is read.")],
    *,
    label: Annotated[
        str | None,
        Parameter(
            name="--as",
            show_default=False,
            help="What follows names of its studies that are taken here; by default the name of its folder.",
        ),
    ] = None,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Bring in everything that another store holds and this one does not; the other is only read."""
    done = merge_store(open_store(store), StoreLayout(other.absolute()), label)
    if json:
        print_json(done._asdict())
        return
    console = out()
    models = f" and {done.n_models} model{'s' * (done.n_models != 1)}" if done.n_models else ""
    n_studies = len(done.studies)
    console.print(
        f"{done.n_events} events{models} are new, of {n_studies} stud{'y' if n_studies == 1 else 'ies'} of "
        f"{safe(done.label)}",
        soft_wrap=True,
    )
    for there, here in sorted(done.studies.items()):
        if there != here:
            console.print(safe(f"{there} is {here} here"), style="quiet", soft_wrap=True)
