import numpy as np
import pytest
from scipy.stats import ttest_rel

from pegbox.analysis.paired_comparison import compare_paired, losses_by_seed
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import Evaluation, Trial


def test_interval_is_that_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    first = dict(enumerate(rng.normal(size=7)))
    second = {seed: loss + 0.1 + 0.05 * rng.normal() for seed, loss in first.items()}

    paired = compare_paired(first, second)

    expected = ttest_rel(list(second.values()), list(first.values())).confidence_interval(0.95)
    assert paired.interval is not None
    assert (paired.interval.low, paired.interval.high) == pytest.approx((expected.low, expected.high))


def test_pairs_cancel_what_a_seed_does_to_both() -> None:
    noise = {seed: 10.0 * seed for seed in range(5)}

    paired = compare_paired(noise, {seed: loss + 0.1 + 0.001 * seed for seed, loss in noise.items()})

    assert paired.is_worse()
    assert not paired.is_worse(tolerance=0.2)
    assert not paired.is_better()


def test_only_common_seeds_are_compared() -> None:
    paired = compare_paired({0: 1.0, 1: 1.0, 9: -100.0}, {0: 0.5, 1: 0.4, 5: 100.0})

    assert paired.n_pairs == 2
    assert paired.mean == pytest.approx(-0.55)


def test_noise_alone_is_neither_better_nor_worse() -> None:
    paired = compare_paired({0: 1.0, 1: 2.0, 2: 3.0}, {0: 2.0, 1: 1.0, 2: 3.1})

    assert not paired.is_better()
    assert not paired.is_worse()


def test_one_pair_is_judged_by_its_sign() -> None:
    assert compare_paired({0: 1.0}, {0: 0.9}).is_better()
    assert compare_paired({0: 1.0}, {0: 1.1}).is_worse()


def test_without_a_common_seed_the_second_counts_as_worse() -> None:
    paired = compare_paired({0: 1.0}, {1: 0.0})

    assert paired.is_worse()
    assert not paired.is_better()


def test_losses_of_a_maximised_metric_are_negative() -> None:
    replicates = (
        Evaluation(budget=1, metrics={"accuracy": 0.75}, replicate=0),
        Evaluation(budget=1, metrics={}, replicate=1),
    )
    trial = Trial(number=0, configuration={}, seed=0, replicates=replicates)

    assert losses_by_seed(trial, Objective(metric="accuracy", goal="maximize")) == {0: -0.75}
