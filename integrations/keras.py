"""Keras 3 on torch: `callbacks=[PegboxCallback()]` reports each epoch, stops at the rung, keeps the model, goes on."""

from typing import Any

from keras.callbacks import Callback

from pegbox.integrations.trial_link import TrialLink


class PegboxCallback(Callback):
    """Ties `model.fit` to the trial that it runs in."""

    def __init__(self) -> None:
        super().__init__()
        self.link = TrialLink("keras.weights.h5")

    def on_train_begin(self, logs: Any = None) -> None:
        """Take up weights and optimizer of the segment before, at its epoch."""
        trial = self.link.trial
        if trial is not None and self.link.kept_with_rates is not None:
            self.model.optimizer.build(self.model.trainable_variables)  # else its state has no place to be loaded into
            self.model.load_weights(str(self.link.kept))
            self.model._initial_epoch = trial.from_budget

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Report the epoch, and stop once the budget is reached."""
        self.link.report(epoch + 1, logs or {})
        if self.link.is_over(epoch + 1):
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Keep weights and optimizer for the segment that goes on."""
        if self.link.place is not None:
            self.model.save_weights(str(self.link.place), overwrite=True)
