"""LightGBM: boosted trees on a table, by its own interface."""

import argparse

import lightgbm
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from pegbox.integrations.lightgbm import train

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.3)
args = parser.parse_args()

X, X_valid, y, y_valid = train_test_split(*load_breast_cancer(return_X_y=True), random_state=0)
rows = lightgbm.Dataset(X, y)
train(
    {"objective": "binary", "learning_rate": args.lr, "num_leaves": 4, "verbose": -1, "num_threads": 1, "seed": 0},
    rows,
    num_boost_round=4,
    valid_sets=[lightgbm.Dataset(X_valid, y_valid, reference=rows)],
    valid_names=["val"],
)
