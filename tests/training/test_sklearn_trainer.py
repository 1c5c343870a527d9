"""scikit-learn estimators: parameters, budgets, checkpoints, metrics, and what is refused."""

import pickle

import pytest
from sklearn.linear_model import LogisticRegression
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import SklearnTrain
from pegbox.training.sklearn_trainer import SklearnTrainer

FOREST = "sklearn.ensemble:RandomForestClassifier"


def train(estimator, configuration, data, tmp_path, epochs=1, **changes):
    spec = SklearnTrain(kind="sklearn", estimator=estimator, epochs=epochs)
    segment = make_segment(configuration, train=spec, **({"to_budget": epochs} | changes))
    trained = SklearnTrainer().train(segment, data, tmp_path / "checkpoints", ignore)
    return trained, SklearnTrainer().evaluate(segment, trained, data, "valid").metrics


def fitted(trained):
    return pickle.loads(trained.checkpoint.read_bytes())["estimator"]


def test_a_classifier_is_measured(tmp_path):
    _, metrics = train(FOREST, {"n_estimators": 20}, make_splits(tmp_path), tmp_path)

    assert set(metrics) == {"val_loss", "val_accuracy", "val_balanced_accuracy", "val_f1", "val_roc_auc", "val_pr_auc"}
    assert metrics["val_accuracy"] > 0.75


def test_a_regressor_is_measured_in_its_own_units(tmp_path):
    data = make_splits(tmp_path, task="regression", n_rows=300, cardinalities=(3,))

    _, metrics = train("sklearn.linear_model:Ridge", {"alpha": 0.1}, data, tmp_path)

    assert metrics["val_r2"] > 0.99
    assert set(metrics) == {"val_loss", "val_rmse", "val_mae", "val_r2"}


def test_an_estimator_without_probabilities_has_no_loss(tmp_path):
    _, metrics = train("sklearn.svm:LinearSVC", {"C": 1.0}, make_splits(tmp_path), tmp_path)

    assert set(metrics) == {"val_accuracy", "val_balanced_accuracy", "val_f1", "val_roc_auc", "val_pr_auc"}


@pytest.mark.parametrize(
    ("estimator", "configuration", "task"),
    [
        (FOREST, {"n_estimators": 18, "max_depth": 4}, "classification"),
        ("sklearn.ensemble:GradientBoostingRegressor", {"n_estimators": 18, "subsample": 0.5}, "regression"),
        ("sklearn.ensemble:HistGradientBoostingClassifier", {"max_iter": 9}, "classification"),
        ("sklearn.linear_model:SGDClassifier", {"loss": "log_loss"}, "classification"),
        ("sklearn.neural_network:MLPClassifier", {"hidden_layer_sizes": (8,)}, "classification"),
    ],
)
def test_three_and_six_epochs_equal_nine(tmp_path, estimator, configuration, task):
    data = make_splits(tmp_path, task=task)

    _, metrics = train(estimator, configuration, data, tmp_path / "a", epochs=9)
    first, early = train(estimator, configuration, data, tmp_path / "b", epochs=9, to_budget=3)
    rest, late = train(
        estimator, configuration, data, tmp_path / "b", epochs=9, from_budget=3, checkpoint=first.checkpoint
    )

    assert late == metrics
    assert early != metrics
    assert [one.step for one in rest.reports] == [4, 5, 6, 7, 8, 9]
    assert not rest.restarted


def test_the_members_of_an_ensemble_are_its_budget(tmp_path):
    data = make_splits(tmp_path)

    part, _ = train(FOREST, {"n_estimators": 90}, data, tmp_path, epochs=9, to_budget=3)

    assert len(fitted(part).estimators_) == 30


def test_an_estimator_without_a_budget_is_fitted_once(tmp_path):
    data = make_splits(tmp_path)

    first, early = train("sklearn.svm:SVC", {"C": 1.0}, data, tmp_path, epochs=9, to_budget=3)
    rest, late = train(
        "sklearn.svm:SVC", {"C": 1.0}, data, tmp_path, epochs=9, from_budget=3, checkpoint=first.checkpoint
    )

    assert early == late
    assert rest.budget == 9


def test_the_seed_of_the_trial_is_the_estimators(tmp_path):
    data = make_splits(tmp_path)

    trained, first = train(FOREST, {"n_estimators": 5}, data, tmp_path)
    _, other = train(FOREST, {"n_estimators": 5}, data, tmp_path, seed=2)

    assert fitted(trained).random_state == 1
    assert first != other


class TakesAny(LogisticRegression):
    """Names one parameter and hands on the others, as LightGBM's estimators do."""

    def __init__(self, C=1.0, **others):  # noqa: N803 - as the class that it stands in for
        super().__init__(C=C, **others)
        self.others = others

    def get_params(self, deep=True):
        return {"C": self.C, **self.others}


def test_an_estimator_that_takes_any_parameter_is_given_it(tmp_path):
    trained, _ = train(f"{__name__}:TakesAny", {"C": 0.5, "max_iter": 7, "tol": 10.0}, make_splits(tmp_path), tmp_path)

    assert (fitted(trained).C, fitted(trained).others) == (0.5, {"max_iter": 7, "tol": 10.0})


@pytest.mark.parametrize(
    ("estimator", "configuration", "message"),
    [
        (FOREST, {"n_estimator": 5}, "has no parameter 'n_estimator'. Did you mean 'n_estimators'?"),
        ("sklearn.linear_model:Ridge", {}, "does not do classification"),
        ("sklearn.ensemble:VotingClassifier", {}, "no estimator that can be made without arguments"),
        ("sklearn.ensemble:Forest", {}, "has no 'Forest'"),
    ],
)
def test_an_estimator_that_does_not_fit_is_invalid(tmp_path, estimator, configuration, message):
    with pytest.raises(TrialError) as raised:
        train(estimator, configuration, make_splits(tmp_path), tmp_path)

    assert raised.value.failure.kind is FailureKind.INVALID
    assert message in raised.value.failure.message


def test_a_cut_checkpoint_is_refused(tmp_path):
    data = make_splits(tmp_path)
    first, _ = train(FOREST, {"n_estimators": 9}, data, tmp_path, epochs=9, to_budget=3)
    first.checkpoint.write_bytes(first.checkpoint.read_bytes()[:200])

    with pytest.raises(TrialError, match="is damaged"):
        train(FOREST, {"n_estimators": 9}, data, tmp_path, epochs=9, from_budget=3, checkpoint=first.checkpoint)


def test_a_checkpoint_of_another_estimator_is_refused(tmp_path):
    data = make_splits(tmp_path)
    first, _ = train(FOREST, {"n_estimators": 9}, data, tmp_path, epochs=9, to_budget=3)

    with pytest.raises(TrialError, match="holds another estimator"):
        train(FOREST, {"n_estimators": 8}, data, tmp_path, epochs=9, from_budget=3, checkpoint=first.checkpoint)
