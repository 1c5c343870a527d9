"""A small network in numpy, trained for real: what a configuration reaches differs from seed to seed."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn import datasets

from pegbox.schemas.base import Configuration

Array = npt.NDArray[np.float64]
SPACE: dict[str, Any] = {
    "lr": {"min": 1e-4, "max": 1.0, "log": True},
    "momentum": {"min": 0.0, "max": 0.99},
    "units": {"min": 8, "max": 128, "int": True, "log": True},
    "dropout": {"min": 0.0, "max": 0.7},
    "batch": {"min": 8, "max": 128, "int": True, "log": True},
    "decay": {"min": 1e-6, "max": 1e-1, "log": True},
    "activation": ["relu", "tanh"],
    "smoothing": {"min": 0.0, "max": 0.3},
}
DEVELOPMENT = ("digits", "generated")
KEPT = ("breast_cancer", "wine", "generated-kept", "generated-kept-2")
EPOCHS = 15
MOST_ROWS = 450
"""For training, and as many for validation: a training takes a tenth of a second, and its value is noisy."""


class Split(NamedTuple):
    """Rows to train on and to judge by."""

    features: Array
    labels: npt.NDArray[np.int64]
    judged: Array
    judged_labels: npt.NDArray[np.int64]


class Network(NamedTuple):
    """One hidden layer."""

    weights: list[Array]
    is_relu: bool

    def hidden(self, rows: Array) -> Array:
        before = rows @ self.weights[0] + self.weights[1]
        return np.maximum(before, 0) if self.is_relu else np.tanh(before)

    def log_probabilities(self, hidden: Array) -> Array:
        scores = hidden @ self.weights[2] + self.weights[3]
        scores = scores - scores.max(axis=1, keepdims=True)
        return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


@cache
def split(name: str) -> Split:
    """The rows of a data set, standardised."""
    if name.startswith("generated"):
        features, labels = datasets.make_classification(
            *(1400, 20), n_informative=6, n_redundant=4, n_classes=4, flip_y=0.08, class_sep=0.9, random_state=len(name)
        )
    else:
        features, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    order = np.random.default_rng(5).permutation(len(labels))
    features, labels = features[order], labels[order]
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-9)
    n = min(len(labels) // 2, MOST_ROWS)
    return Split(features[:n], labels[:n], features[n : 2 * n], labels[n : 2 * n])


def trained(name: str, configuration: Configuration, seed: int) -> float:
    """Cross entropy on the rows that were left out; NaN where the training diverged."""
    data, rng = split(name), np.random.default_rng(seed)
    number = {key: float(value) for key, value in configuration.items() if key != "activation"}  # type: ignore[arg-type]
    n_classes, units = int(data.labels.max()) + 1, int(number["units"])
    is_relu = configuration["activation"] == "relu"
    first = rng.normal(0, ((2 if is_relu else 1) / data.features.shape[1]) ** 0.5, (data.features.shape[1], units))
    second = rng.normal(0, units**-0.5, (units, n_classes))
    network = Network([first, np.zeros(units), second, np.zeros(n_classes)], is_relu)
    velocity = [np.zeros_like(one) for one in network.weights]
    targets = np.eye(n_classes)[data.labels] * (1 - number["smoothing"]) + number["smoothing"] / n_classes
    size = min(int(number["batch"]), len(data.labels))
    # Overflow is an answer here: the loss that comes of it is NaN, and the trial has diverged.
    with np.errstate(all="ignore"):
        for _ in range(EPOCHS):
            order = rng.permutation(len(data.labels))
            for begin in range(0, len(order) - size + 1, size):
                rows = order[begin : begin + size]
                steps = _gradients(network, data.features[rows], targets[rows], number, rng)
                velocity = [
                    number["momentum"] * one - number["lr"] * step for one, step in zip(velocity, steps, strict=True)
                ]
                network = Network([one + move for one, move in zip(network.weights, velocity, strict=True)], is_relu)
        found = network.log_probabilities(network.hidden(data.judged))
    return -float(found[np.arange(len(found)), data.judged_labels].mean())


def _gradients(
    network: Network, rows: Array, targets: Array, number: dict[str, float], rng: np.random.Generator
) -> tuple[Array, ...]:
    hidden = network.hidden(rows)
    kept = (rng.random(hidden.shape) >= number["dropout"]) / (1 - number["dropout"])
    error = (np.exp(network.log_probabilities(hidden * kept)) - targets) / len(rows)
    back = (error @ network.weights[2].T) * kept * ((hidden > 0) if network.is_relu else 1 - hidden * hidden)
    decay = number["decay"]
    return (
        rows.T @ back + decay * network.weights[0],
        back.sum(axis=0),
        (hidden * kept).T @ error + decay * network.weights[2],
        error.sum(axis=0),
    )
