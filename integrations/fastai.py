"""fastai: `learn.fit(4, cbs=PegboxCallback())` reports each epoch, stops at the rung, keeps the learner and goes on."""

import warnings

from fastai.callback.core import Callback, CancelFitException
from fastai.learner import SkipToEpoch, load_model, save_model
from fastai.torch_core import rank_distrib

from pegbox.integrations.trial_link import TrialLink
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure, FailureKind


class PegboxCallback(Callback):
    """Ties one fit of a learner to the trial that it runs in, under any of fastai's schedules."""

    order = 55
    """After fastai's recorder (50), which measures; before what may end the fit by it (60), so that all is reported."""

    def __init__(self) -> None:
        super().__init__()
        self.link = TrialLink("fastai.pth")
        self._n_fits = 0

    def before_fit(self) -> None:
        """Take up weights and optimizer of the segment before.

        Raises:
            TrialError: It is given to a second fit of the trial, as `fine_tune` does, whose epochs would count twice.
        """
        # Neither the search for a rate nor a prediction, which fastai runs as a fit, is the training of the trial.
        trial = self.link.trial
        self.run = not hasattr(self, "lr_finder") and not hasattr(self, "gather_preds")
        if trial is None or not self.run:
            return
        self._n_fits += 1
        if self._n_fits > 1:
            message = "A PegboxCallback belongs to one fit of a trial, got a second one. Give it to that fit: cbs=…"
            raise TrialError(Failure(kind=FailureKind.INVALID, message=message))
        if (kept := self.link.kept_with_rates) is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # fastai would go on without the optimizer's state
                load_model(kept, self.model, self.opt, device=self.dls.device)
            self.learn.add_cb(SkipToEpoch(trial.from_budget))

    def before_epoch(self) -> None:
        """End where the stretch ends."""
        if self.link.is_over(self.epoch):
            raise CancelFitException

    def after_epoch(self) -> None:
        """Report what the recorder has of the epoch, on the first of several processes; `valid_loss` as `val_loss`."""
        trial = self.link.trial
        if trial is not None and self.epoch >= trial.from_budget and not rank_distrib():
            names = (name.replace("valid_", "val_") for name in self.recorder.metric_names[1:])
            self.link.report(self.epoch + 1, dict(zip(names, self.recorder.final_record, strict=False)))  # but the time

    def after_fit(self) -> None:
        """Keep what the segment that goes on needs; of several processes the first one does."""
        if self.link.place is not None:
            save_model(self.link.place, self.model, self.opt)
            self.learn.remove_cb(SkipToEpoch)
