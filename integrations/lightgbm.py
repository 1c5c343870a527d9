"""LightGBM: `train(...)` in place of `lightgbm.train(...)` makes boosting rounds the epochs of a trial."""

from typing import Any

import lightgbm
from lightgbm.callback import EarlyStopException

from pegbox.integrations.trial_link import TrialLink


class PegboxCallback:
    """Reports `<set>_<metric>` of each round, and keeps the trees and ends at the trial's budget."""

    order = 40
    """After LightGBM's own callbacks, early stopping (30) among them, so that none of them misses the last round."""

    def __init__(self) -> None:
        self.link = TrialLink("lightgbm.txt")

    def __call__(self, env: Any) -> None:
        """After each round; LightGBM's way to end a training is an exception that it catches."""
        step, results = env.iteration + 1, env.evaluation_result_list or []
        self.link.report(step, {f"{part}_{name}": value for part, name, value, *_ in results})
        if self.link.is_over(step):
            raise EarlyStopException(env.iteration, results)


def train(params: dict[str, Any], train_set: Any, num_boost_round: int = 100, **options: Any) -> Any:
    """`lightgbm.train`, from where the trial's last stretch ended; outside of a trial nothing else.

    With row or column sampling a stretch that goes on draws anew, so that it equals one in a piece in kind only.

    Args:
        params: As `lightgbm.train` takes them, and so are all further arguments.
        train_set: Made in the trial; one that was made before needs `free_raw_data=False` to be gone on with.
        num_boost_round: Of the study's `epochs`.
        options: Further arguments, such as `valid_sets`.
    """
    callback = PegboxCallback()
    if callback.link.trial is None:
        return lightgbm.train(params, train_set, num_boost_round, **options)
    rounds = num_boost_round
    if callback.link.kept is not None:
        before = lightgbm.Booster(model_file=str(callback.link.kept))
        options["init_model"], rounds = before, max(1, num_boost_round - before.current_iteration())
    options["callbacks"] = [*(options.get("callbacks") or ()), callback]
    booster = lightgbm.train(params, train_set, rounds, **options)
    # All trees, not those up to the best round: the segment that goes on would else repeat the rest.
    booster.save_model(str(callback.link.place), num_iteration=-1)
    return booster
