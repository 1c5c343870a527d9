"""scikit-learn with `warm_start`: `grow(estimator, X, y, measure)` makes boosting rounds the epochs of a trial."""

import pickle
from collections.abc import Callable, Mapping
from typing import Any

from pegbox.integrations.trial_link import TrialLink
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure, FailureKind

SIZES = ("n_estimators", "max_iter")
"""What the number of rounds is called, of forests and boostings."""


def grow(
    estimator: Any,
    X: Any,  # noqa: N803 - scikit-learn's names
    y: Any,
    measure: Callable[[Any], Mapping[str, float]],
    *,
    every: int = 1,
) -> Any:
    """Fit an ensemble round by round, and report what `measure(estimator)` gives.

    Outside of a trial it is fitted to the size that it was made with, at once.

    Args:
        estimator: With `warm_start` and `n_estimators` or `max_iter`.
        X: As `fit` takes it.
        y: As `fit` takes it.
        measure: Metrics by name, of the estimator so far.
        every: Rounds between two reports; the last one is always reported.

    Returns:
        The estimator that was fitted: the one of the segment before where there is one.

    Raises:
        TrialError: The estimator has no rounds, or `every` is below 1.
    """
    parameters = estimator.get_params(deep=False)
    size = next((name for name in SIZES if name in parameters), None)
    if "warm_start" not in parameters or size is None or every < 1:
        what = f"grow takes an estimator with warm_start and {' or '.join(SIZES)}, and every >= 1"
        message = f"{what}, got {type(estimator).__name__} and every={every}."
        raise TrialError(Failure(kind=FailureKind.INVALID, message=message))
    link = TrialLink("estimator.pkl")
    trial = link.trial
    if trial is None:
        return estimator.fit(X, y)
    done = 0
    if link.kept is not None:
        estimator, done = pickle.loads(link.kept.read_bytes()), trial.from_budget  # noqa: S301 - this trial's own file
        if trial.is_copy:  # its rounds are another trial's, what they go on with its own
            estimator.set_params(**parameters)
    while done < trial.budget:
        done = min(done + every, trial.budget)
        estimator.set_params(**{size: done, "warm_start": True}).fit(X, y)
        link.report(done, measure(estimator))
    if link.place is not None:
        link.place.write_bytes(pickle.dumps(estimator))
    return estimator
