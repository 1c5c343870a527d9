"""`pegbox promote`: makes one model of a study the one that is used under its name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity
from pegbox.storage.layout import StoreLayout


@Parameter(name="*")
@dataclass(frozen=True)
class Registry:
    """Whether the model is registered elsewhere too.

    Attributes:
        register: In MLflow's registry.
        to: MLflow's tracking URI.
    """

    register: Annotated[
        bool, Parameter(negative="", show_default=False, help="Register it in MLflow too, as a version that predicts.")
    ] = False
    to: Annotated[
        str | None,
        Parameter(
            name="--to",
            help="MLflow's tracking URI; MLFLOW_TRACKING_URI, or mlflow.db in the store, where it is left out.",
        ),
    ] = None


NOWHERE = Registry()


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
    registry: Registry = NOWHERE,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Make a model the one that STUDY@current names.

    Raises:
        ModelError: There is no such model, or none to go back to; or it was promoted, and MLflow did not register it.
    """
    from pegbox.schemas.errors import ModelError
    from pegbox.storage.model_log import Promotion, former_of, newest_run, promote_model

    layout = StoreLayout(store.absolute())
    _check_registry(registry)
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
    if registry.register:
        _register(layout, study, registry.to)


def _check_registry(registry: Registry) -> None:
    """Refuse, before anything is promoted, what cannot be done then."""
    from pegbox.integrations.trackers import missing_tracker
    from pegbox.schemas.errors import ModelError

    if registry.to is not None and not registry.register:
        raise ModelError("--to says where a model is registered. Add --register.")
    if registry.register and (lacking := missing_tracker("mlflow")):
        raise ModelError(lacking)


def _register(layout: StoreLayout, study: str, place: str | None) -> None:
    from pegbox.integrations.mlflow_models import register_model
    from pegbox.models.artefact import open_artefact
    from pegbox.schemas.errors import ModelError
    from pegbox.storage.model_files import CURRENT, model_path

    file: Path = model_path(layout, study, CURRENT)
    with open_artefact(file) as artefact:
        manifest = artefact.manifest
    if manifest.form == "files":
        raise ModelError(
            f"The model of {study!r} was promoted and not registered: it is files of your own code, which MLflow "
            "cannot ask. Register it with MLflow's own functions."
        )
    found = register_model(file, manifest, study, layout.root, place)
    err().print(f"version {safe(found.version)} in MLflow: mlflow.pyfunc.load_model({safe(found.uri)!r})")
