"""The trackers by name: what each needs installed, where it keeps a study by default, how it is opened."""

from importlib.util import find_spec
from pathlib import Path

from pegbox.schemas.errors import StoreError, suggest
from pegbox.schemas.tracked import Tracker

TRACKERS = ("mlflow", "tensorboard", "wandb")


def missing_tracker(name: str) -> str | None:
    """What to install for a tracker; None where it is there."""
    if find_spec(name) is not None:
        return None
    return f"{name} is not installed. Run `pip install {name}`."


def open_tracker(name: str, study: str, store: Path, place: str | None = None) -> Tracker:
    """A tracker for one study.

    Args:
        name: Of the tool.
        study: Becomes the experiment, or the folder.
        store: Where it is kept unless `place`, or the tool's own setting, says otherwise.
        place: An MLflow tracking URI, or a folder for TensorBoard or, offline, W&B.

    Raises:
        StoreError: There is no such tracker, or it is not installed.
    """
    if name not in TRACKERS:
        raise StoreError(f"Unknown tracker {name!r}. {suggest(name, TRACKERS)}")
    if lacking := missing_tracker(name):
        raise StoreError(lacking)
    if name == "mlflow":
        from pegbox.integrations.mlflow_tracker import MlflowTracker

        return MlflowTracker(study, store, place)
    if name == "wandb":
        from pegbox.integrations.wandb_tracker import WandbTracker

        return WandbTracker(study, store, place)
    from pegbox.integrations.tensorboard_tracker import TensorboardTracker

    return TensorboardTracker(study, Path(place) if place else store / "tensorboard")
