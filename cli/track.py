"""`pegbox track`: shows a study in another tool's tracker, from its history."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err, out, safe
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity

StudyArgument = Annotated[str, Parameter(help="Name of the study.")]
Tool = Annotated[str, Parameter(help="mlflow, tensorboard or wandb.")]
Place = Annotated[
    str | None,
    Parameter(
        name="--to", help="An MLflow tracking URI, or a folder for TensorBoard or W&B; in the store where left out."
    ),
]


def track(
    study: StudyArgument,
    tracker: Tool,
    *,
    to: Place = None,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Show a study in MLflow, TensorBoard or W&B: trials, parameters, curves, final metrics, failures, the answer."""
    from pegbox.integrations.trackers import open_tracker
    from pegbox.report.tracking import back_fill, require_study
    from pegbox.storage.layout import StoreLayout

    layout = StoreLayout(store.absolute())
    require_study(layout, study)  # before a tracker makes an experiment for it
    n_trials = back_fill(layout, study, open_tracker(tracker, study, layout.root, to))
    out().print(f"{safe(study)}: {n_trials} trial{'' if n_trials == 1 else 's'} in {safe(tracker)}")
    err().print("The same command again adds what is new.", style="quiet")
