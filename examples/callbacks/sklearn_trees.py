"""scikit-learn: one line, `grow(estimator, ...)` in place of `estimator.fit(...)`; an epoch of the study is a round."""

from rows import EPOCHS, FEATURES, TARGET, TRAIN, VALID
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import log_loss

from pegbox.integrations.boosting import grow


def run(learning_rate):
    """What a trial calls."""
    trees = GradientBoostingClassifier(learning_rate=learning_rate, n_estimators=EPOCHS, max_depth=2, random_state=0)
    grow(trees, FEATURES[TRAIN], TARGET[TRAIN], measure)


def measure(trees):
    """The loss on rows that are not trained on."""
    return {"val_loss": log_loss(TARGET[VALID], trees.predict_proba(FEATURES[VALID]))}
