"""What an epoch means for a scikit-learn estimator: one more pass, some more trees, or the whole fit at once."""

from typing import Any, Literal

import numpy as np

from pegbox.training.estimator_data import EstimatorPart

Growth = Literal["passes", "members", "whole"]


class EstimatorGrowth:
    """Grows an estimator epoch by epoch, as far as it can be grown.

    With `partial_fit` an epoch is one pass over the shuffled rows. With `warm_start` and a number of members
    (`n_estimators`, or `max_iter` of a boosting) the members of the full budget are added in equal parts. Any other
    estimator is fitted once, in its first epoch, and does not change after it.
    """

    def __init__(self, estimator: Any, n_epochs: int, seed: int) -> None:
        self._n_epochs, self._seed = n_epochs, seed
        parameters = estimator.get_params(deep=False)
        self.size_name = size_parameter(parameters)
        self.kind: Growth = "whole"
        if self.size_name and n_epochs > 1:
            self.kind, self._full_size = "members", int(parameters[self.size_name])
        elif not self.size_name and hasattr(estimator, "partial_fit"):
            self.kind = "passes"

    def grow(self, estimator: Any, epoch: int, part: EstimatorPart, classes: np.ndarray | None) -> None:
        """Train the estimator from the epoch before to this one, counted from 1."""
        if self.kind == "passes":
            order = np.random.default_rng([self._seed, epoch]).permutation(len(part.target))
            options = {"classes": classes} if classes is not None and epoch == 1 else {}
            estimator.partial_fit(part.inputs[order], part.target[order], **options)
        elif self.size_name and self.kind == "members":
            size = max(1, round(self._full_size * epoch / self._n_epochs))
            estimator.set_params(**{self.size_name: size, "warm_start": True})
            estimator.fit(part.inputs, part.target)
        elif epoch == 1:
            estimator.fit(part.inputs, part.target)


def size_parameter(parameters: dict[str, Any]) -> str | None:
    """The parameter that says how many members an ensemble has; None where it cannot be fitted bit by bit."""
    if "warm_start" not in parameters:
        return None
    if "n_estimators" in parameters:
        return "n_estimators"
    return "max_iter" if {"max_iter", "learning_rate", "max_leaf_nodes"} <= parameters.keys() else None
