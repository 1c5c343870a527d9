"""Lightning: `fit(trainer, model)` in place of `trainer.fit(model)` reports, stops at the rung, keeps and goes on."""

import sys
from typing import Any

from pegbox.integrations.trial_link import TrialLink

if "pytorch_lightning" in sys.modules and "lightning" not in sys.modules:  # the older name of the same library
    from pytorch_lightning import Callback
else:
    from lightning.pytorch import Callback


class PegboxCallback(Callback):
    """Reports each epoch's metrics to the trial that it runs in, and ends where the trial's stretch ends."""

    def __init__(self) -> None:
        self.link = TrialLink("lightning.ckpt")

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Report what was validated; of several validations in an epoch the last one counts."""
        if not trainer.sanity_checking and trainer.is_global_zero:
            self.link.report(trainer.current_epoch + 1, trainer.callback_metrics)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Report what was logged in training, and stop once the budget is reached."""
        step = trainer.current_epoch + 1
        # Not what an earlier epoch validated: it is kept under its name until the next validation.
        fresh = {name: value for name, value in trainer.callback_metrics.items() if not name.startswith("val")}
        if trainer.is_global_zero:
            self.link.report(step, fresh)
        if self.link.is_over(step):
            trainer.should_stop = True

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Keep weights, optimizer, schedules and the place in the loop; all ranks take part."""
        if self.link.place is not None:
            trainer.save_checkpoint(self.link.place)


def fit(trainer: Any, model: Any, *arguments: Any, **options: Any) -> None:
    """`trainer.fit`, from where the trial's last stretch ended; outside of a trial nothing else.

    Args:
        trainer: With `max_epochs` of the study's `epochs`; its callbacks get one more.
        model: As `fit` takes it, and so are all further arguments.
    """
    callback = next((one for one in trainer.callbacks if isinstance(one, PegboxCallback)), None)
    if callback is None:
        callback = PegboxCallback()
        trainer.callbacks.append(callback)
    if (kept := callback.link.kept_with_rates) is not None:
        # Our own file, written by this library: it holds the user's hyperparameters, which need not be plain types.
        options |= {"ckpt_path": str(kept), "weights_only": False}
    trainer.fit(model, *arguments, **options)
