"""The metrics that pegbox measures of a model on a table, by task; how each is computed stands in `metrics`."""

from typing import Literal

METRICS: dict[str, tuple[str, ...]] = {
    "classification": ("val_loss", "val_accuracy", "val_balanced_accuracy", "val_f1", "val_roc_auc", "val_pr_auc"),
    "regression": ("val_loss", "val_rmse", "val_mae", "val_r2"),
}
"""What is measured of a model that pegbox builds, beside `parameters`, the number of its weights."""

TWO_CLASSES = ("val_roc_auc", "val_pr_auc")
"""Of these, what is measured only where there are two classes; the positive one is the last by name, or the larger."""


def measured_for(task: Literal["classification", "regression"] | None) -> tuple[str, ...]:
    """What is measured for a task; what may be, where the task is taken from the data."""
    return METRICS[task] if task else METRICS["classification"] + METRICS["regression"]
