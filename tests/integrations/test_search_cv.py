import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.stats import loguniform, norm, randint
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import RandomizedSearchCV
from sklearn.utils._test_common.instance_generator import PER_ESTIMATOR_XFAIL_CHECKS
from sklearn.utils.estimator_checks import parametrize_with_checks

import pegbox
from pegbox.integrations.search_cv import PegboxSearchCV
from pegbox.integrations.searched_distributions import SearchedDistributions
from pegbox.schemas.errors import StudyError

ROWS, TARGET = load_iris(return_X_y=True)


class Bowl(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Scores by its parameters alone, so that a search of it is over in a moment."""

    def __init__(self, x: Any = 0.0, kind: str = "plain", y: Any = 0.0, fails: bool = False) -> None:
        self.x, self.kind, self.y, self.fails = x, kind, y, fails

    def fit(self, X: Any, y: Any) -> "Bowl":  # noqa: N803
        if self.fails or (isinstance(self.x, float) and self.x < -0.5):
            raise ValueError("x is too small")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        return np.zeros(len(X))

    def score(self, X: Any, y: Any) -> float:  # noqa: N803
        return -((self.x - 0.3) ** 2) - (0.1 + self.y**2 if self.kind == "deep" else 0.0)


def searched(distributions: Any, n_iter: int = 8, **arguments: Any) -> PegboxSearchCV:
    return PegboxSearchCV(Bowl(), distributions, n_iter=n_iter, cv=2, random_state=0, **arguments).fit(ROWS, TARGET)


@pytest.mark.long
# numpy warns of the NaN that these checks bring, and a warning that is an error is not the error they wait for.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@parametrize_with_checks(
    [
        PegboxSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=2, error_score="raise", random_state=0, n_iter=2),
        PegboxSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, error_score="raise", random_state=0, n_iter=2),
    ],
    expected_failed_checks=lambda _: PER_ESTIMATOR_XFAIL_CHECKS[RandomizedSearchCV],
)
def test_the_contract_of_scikit_learn_is_kept(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_search_comes_nearer_than_random_draws() -> None:
    ours = searched({"x": pegbox.Float(-0.4, 1.0)}, 12).best_score_
    theirs = RandomizedSearchCV(Bowl(), {"x": loguniform(1e-3, 1)}, n_iter=12, cv=2, random_state=0)
    assert ours > -1e-4
    assert ours > theirs.fit(ROWS, TARGET).best_score_


def test_a_condition_leaves_a_parameter_out() -> None:
    space = {
        "kind": ["plain", "deep"],
        "x": pegbox.Float(0.0, 1.0),
        "y": pegbox.Float(0.0, 1.0, when={"kind": "deep"}),
    }
    found = searched(space, 10)
    asked = found.cv_results_["params"]
    assert {"y" in one for one in asked} == {True, False}
    assert all(("y" in one) == (one["kind"] == "deep") for one in asked)
    assert found.cv_results_["param_y"].mask.any()
    assert found.best_params_["kind"] == "plain"


def test_each_candidate_is_from_one_mapping_of_a_list() -> None:
    asked = searched([{"x": [0.1, 0.2]}, {"kind": ["deep"], "y": norm(0.3, 0.1)}], 7).cv_results_["params"]
    assert {tuple(sorted(one)) for one in asked} == {("x",), ("kind", "y")}


def test_distributions_are_searched_on_their_quantiles() -> None:
    read = SearchedDistributions({"a": loguniform(1e-4, 1.0), "b": norm(0, 1), "c": randint(2, 5), "d": [None, len]})
    assert read.space["c"] == {"min": 2, "max": 4, "int": True}
    middle = read.parameters({"a": 0.5, "b": 0.5, "c": 3, "d": "1"})
    assert middle == {"a": pytest.approx(1e-2), "b": 0.0, "c": 3, "d": len}
    assert np.isfinite(read.parameters({"b": read.space["b"]["max"]})["b"])


def test_a_candidate_that_fails_ends_nothing() -> None:
    with pytest.warns(FitFailedWarning, match="left out of cv_results_"):
        found = searched({"x": pegbox.Float(-1.0, 1.0)}, 12)
    assert 0 < len(found.cv_results_["params"]) < 12
    assert found.best_score_ > -1e-2


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_a_search_that_only_fails_says_why() -> None:
    with pytest.raises(ValueError, match="x is too small"):
        searched({"x": [0.1, 0.2], "fails": [True]}, 2)


def test_error_score_raise_ends_at_the_first_failure() -> None:
    with pytest.raises(ValueError, match="x is too small"):
        searched({"x": [-1.0]}, 1, error_score="raise")


def test_a_space_that_is_used_up_is_said() -> None:
    with pytest.warns(UserWarning, match="holds 2 candidates, fewer than n_iter=5"):
        assert len(searched({"x": [0.1, 0.2]}, 5).cv_results_["params"]) == 2


def test_several_candidates_of_a_batch_differ() -> None:
    asked = searched({"x": pegbox.Float(0.0, 1.0)}, 9, batch=4).cv_results_["params"]
    assert len({one["x"] for one in asked}) == 9


def test_the_same_random_state_searches_the_same() -> None:
    first, second = (searched({"x": pegbox.Float(0.0, 1.0)}).cv_results_["params"] for _ in range(2))
    assert first == second


def test_it_can_be_cloned_and_pickled() -> None:
    found = searched({"x": pegbox.Float(0.0, 1.0)}, 3)
    assert clone(found).get_params()["n_iter"] == 3
    assert pickle.loads(pickle.dumps(found)).best_params_ == found.best_params_


def test_of_several_scores_refit_names_the_one_to_search_by() -> None:
    def scores(estimator: Any, X: Any, y: Any) -> dict[str, float]:  # noqa: N803
        return {"near": estimator.score(X, y), "far": -estimator.score(X, y)}

    far = searched({"x": pegbox.Float(0.0, 1.0)}, 8, scoring=scores, refit="far")
    assert far.best_params_["x"] == 1.0
    with pytest.raises(ValueError, match=r"scores \(far, near\), refit must name"):
        searched({"x": [0.1, 0.2]}, 2, scoring=scores, refit=False)


class OnlyDraws:
    def rvs(self, random_state: Any = None) -> float:
        return 0.5


@pytest.mark.parametrize(
    ("distributions", "message"),
    [
        ({"x": OnlyDraws()}, "x: a OnlyDraws can be drawn from and not searched"),
        ({"x": 3}, "x: expected a domain, a list or a distribution, got 3"),
        ({"x": []}, r"x: expected a domain, a list or a distribution, got \[\]"),
        ([3], r"param_distributions\[0\] must be a mapping, got 3"),
    ],
    ids=["draws", "number", "empty", "list"],
)
def test_what_cannot_be_searched_is_refused_by_name(distributions: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        searched(distributions)


def test_a_domain_or_method_that_is_none_is_refused_in_our_words() -> None:
    with pytest.raises(StudyError, match="min must be below max"):
        searched({"x": pegbox.Float(1.0, 0.0)})
    with pytest.raises(StudyError, match="Did you mean 'bayes'"):
        searched({"x": [0.1, 0.2]}, method="bays")
    with warnings.catch_warnings(), pytest.raises(ValueError, match="n_iter"):
        searched({"x": [0.1, 0.2]}, 0)
