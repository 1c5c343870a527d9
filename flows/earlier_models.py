"""Judges data, and not the luck of a training: what the incumbent's earlier models lose on rows as they are now."""

from pathlib import Path
from typing import NamedTuple

from pegbox.analysis.paired_comparison import Paired, TrialLosses, compare_fixed_models
from pegbox.execution.crew import worker_settings
from pegbox.execution.earlier_models import losses_on_new_rows
from pegbox.execution.kept_losses import trial_losses
from pegbox.execution.local_crew import LocalCrew
from pegbox.execution.segment_plan import SegmentPlan
from pegbox.flows.retune_decision import Measured
from pegbox.schemas.errors import TrialError
from pegbox.storage.layout import StoreLayout
from pegbox.training.row_losses import rows_as_losses


class EarlierModels(NamedTuple):
    """The models that a trial had, on rows as they are now."""

    losses: TrialLosses
    compared: Paired
    """With what they lost on their own rows."""


def earlier_models_on(store: StoreLayout, before: Measured, now: str | None) -> EarlierModels | None:
    """What the models of a trial lose on today's rows, and that compared with what they lost on their own.

    Args:
        store: Where models and prepared data lie.
        before: The trial as it was judged first.
        now: Fingerprint of the data as it is now.

    Returns:
        None where it cannot be said: functions and programs, several folds, models that are gone, other columns.
    """
    history, number = before
    trial, objective, earlier = history.trials[number], history.objectives[0], history.data_fingerprint
    kept = {one.replicate: one.rows[0] for one in trial.replicates if one.replicate is not None and len(one.rows) == 1}
    models = {seed: model for seed, rows in kept.items() if (model := _model_beside(rows)) is not None}
    if not models or earlier is None or now is None or earlier == now:
        return None
    plan = SegmentPlan(history, None)
    segments = [plan.of_replicate(trial, seed)[0] for seed in models]
    run = history.spec.run.model_copy(update={"workers": 1})
    try:
        with LocalCrew(run, worker_settings(history.spec), store) as crew:
            found = crew.call(losses_on_new_rows, segments, list(models.values()), store, earlier, now)
    except TrialError:  # a checkpoint of another version, say: nothing is known of it then
        return None
    if found is None:
        return None
    rows = {seed: rows_as_losses([one], objective) for seed, one in zip(models, found, strict=True)}
    again = TrialLosses({seed: float(one.values.mean()) for seed, one in rows.items()}, rows)
    return EarlierModels(again, compare_fixed_models(trial_losses(trial, objective), again))


def _model_beside(rows: Path) -> Path | None:
    """The checkpoint whose losses these are: a file of the same name."""
    return next((path for suffix in (".pt", ".pkl") if (path := rows.with_suffix(suffix)).exists()), None)
