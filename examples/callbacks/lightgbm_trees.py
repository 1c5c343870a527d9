"""LightGBM: one line, pegbox's `train` in place of LightGBM's; an epoch of the study is a round."""

import lightgbm
from rows import EPOCHS, FEATURES, TARGET, TRAIN, VALID

from pegbox.integrations.lightgbm import train


def run(learning_rate):
    """What a trial calls."""
    rows = lightgbm.Dataset(FEATURES[TRAIN], TARGET[TRAIN])
    train(
        {"objective": "binary", "learning_rate": learning_rate, "num_leaves": 4, "verbose": -1, "num_threads": 1},
        rows,
        num_boost_round=EPOCHS,
        valid_sets=[lightgbm.Dataset(FEATURES[VALID], TARGET[VALID], reference=rows)],
        valid_names=["val"],
    )
