"""`pegbox restore`: takes back a study that was forgotten."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, out, print_json, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity


def restore(
    study: Annotated[str | None, Parameter(help="Name of the study; without it, a list.")] = None,
    *,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Take back the study of that name that was forgotten last; without a name, list those that are forgotten."""
    from pegbox.storage.amending import forgotten_studies, restore_study
    from pegbox.storage.layout import StoreLayout

    layout = StoreLayout(store.absolute())
    if study is not None:
        restore_study(layout, study)
        err().print(f"{safe(study)} is back")
        return
    found = forgotten_studies(layout)
    if json:
        print_json([{"study": one.study, "forgotten_at": one.at.isoformat()} for one in found])
        return
    for one in found:
        out().print(f"{safe(one.study)}  forgotten {one.at:%Y-%m-%d %H:%M}")
    if not found:
        err().print("no study is forgotten")
