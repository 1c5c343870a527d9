"""MLflow's model registry: a version for each model that is promoted, which predicts without the study."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types.schema import AnyType, ColSpec, DataType, ParamSchema, ParamSpec, Schema

from pegbox.integrations.mlflow_tracker import MlflowTracker
from pegbox.schemas.errors import ModelError
from pegbox.schemas.model import ModelManifest

CURRENT = "current"
"""MLflow's alias of the version that is promoted."""
CONTENT = "pegbox.content"
"""Tag by which the version of a file is found again."""

# What MLflow itself refuses in the name of a registered model.
_REFUSED = "/:."


class Registered(NamedTuple):
    """A version in the registry."""

    name: str
    version: str

    @property
    def uri(self) -> str:
        """By which `mlflow.pyfunc.load_model` finds whichever is promoted."""
        return f"models:/{self.name}@{CURRENT}"


def register_model(file: Path, manifest: ModelManifest, study: str, store: Path, place: str | None) -> Registered:
    """Register a model's file under the name of its study, unless it is there already, and make it the current one.

    Args:
        study: Under whose name it is used.
        store: Holds the registry where neither `place` nor MLflow's own setting names another.
        place: MLflow's tracking URI.

    Raises:
        ModelError: MLflow refuses it, or does not answer.
    """
    name = "".join("-" if letter in _REFUSED else letter for letter in study)
    try:
        tracker = MlflowTracker(study, store, place)
        version = _version_of(tracker, name, manifest) or _new_version(tracker, name, file, manifest)
        tracker.client.set_registered_model_alias(name, CURRENT, version)
    except MlflowException as error:
        said = " ".join(str(error).split())[:300]
        raise ModelError(
            f"MLflow did not register the model of {study!r}: {said} Correct that, and run it again."
        ) from error
    return Registered(name, version)


def _version_of(tracker: MlflowTracker, name: str, manifest: ModelManifest) -> str | None:
    """That of the same model, registered before."""
    found = tracker.client.search_model_versions(f"name = '{name}'")
    same = (one for one in found if one.tags.get(CONTENT) == _content(manifest))
    return next((str(one.version) for one in same), None)


def _new_version(tracker: MlflowTracker, name: str, file: Path, manifest: ModelManifest) -> str:
    mlflow.set_tracking_uri(tracker.place)
    with mlflow.start_run(run_id=tracker.parent_run):
        logged = mlflow.pyfunc.log_model(
            name="model",
            # A module and a file, no pickle: loading runs no code of the file.
            loader_module="pegbox.integrations.mlflow_loader",
            data_path=str(file.resolve()),
            registered_model_name=name,
            signature=_signature(manifest),
            pip_requirements=["pegbox", *_requirements(manifest.lineage.versions)],
        )
    version = str(logged.registered_model_version)
    card = manifest.card
    tracker.client.update_model_version(name, version, f"{card.title}; {card.metric} {card.expected:.4g} expected")
    tags = {CONTENT: _content(manifest), "pegbox.study": manifest.lineage.study, "pegbox.trial": manifest.lineage.trial}
    for key, value in tags.items():
        tracker.client.set_model_version_tag(name, version, key, str(value))
    return version


def _content(manifest: ModelManifest) -> str:
    """Equal for equal models."""
    return " ".join([manifest.recipe, *manifest.members.values()])


def _signature(manifest: ModelManifest) -> ModelSignature:
    """The columns by name, of any type: what does not fit is told by the model, in its own words; none for arrays."""
    how = manifest.preprocessing
    params = ParamSchema([ParamSpec("probabilities", DataType.boolean, default=False)])
    if how is None or how.example is not None:
        return ModelSignature(params=params)
    columns = [ColSpec(AnyType(), name, required=False) for name in how.columns]
    return ModelSignature(inputs=Schema(columns), params=params)


def _requirements(versions: Mapping[str, str]) -> list[str]:
    """What trained it, as exact as MLflow's own flavours have it."""
    return [f"{name}=={versions[name].partition('+')[0]}" for name in ("scikit-learn", "torch") if name in versions]
