"""scikit-learn's data sets that need no download, and a few that it generates; no estimators."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa

from pegbox.datasets.source import Loaded
from pegbox.schemas.data import Task
from pegbox.schemas.errors import DataError, suggest

PREFIX = "sklearn:"

# Written out and not found by looking into scikit-learn: importing it takes a second, and a misspelt name is told
# without.
BUNDLED: Mapping[str, Task] = {
    "breast_cancer": "classification",
    "diabetes": "regression",
    "digits": "classification",
    "iris": "classification",
    "wine": "classification",
}

GENERATED: Mapping[str, tuple[Task, Mapping[str, Any]]] = {
    # Arguments picked by hand so that a study has something to find: classes overlap, noise leaves an error that no
    # model gets below, and some features say nothing.
    "blobs": ("classification", {"centers": 4, "n_features": 5}),
    "circles": ("classification", {"noise": 0.1, "factor": 0.5}),
    "classification": ("classification", {"n_informative": 8, "n_classes": 3}),
    "friedman1": ("regression", {"noise": 1.0}),
    "friedman2": ("regression", {"noise": 50.0}),
    "friedman3": ("regression", {"noise": 0.1}),
    "moons": ("classification", {"noise": 0.2}),
    "regression": ("regression", {"n_features": 20, "noise": 10.0}),
}
"""Name to task and arguments; each has 1000 rows drawn with seed 0, so that a name always means the same rows."""

# Known by name to say why they are refused: a study that waits for a download works on one machine and not on the
# next.
_DOWNLOADED = {
    "20newsgroups",
    "california_housing",
    "covtype",
    "kddcup99",
    "lfw_pairs",
    "lfw_people",
    "olivetti_faces",
    "openml",
    "rcv1",
    "species_distributions",
}
_IMAGES = {"digits": (1, 8, 8)}


@dataclass(frozen=True, slots=True)
class SklearnSource:
    """One of scikit-learn's data sets, by the name of its loader without `load_` or `make_`."""

    name: str
    target: str = "target"

    def __post_init__(self) -> None:
        if self.name not in BUNDLED and self.name not in GENERATED:
            raise DataError(_refusal(self.name))

    def digest(self) -> str:
        """The name and scikit-learn's version stand for the content: the rows ship with the package."""
        return f"{PREFIX}{self.name}@{version('scikit-learn')}"

    def columns(self) -> tuple[str, ...]:
        """Names of the columns; loads the set, which is small."""
        return tuple(self.load().table.column_names)

    def load(self) -> Loaded:
        """Read or generate the rows."""
        if self.name in BUNDLED:
            features, target, names = _bundled(self.name)
            task = BUNDLED[self.name]
        else:
            features, target, names = _generated(self.name)
            task = GENERATED[self.name][0]
        columns = {name: np.ascontiguousarray(features[:, i]) for i, name in enumerate(names)}
        return Loaded(pa.table({**columns, self.target: target}), self.target, task, _IMAGES.get(self.name))


def _bundled(name: str) -> tuple[Any, Any, list[str]]:
    import sklearn.datasets

    bunch = getattr(sklearn.datasets, f"load_{name}")()
    target = bunch.target
    if BUNDLED[name] == "classification":
        # Names of the classes, so that an answer speaks of setosa and not of 0.
        target = np.asarray(bunch.target_names)[target]
    return bunch.data, target, [str(column) for column in bunch.feature_names]


def _generated(name: str) -> tuple[Any, Any, list[str]]:
    import sklearn.datasets

    _, arguments = GENERATED[name]
    features, target = getattr(sklearn.datasets, f"make_{name}")(n_samples=1000, random_state=0, **arguments)
    return features, target, [f"x{i}" for i in range(features.shape[1])]


def _refusal(name: str) -> str:
    if name in _DOWNLOADED:
        why = "would be downloaded, and pegbox downloads no data."
    elif name == "linnerud":
        why = "has three targets, and a study predicts one."
    else:
        return (
            f"data.source: scikit-learn has no set {name!r} that pegbox knows. {suggest(name, [*BUNDLED, *GENERATED])}"
        )
    return (
        f"data.source: scikit-learn's {name!r} {why} Load it in a function of your own and name that, "
        "such as my_project.data:load."
    )
