"""What other tools make of a table in the same time; imported in the environment of each, where there is no pegbox."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

N_RANDOM = 50
"""Trials of LightGBM, as the issue has them."""


class Asked(NamedTuple):
    """A table to learn from, and the rows that are asked about."""

    rows: Any
    target: Any
    test: Any
    is_classification: bool
    metric: str
    """`accuracy`, `balanced_accuracy` or `rmse`."""
    seconds: float


def defaults(asked: Asked) -> Any:
    """scikit-learn's boosted trees as they are: the best of its defaults that take gaps and categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if asked.is_classification else HistGradientBoostingRegressor
    model = kind(categorical_features="from_dtype", random_state=0)
    return model.fit(_few_levels(asked.rows), asked.target).predict(_few_levels(asked.test))


def _few_levels(rows: Any) -> Any:
    """scikit-learn refuses categories of more than 255 levels; those become their codes."""
    found = rows.copy()
    for name in found.columns:
        if str(found[name].dtype) == "category" and len(found[name].cat.categories) > 250:
            found[name] = found[name].cat.codes
    return found


def lightgbm(asked: Asked) -> Any:
    """Fifty random configurations on a fifth of the rows, as far as the time goes; the best on all."""
    import numpy as np
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.model_selection import train_test_split

    rng, end = np.random.default_rng(0), time.monotonic() + 0.9 * asked.seconds
    kind = LGBMClassifier if asked.is_classification else LGBMRegressor
    split = train_test_split(
        asked.rows,
        asked.target,
        test_size=0.2,
        random_state=0,
        stratify=asked.target if asked.is_classification else None,
    )
    rows, valid, target, truth = split
    best: tuple[float, dict[str, Any]] | None = None
    for _ in range(N_RANDOM):
        settings = {
            "learning_rate": float(10 ** rng.uniform(-2.5, -0.3)),
            "n_estimators": int(10 ** rng.uniform(1.5, 3)),
            "num_leaves": int(2 ** rng.uniform(2, 8)),
            "min_child_samples": int(2 ** rng.uniform(0, 7)),
            "reg_lambda": float(10 ** rng.uniform(-3, 2)),
            "colsample_bytree": float(rng.uniform(0.3, 1)),
            "verbosity": -1,
            "n_jobs": 2,
        }
        found = _score(asked, truth, kind(**settings).fit(rows, target).predict(valid))
        if best is None or found > best[0]:
            best = found, settings
        if time.monotonic() > end:
            break
    assert best is not None
    return kind(**best[1]).fit(asked.rows, asked.target).predict(asked.test)


def _score(asked: Asked, truth: Any, said: Any) -> float:
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, root_mean_squared_error

    if asked.metric == "rmse":
        return -float(root_mean_squared_error(truth, said))
    score = accuracy_score if asked.metric == "accuracy" else balanced_accuracy_score
    return float(score(truth, said))


def flaml(asked: Asked) -> Any:
    """FLAML with its default settings."""
    from flaml import AutoML

    # Of balanced accuracy it knows nothing by name; the mean recall of the classes is the same number.
    metric = {"accuracy": "accuracy", "rmse": "rmse", "balanced_accuracy": _lost_recall}[asked.metric]
    model = AutoML()
    model.fit(
        asked.rows,
        asked.target,
        task="classification" if asked.is_classification else "regression",
        metric=metric,
        time_budget=asked.seconds,
        verbose=0,
        n_jobs=2,
        seed=0,
    )
    return model.predict(asked.test)


def _lost_recall(
    valid: Any, truth: Any, model: Any, labels: Any, rows: Any, target: Any, *_: Any, **__: Any
) -> tuple[float, dict[str, float]]:
    from sklearn.metrics import balanced_accuracy_score

    lost = 1 - float(balanced_accuracy_score(truth, model.predict(valid)))
    return lost, {"lost": lost}


def autogluon(asked: Asked) -> Any:
    """AutoGluon's tabular part with its default preset."""
    import tempfile

    from autogluon.tabular import TabularPredictor

    metric = {"rmse": "root_mean_squared_error"}.get(asked.metric, asked.metric)
    table = asked.rows.assign(y=asked.target)
    with tempfile.TemporaryDirectory() as folder:
        model = TabularPredictor("y", eval_metric=metric, path=folder, verbosity=0)
        model.fit(table, time_limit=asked.seconds, num_cpus=2)
        return model.predict(asked.test)


PEERS: dict[str, tuple[Callable[[Asked], Any], str]] = {
    "sklearn": (defaults, "sklearn"),
    "lightgbm": (lightgbm, "lightgbm"),
    "flaml": (flaml, "flaml"),
    "autogluon": (autogluon, "autogluon.tabular"),
}
"""What each does, and the module that it needs."""


def answer(name: str, folder: str, task: str, metric: str, seconds: str) -> None:
    """Learn from `train.csv` of the folder, whose target is `y`, and write an answer a line for `test.csv`."""
    import pandas as pd

    warnings.simplefilter("ignore")
    train, test = (pd.read_csv(Path(folder) / f"{part}.csv") for part in ("train", "test"))
    target = train.pop("y")
    for column in train.columns:
        if not pd.api.types.is_numeric_dtype(train[column]):
            _as_known(train, test, column)
    said = PEERS[name][0](Asked(train, target, test, task == "classification", metric, float(seconds)))
    Path(folder, f"{name}.txt").write_text("".join(f"{one}\n" for one in said), encoding="utf-8")


def _as_known(train: Any, test: Any, column: str) -> None:
    """As whoever knows the table would hand it over: dates as seconds, words as categories."""
    import pandas as pd

    is_time = pd.to_datetime(train[column], format="%Y-%m-%d %H:%M:%S", errors="coerce").notna().all()
    levels = [] if is_time else sorted(train[column].dropna().unique())
    for part in (train, test):
        if is_time:
            part[column] = pd.to_datetime(part[column]).astype("int64") / 1e9
        else:
            part[column] = pd.Categorical(part[column], categories=levels)
