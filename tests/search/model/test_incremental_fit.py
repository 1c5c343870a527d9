"""The chain of fits along a growing history."""

import numpy as np

from pegbox.search.model.gaussian_process import Prior
from pegbox.search.model.incremental_fit import IncrementalFit, chain_to
from pegbox.search.model.loss_scaling import held
from pegbox.search.model.training_data import Data


def rows(count: int) -> Data:
    features = np.random.default_rng(3).random((count, 2))
    losses = ((features - 0.4) ** 2 @ np.array([3.0, 0.2])) + 0.01 * np.sin(40 * features[:, 0])
    return Data(features, np.array([0, 1]), losses)


def test_a_resumed_chain_ends_where_the_one_that_went_along_did() -> None:
    data = rows(40)
    along = IncrementalFit(Prior(2), held)
    for count in range(4, 41):
        last = along.fitted(data.rows(slice(count)))
    resumed = IncrementalFit(Prior(2), held).fitted(data)
    assert np.array_equal(last.logs, resumed.logs)
    assert last.log_density == resumed.log_density


def test_a_value_that_changed_is_fitted_anew() -> None:
    data = rows(30)
    chain = IncrementalFit(Prior(2), held)
    before = chain.fitted(data)
    # A retried trial: its value changes long after the fits that saw the first one.
    changed = data.targets.copy()
    changed[2] += 1.0
    changed_data = data._replace(targets=changed)
    after = chain.fitted(changed_data)
    assert not np.array_equal(before.logs, after.logs)
    assert np.array_equal(after.logs, IncrementalFit(Prior(2), held).fitted(changed_data).logs)
    assert np.array_equal(chain.fitted(data).logs, before.logs)


def test_a_resumed_study_fits_a_few_times_alone() -> None:
    assert len(chain_to(1000)) == 8
    assert len(chain_to(10_000)) <= 12
