"""What is tuned: called once for each trial, with the parameters of the study file by name."""

import random
from typing import Any


def run(lr: float, momentum: float, nesterov: bool, trial: Any) -> float:
    """Replace this with your training; it minimises a noisy valley by gradient descent, as a stand-in.

    `trial` is optional. It holds what training may want to know (`trial.budget`, `trial.seed`, `trial.device`) and
    takes what is measured on the way: `trial.report(step, loss=...)`.

    Returns:
        The objective, or a mapping of metrics such as {"loss": 0.1, "accuracy": 0.9}.
    """
    noise = random.Random(trial.seed)  # noqa: S311  a stand-in, no cipher
    x, y, velocity_x, velocity_y = -1.0, 1.5, 0.0, 0.0
    loss = float("inf")
    for step in range(1, trial.budget + 1):
        ahead = momentum if nesterov else 0.0
        slope_x = 2.0 * (x + ahead * velocity_x) + noise.gauss(0.0, 0.1)
        slope_y = 0.2 * (y + ahead * velocity_y) + noise.gauss(0.0, 0.1)
        velocity_x = momentum * velocity_x - lr * slope_x
        velocity_y = momentum * velocity_y - lr * slope_y
        x, y = x + velocity_x, y + velocity_y
        loss = x * x + 0.1 * y * y
        trial.report(step, loss=loss)
    return loss
