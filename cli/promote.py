"""`pegbox promote`: makes one model of a study the one that is used under its name."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity


def promote(
    model: Annotated[str, Parameter(help="STUDY@RUN, or STUDY for its newest model.")],
    *,
    under: Annotated[
        str | None,
        Parameter(name="--as", help="The study under whose name it is to be found, where a schedule tuned another."),
    ] = None,
    back: Annotated[
        bool, Parameter(negative="", show_default=False, help="Promote again what was promoted before the current one.")
    ] = False,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Make a model the one that STUDY@current names.

    Raises:
        ModelError: There is no such model, or none to go back to.
    """
    from pegbox.schemas.errors import ModelError
    from pegbox.storage.layout import StoreLayout
    from pegbox.storage.model_log import Promotion, former_of, newest_run, promote_model

    layout = StoreLayout(store.absolute())
    if back:
        source, run = former_of(layout, model)
        study = model
    elif newest := newest_run(layout, model):  # first: a study's own name may hold the sign
        source, run, study = model, newest, under or model
    else:
        source, separator, run = model.rpartition("@")
        if not separator:
            raise ModelError(f"The study {model!r} has no model. `pegbox models` lists those that there are.")
        study = under or source
    promote_model(layout, Promotion(study=study, source=source, run=run))
    err().print(f"{safe(study)}@current is {safe(source)}@{safe(run)} now")
