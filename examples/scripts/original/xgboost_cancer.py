"""XGBoost: boosted trees on a table, by its own interface."""

import argparse

import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.3)
args = parser.parse_args()

X, X_valid, y, y_valid = train_test_split(*load_breast_cancer(return_X_y=True), random_state=0)
xgboost.train(
    {"objective": "binary:logistic", "eta": args.lr, "max_depth": 2, "seed": 0, "nthread": 1},
    xgboost.DMatrix(X, y),
    num_boost_round=4,
    evals=[(xgboost.DMatrix(X_valid, y_valid), "val")],
)
