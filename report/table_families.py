"""The families of models that may answer for a table, each with its space and the configuration that is tried first."""

import math
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, NamedTuple

from pegbox.datasets.propose import Proposal
from pegbox.report.number_format import spaced
from pegbox.schemas.families import FAMILY
from pegbox.schemas.presets import PRESETS

# Picked by hand, all below; each is written into the study with its reason, where a person changes it.
MOST_CELLS = 200_000_000
"""Of rows times inputs, 800 MB: scikit-learn takes categories as a column for each level, a network as codes."""
PARAMETERS_OF_A_NETWORK = 5
"""The most worthwhile ones: several families share the trials."""
FEWEST_EPOCHS, MOST_EPOCHS = 5, 100
STEPS_A_SECOND = 1000
"""Of a network of two layers of 256 units on one idle core; batches of 64 to 256 rows differ little."""
TRIAL_SHARE = 20
"""A training of a network is to take this part of the search, so that a few of them fit in beside the others."""
SHARE_OF_PATIENCE = 8
"""Of the epochs, without a better loss, after which a network leaves its worker to others."""

_BOOSTING = {
    "learning_rate": 0.1,
    "max_iter": 100,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "l2_regularization": 0.0,
    "max_features": 1.0,
}
_LIGHTGBM = {
    "learning_rate": 0.1,
    "n_estimators": 100,
    "num_leaves": 31,
    "min_child_samples": 20,
    "reg_lambda": 0.0,
    "colsample_bytree": 1.0,
}
_XGBOOST = {
    "learning_rate": 0.3,
    "n_estimators": 100,
    "max_depth": 6,
    "min_child_weight": 1.0,
    "subsample": 1.0,
    "colsample_bytree": 1.0,
    "reg_lambda": 1.0,
}
"""All three as their libraries have them where nothing is said."""
_NETWORK = {"lr": 1e-3, "units": 256, "dropout": 0.1, "weight_decay": 1e-5}
"""In the middle of what Gorishniy et al. 2021 search."""


class Family(NamedTuple):
    """One kind of model, as the study file names it.

    Attributes:
        train: Its entry under `train.families`.
        space: Its parameters.
        usual: The library's own defaults, or what is usual: the configuration that is tried first.
        why: One sentence.
    """

    train: dict[str, Any]
    space: Mapping[str, Any]
    usual: dict[str, Any]
    why: str


class Table(NamedTuple):
    """What the families depend on.

    Attributes:
        is_classification: Else a quantity is predicted.
        is_balanced: True if every class is to count as much as any other.
        n_rows: That have a target.
        n_inputs: Columns of numbers, and one for each level of the categories.
        threads: Of each training.
        seconds: Of the search.
    """

    is_classification: bool
    is_balanced: bool
    n_rows: int
    n_inputs: int
    threads: int
    seconds: float

    @classmethod
    def of(cls, proposal: Proposal, *, is_balanced: bool, threads: int, seconds: float) -> "Table":
        """Of a table that was looked at."""
        is_classification = proposal.understanding.task == "classification"
        return cls(is_classification, is_balanced, proposal.n_rows, proposal.n_inputs, threads, seconds)

    @property
    def batch_size(self) -> int:
        """Of networks: small tables would else have a step or two in an epoch."""
        return 256 if self.n_rows > 20_000 else 64 if self.n_rows > 500 else 16

    @property
    def epochs(self) -> int:
        """Of networks: as many as the time has steps for, a small table no more than it takes to know it by heart."""
        steps = self.seconds * STEPS_A_SECOND / TRIAL_SHARE
        return min(max(int(steps * self.batch_size / max(self.n_rows, 1)), FEWEST_EPOCHS), MOST_EPOCHS)


def families_for(table: Table) -> dict[str, Family]:
    """By name: first the one to beat, then the cheapest."""
    return dict(_families(table))


def space_of_families(families: Mapping[str, Family]) -> dict[str, Any]:
    """One conditional space: the family, and a group of parameters for each."""
    groups = {
        name: {"when": {FAMILY: name}, "parameters": dict(family.space)}
        for name, family in families.items()
        if family.space
    }
    return {FAMILY: list(families), **groups}


def first_configurations(families: Mapping[str, Family]) -> list[dict[str, Any]]:
    """Of each family the usual one, in the names of the space that they share."""
    return [
        {FAMILY: name, **{f"{name}.{key}": value for key, value in family.usual.items()}}
        for name, family in families.items()
    ]


def _families(table: Table) -> Iterator[tuple[str, Family]]:
    if table.n_rows * table.n_inputs <= MOST_CELLS:
        boosting, *others = _of_trees(table)
        # The answer compares the winner with the first configuration that is known: its defaults are the best of all.
        yield from (boosting, ("linear", _linear(table)), *others)
    yield from _networks(table)


def _linear(table: Table) -> Family:
    why = "A linear model: fast, and hard to beat where columns act each for itself."
    if not table.is_classification:
        train = {"kind": "sklearn", "estimator": "sklearn.linear_model:Ridge"}
        return Family(train, PRESETS["ridge"], {"alpha": 1.0}, why)
    # Above scikit-learn's 100 steps, at which wide tables do not converge.
    given = {"max_iter": 1000, **_weights(table)}
    train = {"kind": "sklearn", "estimator": "sklearn.linear_model:LogisticRegression"}
    return Family(train, {**PRESETS["logistic_regression"], **given}, {"C": 1.0, **given}, why)


def _of_trees(table: Table) -> Iterator[tuple[str, Family]]:
    rows = f"{spaced(table.n_rows)} rows"
    why = f"Boosted trees: on {rows} in a table they are hard to beat."
    yield "boosting", _estimator(table, "sklearn.ensemble:HistGradientBoosting", "gradient_boosting", _BOOSTING, why)
    why = "A random forest: it averages where boosted trees know few rows by heart."
    share = 1.0 if not table.is_classification else _share_of_columns(table.n_inputs)
    usual = {"min_samples_leaf": 1, "max_features": share, "max_samples": 1.0, "n_estimators": 100}
    yield "forest", _estimator(table, "sklearn.ensemble:RandomForest", "random_forest", usual, why, table.threads)
    if find_spec("lightgbm"):
        why = "LightGBM, which is installed: faster boosted trees."
        family = _estimator(table, "lightgbm:LGBM", "lightgbm", _LIGHTGBM, why, table.threads)
        # Else it prints a line for each tree that finds no split.
        quiet = {"verbosity": -1}
        yield "lightgbm", family._replace(space={**family.space, **quiet}, usual={**family.usual, **quiet})
    # It has no weights of classes that would hold for more than two.
    if find_spec("xgboost") and not table.is_balanced:
        why = "XGBoost, which is installed: boosted trees of another build."
        yield "xgboost", _estimator(table, "xgboost:XGB", "xgboost", _XGBOOST, why, table.threads)


def _estimator(
    table: Table, stem: str, preset: str, usual: dict[str, Any], why: str, threads: int | None = None
) -> Family:
    """An estimator that has a class for each task."""
    made = "Classifier" if table.is_classification else "Regressor"
    # Said where a library takes one core, or all of them, whatever else is trained beside it.
    given = _weights(table) | ({} if threads is None else {"n_jobs": threads})
    train = {"kind": "sklearn", "estimator": f"{stem}{made}"}
    return Family(train, {**PRESETS[preset], **given}, {**usual, **given}, why)


def _weights(table: Table) -> dict[str, Any]:
    return {"class_weight": "balanced"} if table.is_balanced else {}


def _networks(table: Table) -> Iterator[tuple[str, Family]]:
    weights = {"class_weights": "balanced"} if table.is_balanced else {}
    for kind, depth, why in (
        ("mlp", "layers", "A network of plain layers: it finds smooth functions of many columns together."),
        ("resnet", "blocks", "A residual network for tables, which may be deeper."),
    ):
        space = dict(list(PRESETS[kind].items())[:PARAMETERS_OF_A_NETWORK])
        train = {"kind": kind, "patience": max(3, table.epochs // SHARE_OF_PATIENCE)}
        batch = {"batch_size": table.batch_size}
        yield kind, Family(train, {**space, **batch, **weights}, {**_NETWORK, depth: 2, **batch, **weights}, why)


def _share_of_columns(n_inputs: int) -> float:
    """The square root of their number, as scikit-learn has it; at least what the preset begins with."""
    return round(max(0.05, 1 / math.sqrt(n_inputs)), 4)
