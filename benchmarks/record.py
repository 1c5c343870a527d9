"""Mixed and conditional spaces: scikit-learn models on bundled data, recorded once, then searched by methods.

python benchmarks/record.py record TABLE      # trains every configuration of the grid, a few minutes
python benchmarks/record.py measure TABLE [--seeds 10] [--methods bayes,random,...] [--json]
"""

import argparse
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from figures import Figure, conclude, tell_machine
from peers import PEERS

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Outcome, Simulation
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.space.enumeration import SpaceEnumeration

SPACE: dict[str, Any] = {
    "model": ["svm", "forest", "boosting", "neighbours", "network"],
    "scale": [True, False],
    "kernel": {"values": ["rbf", "poly", "linear"], "when": {"model": "svm"}},
    "C": {"values": [0.01, 0.1, 1.0, 10.0, 100.0], "ordered": True, "when": {"model": "svm"}},
    "gamma": {"values": [1e-4, 1e-3, 1e-2, 0.1], "ordered": True, "when": {"kernel": ["rbf", "poly"]}},
    "n_trees": {"values": [10, 30, 100], "ordered": True, "when": {"model": "forest"}},
    "max_features": {"values": [0.1, 0.3, 0.6, 1.0], "ordered": True, "when": {"model": "forest"}},
    "criterion": {"values": ["gini", "entropy"], "when": {"model": "forest"}},
    "depth": {"values": [2, 4, 8, 16], "ordered": True, "when": {"model": ["forest", "boosting"]}},
    "rate": {"values": [0.03, 0.1, 0.3], "ordered": True, "when": {"model": "boosting"}},
    "k": {"values": [1, 3, 5, 9, 17, 33], "ordered": True, "when": {"model": "neighbours"}},
    "weights": {"values": ["uniform", "distance"], "when": {"model": "neighbours"}},
    "units": {"min": 8, "max": 64, "power_of_two": True, "when": {"model": "network"}},
    "lr": {"values": [1e-4, 1e-3, 1e-2, 0.1], "ordered": True, "when": {"model": "network"}},
    "activation": {"values": ["relu", "tanh"], "when": {"model": "network"}},
}
DATA = ("digits", "wine", "breast_cancer")
N_TRIALS = 50


def spec(method: str = "random", seed: int = 0) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "record",
            "train": {"kind": "function", "function": "record:train"},
            "space": SPACE,
            "objective": {"metric": "error"},
            "search": {"method": method, "seed": seed},
            "budget": {"trials": N_TRIALS},
        }
    )


def estimator(configuration: Configuration) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    own: dict[str, Any] = dict(configuration)
    match own["model"]:
        case "svm":
            model: Any = SVC(kernel=own["kernel"], C=own["C"], gamma=own.get("gamma", "scale"), max_iter=20_000)
        case "forest":
            model = RandomForestClassifier(
                own["n_trees"],
                max_features=own["max_features"],
                criterion=own["criterion"],
                max_depth=own["depth"],
                random_state=0,
            )
        case "boosting":
            model = HistGradientBoostingClassifier(
                learning_rate=own["rate"], max_depth=own["depth"], max_iter=20, random_state=0
            )
        case "neighbours":
            model = KNeighborsClassifier(own["k"], weights=own["weights"])
        case _:
            model = MLPClassifier(
                own["units"],
                learning_rate_init=own["lr"],
                activation=own["activation"],
                max_iter=25,
                random_state=0,
            )
    return make_pipeline(StandardScaler(), model) if own["scale"] else model


def record(path: Path) -> None:
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    encoding = SpaceEncoding(spec().space)
    tables: dict[str, dict[str, float]] = {}
    for name in DATA:
        features, target = getattr(datasets, f"load_{name}")(return_X_y=True)
        train_x, valid_x, train_y, valid_y = train_test_split(
            features, target, test_size=0.4, random_state=0, stratify=target
        )
        tables[name] = {}
        for configuration in SpaceEnumeration(encoding):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fitted = estimator(configuration).fit(train_x, train_y)
                # The log of the odds' loss would tell more, but not every model gives probabilities.
                tables[name][key(configuration)] = 1 - float(fitted.score(valid_x, valid_y))
        print(f"{name}: {len(tables[name])} configurations, best error {min(tables[name].values()):.4f}", flush=True)
        path.write_text(json.dumps(tables))


def key(configuration: Configuration) -> str:
    return json.dumps(dict(sorted(configuration.items())))


def measure(path: Path, methods: list[str], seeds: int) -> list[dict[str, Any]]:
    rows = []
    for method in methods:
        regrets = np.array([[_regrets(table, method, seed) for table in _tables(path)] for seed in range(seeds)])
        at: dict[str, Any] = {"method": method, "runs": int(regrets.shape[0] * regrets.shape[1])}
        for n in (10, 25, 50):
            by_seed = regrets[:, :, n - 1].mean(axis=1)
            at[f"@{n}"] = {"mean": float(by_seed.mean()), "error": float(by_seed.std(ddof=1) / seeds**0.5)}
        rows.append(at)
    return rows


def _tables(path: Path) -> list[dict[str, float]]:
    return list(json.loads(path.read_text()).values())


def _regrets(table: dict[str, float], method: str, seed: int) -> list[float]:
    """Of the best so far: 0 for the best of the table, 1 for its median."""
    study = spec("random" if method in PEERS else method, seed)
    strategy = PEERS[method].build(study, seed) if method in PEERS else strategy_for(study)
    encoding = SpaceEncoding(study.space)

    def look_up(configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
        # Peers know no conditions and give inactive parameters a value.
        return Outcome({"error": table[key(encoding.decode(encoding.encode(configuration)))]})

    simulation = Simulation(strategy, History(spec=study), look_up)
    errors = np.array([trial.value("error") for trial in simulation.run().trials], dtype=float)
    best, median = min(table.values()), float(np.median(list(table.values())))
    return list((np.minimum.accumulate(errors) - best) / (median - best))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "measure"))
    parser.add_argument("table", type=Path)
    parser.add_argument("--methods", default="bayes,genetic,sobol,random,optuna:TPESampler")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="bayes and random only, two seeds")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON: name, value, bar, holds")
    options = parser.parse_args()
    if options.what == "record":
        record(options.table)
        return 0
    tell_machine("optuna", "torch")
    methods = ["bayes", "random"] if options.quick else options.methods.split(",")
    rows = measure(options.table, methods, 2 if options.quick else options.seeds)
    for row in rows:
        cells = "".join(f"  @{n} {row[f'@{n}']['mean']:.4f} ± {row[f'@{n}']['error']:.4f}" for n in (10, 25, 50))
        print(f"{row['method']:24}{cells}  ({row['runs']} runs)")
    return conclude([Figure(f"regret at 50, {row['method']}", row["@50"]["mean"]) for row in rows], options.json)


if __name__ == "__main__":
    sys.exit(main())
