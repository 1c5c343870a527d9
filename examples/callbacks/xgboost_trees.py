"""XGBoost: one line, `callbacks=[PegboxCallback()]`; an epoch of the study is a round."""

import xgboost
from rows import EPOCHS, FEATURES, TARGET, TRAIN, VALID

from pegbox.integrations.xgboost import PegboxCallback


def run(eta):
    """What a trial calls."""
    xgboost.train(
        {"objective": "binary:logistic", "eta": eta, "max_depth": 2, "nthread": 1},
        xgboost.DMatrix(FEATURES[TRAIN], TARGET[TRAIN]),
        num_boost_round=EPOCHS,
        evals=[(xgboost.DMatrix(FEATURES[VALID], TARGET[VALID]), "val")],
        verbose_eval=False,
        callbacks=[PegboxCallback()],
    )
