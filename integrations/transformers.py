"""Hugging Face: `train(trainer)` in place of `trainer.train()` evaluates and reports each epoch, keeps and goes on."""

from collections.abc import Callable, Mapping
from typing import Any

from transformers import TrainerCallback

from pegbox.integrations.trial_link import TrialLink

ComputeObjective = Callable[[Mapping[str, float]], float]


class PegboxCallback(TrainerCallback):
    """Reports each evaluation to the trial that it runs in, and ends where the trial's stretch ends.

    Args:
        compute_objective: As `Trainer.hyperparameter_search` takes it: from the metrics of an evaluation to one number,
            which is reported as `objective` beside them.
    """

    def __init__(self, compute_objective: ComputeObjective | None = None) -> None:
        self.link = TrialLink("transformers")
        self._compute_objective = compute_objective

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **more: Any) -> None:
        """Report what was evaluated, at the epoch that it ends."""
        if state.is_world_process_zero and state.epoch:
            told = dict(metrics or {})
            if self._compute_objective is not None:
                told["objective"] = self._compute_objective(dict(told))
            self.link.report(max(1, round(state.epoch)), told)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Evaluate each epoch; save and stop at the end of the stretch."""
        if self.link.trial is None:
            return
        control.should_evaluate = True
        if self.link.is_over(round(state.epoch)):
            control.should_save = control.should_training_stop = True


def train(trainer: Any, *, compute_objective: ComputeObjective | None = None, **options: Any) -> Any:
    """`trainer.train`, from where the trial's last stretch ended; outside of a trial nothing else.

    Args:
        trainer: With `num_train_epochs` of the study's `epochs`; its checkpoints go where the trial keeps its own.
        compute_objective: See `PegboxCallback`.
        options: As `train` takes them.
    """
    link = TrialLink("transformers")
    if link.place is not None:
        if not any(isinstance(one, PegboxCallback) for one in trainer.callback_handler.callbacks):
            trainer.add_callback(PegboxCallback(compute_objective))
        trainer.args.output_dir = str(link.place)
        kept = link.kept_with_rates
        found = sorted(kept.glob("checkpoint-*"), key=_step) if kept else []
        if found:
            options["resume_from_checkpoint"] = str(found[-1])
    return trainer.train(**options)


def _step(checkpoint: Any) -> int:
    return int(checkpoint.name.rpartition("-")[2])
