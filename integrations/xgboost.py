"""XGBoost: `callbacks=[PegboxCallback()]` makes boosting rounds the epochs of a trial, which goes on from its trees."""

from typing import Any

from xgboost.callback import TrainingCallback

from pegbox.integrations.trial_link import TrialLink


class PegboxCallback(TrainingCallback):
    """Reports `<set>_<metric>` of each round, ends at the trial's budget, and keeps the trees.

    With row or column sampling a stretch that goes on draws anew, so that it equals one in a piece in kind only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.link = TrialLink("xgboost.ubj")

    def before_training(self, model: Any) -> Any:
        """Take up the trees of the segment before."""
        if self.link.kept is not None:
            model.load_model(self.link.kept)
        return model

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """No round beyond the budget, not even the first."""
        return self.link.is_over(model.num_boosted_rounds())

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Report the round; True ends the training."""
        step = model.num_boosted_rounds()
        measured = {f"{part}_{name}": values[-1] for part, each in evals_log.items() for name, values in each.items()}
        self.link.report(step, measured)
        return self.link.is_over(step)

    def after_training(self, model: Any) -> Any:
        """Keep the trees for the segment that goes on."""
        if self.link.place is not None:
            model.save_model(self.link.place)
        return model
