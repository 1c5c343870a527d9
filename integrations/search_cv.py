"""Our search as a search object of scikit-learn: `PegboxSearchCV` stands where `RandomizedSearchCV` did."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Integral, Interval

from pegbox.integrations.component_search import ComponentSearch, ended_trial, failed_trial, running_trial
from pegbox.integrations.searched_distributions import SearchedDistributions
from pegbox.schemas.errors import SpaceExhaustedError
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Trial

Evaluate = Callable[[list[dict[str, Any]]], Mapping[str, Any]]
"""scikit-learn's: fits and scores candidates, and gives the results of all so far."""


class PegboxSearchCV(BaseSearchCV):
    """Search over hyperparameters by a Gaussian process, with cross-validation.

    In memory: no store, no flow. Everything but the parameters below is as in `RandomizedSearchCV`, and so are the
    attributes after `fit`. A candidate that fails in every fold is told to the search and left out of `cv_results_`.

    Args:
        estimator: What is fitted.
        param_distributions: Parameter to a domain (`pegbox.Float`, `pegbox.Int`, `pegbox.Choice`, conditions included),
            a list, or a frozen distribution of scipy; or a list of such mappings, of which each candidate has one.
        n_iter: Candidates.
        method: `bayes`, or another of `search.method` in a study file.
        batch: Candidates that are fitted together, each chosen with those before it believed; as many as keep `n_jobs`
            processes busy where it is None. Fewer learn more.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [dict, list],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "method": [str],
        "batch": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(  # noqa: PLR0913 - those of RandomizedSearchCV, and scikit-learn reads them off the signature
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        method: str = "bayes",
        batch: int | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.method = method
        self.batch = batch
        self.random_state = random_state
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )

    def _run_search(self, evaluate_candidates: Evaluate) -> None:
        """Ask, fit, tell; scikit-learn calls it in `fit`."""
        distributions = SearchedDistributions(self.param_distributions)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        goals = [Objective(metric="score", goal="maximize")]
        search = ComponentSearch(distributions.space, goals, method=self.method, n_trials=self.n_iter, seed=seed)
        candidates = _Candidates(search, distributions)
        size = self.batch or max(1, effective_n_jobs(self.n_jobs) // self.n_splits_)
        while (n_left := self.n_iter - len(candidates.trials)) > 0:
            asked = candidates.ask(min(size, n_left))
            if not asked:
                warnings.warn(
                    f"The space holds {len(candidates.trials)} candidates, fewer than n_iter={self.n_iter}: all were "
                    "tried.",
                    stacklevel=2,
                )
                break
            candidates.tell(self._scores(evaluate_candidates, asked))
        candidates.raise_if_all_failed()

    def _scores(self, evaluate: Evaluate, asked: list[dict[str, Any]]) -> "Sequence[float] | Exception":
        """The mean score of each candidate; the error where all of them failed in every fold."""
        try:
            results = evaluate(asked)
        except ValueError as error:
            # scikit-learn ends a search whose first call fits nothing, which of one candidate says little.
            if self.error_score == "raise" or "fits failed" not in str(error):
                raise
            return error
        scores = results[f"mean_test_{self._judged(results)}"]
        return [float(score) for score in scores[-len(asked) :]]

    def _judged(self, results: Mapping[str, Any]) -> str:
        """The name of the score that is made large."""
        if "mean_test_score" in results:
            return "score"
        if isinstance(self.refit, str):
            return self.refit
        scores = ", ".join(sorted(name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")))
        raise ValueError(
            f"of several scores ({scores}), refit must name the one that the search makes large, got {self.refit!r}."
        )


class _Candidates:
    """The candidates of one `fit`, as trials of the search."""

    def __init__(self, search: ComponentSearch, distributions: SearchedDistributions) -> None:
        self.trials: list[Trial] = []
        self._search, self._distributions = search, distributions
        self._n_told = 0
        self._failure: Exception | None = None

    def ask(self, count: int) -> list[dict[str, Any]]:
        """Up to so many candidates; none once the space is used up."""
        for _ in range(count):
            try:
                configuration = self._search.propose(self.trials, len(self.trials))
            except SpaceExhaustedError:
                break
            self.trials.append(running_trial(len(self.trials), configuration))
        return [self._distributions.parameters(trial.configuration) for trial in self.trials[self._n_told :]]

    def tell(self, scores: Sequence[float] | Exception) -> None:
        """What the last candidates scored, or why none of them did."""
        asked = self.trials[self._n_told :]
        if isinstance(scores, Exception):
            self._failure = scores
            told = "; ".join(str(self._distributions.parameters(trial.configuration)) for trial in asked)
            warnings.warn(f"failed in every fold, and left out of cv_results_: {told}.", FitFailedWarning, stacklevel=2)
            ended = [failed_trial(trial, "the fits failed.") for trial in asked]
        else:
            ended = [ended_trial(trial, {1: {"score": score}}) for trial, score in zip(asked, scores, strict=True)]
        self.trials[self._n_told :] = ended
        self._n_told = len(self.trials)

    def raise_if_all_failed(self) -> None:
        """Raise scikit-learn's own error where no candidate could be fitted.

        Raises:
            ValueError: So it is.
        """
        if self._failure is not None and not any(trial.evaluations or trial.failure is None for trial in self.trials):
            raise self._failure
