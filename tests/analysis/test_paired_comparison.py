import numpy as np
import pytest
from scipy.stats import binomtest, ttest_rel

from pegbox.analysis.paired_comparison import (
    Paired,
    TrialLosses,
    compare_fixed_models,
    compare_losses,
    has_fallen,
    losses_by_seed,
)
from pegbox.schemas.plan import Objective
from pegbox.schemas.row_losses import RowLosses
from pegbox.schemas.trial import Evaluation, Trial


def compare_paired(first: dict[int, float], second: dict[int, float]) -> Paired:
    return compare_losses(TrialLosses(first), TrialLosses(second))


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


def test_seeds_that_agree_exactly_tell_nothing_of_noise() -> None:
    paired = compare_paired({0: 1.0, 1: 1.0, 2: 1.0}, {0: 1.5, 1: 1.5, 2: 1.5})

    assert paired.interval is None


def _measured(rng: np.random.Generator, n_rows: int, *, shift: float = 0.0, n_seeds: int = 3) -> TrialLosses:
    """Losses of rows (skewed, deviation 1) of models that learned from other rows and with other seeds."""
    # What the choice of the rows that are learned from, three times as many as are measured, does to a model.
    learned = rng.normal() / np.sqrt(3 * n_rows)
    rows = rng.exponential(size=n_rows)
    kept = {}
    for seed in range(n_seeds):
        values = rows + 0.3 * rng.normal(size=n_rows) + 0.02 * rng.normal() + learned + shift
        kept[seed] = RowLosses(values, n_rows, 3 * n_rows, str(rng.integers(2**62)))
    return TrialLosses({seed: float(one.values.mean()) for seed, one in kept.items()}, kept)


def test_data_that_is_drawn_again_is_called_worse_as_seldom_as_stated() -> None:
    rng = np.random.default_rng(0)
    n_pairs = 400

    worse = sum(compare_losses(_measured(rng, 40), _measured(rng, 40)).is_worse() for _ in range(n_pairs))

    assert binomtest(worse, n_pairs, 0.025, alternative="greater").pvalue > 0.01
    assert worse > 0  # an interval of no end would find nothing either


def test_fall_of_one_deviation_of_a_row_is_found() -> None:
    rng = np.random.default_rng(1)

    found = sum(compare_losses(_measured(rng, 40), _measured(rng, 40, shift=1.0)).is_worse() for _ in range(100))

    assert found >= 80


def test_common_rows_are_paired() -> None:
    rng = np.random.default_rng(2)
    rows = rng.exponential(size=50)
    first, second = (
        {0: RowLosses(values, 50, 150, "same")} for values in (rows, rows + 0.05 + 0.1 * rng.normal(size=50))
    )

    paired = compare_losses(TrialLosses({0: 0.0}, first), TrialLosses({0: 0.05}, second))

    assert paired.same_rows
    assert paired.is_worse()


def test_no_error_on_either_side_is_no_certainty() -> None:
    sides = [TrialLosses({0: 0.0}, {0: RowLosses(np.zeros(80), 80, 240, name)}) for name in "ab"]

    interval = compare_losses(*sides).interval

    assert interval is not None
    assert interval.low < 0 < interval.high


def test_models_that_depend_on_the_rows_they_learned_from_raise_no_false_alarm() -> None:
    rng = np.random.default_rng(3)
    n_pairs, n_rows, alone, both = 300, 200, 0, 0
    for _ in range(n_pairs):
        luck, other = rng.normal(0, 0.3, size=2)  # of the rows that were learned from: as much as a row's own noise
        old, new = (RowLosses(rng.exponential(size=n_rows) + luck, n_rows, 3 * n_rows, name) for name in "ab")
        again = RowLosses(new.values - luck + other, n_rows, 3 * n_rows, "b")
        before, after, retrained = (TrialLosses({0: one.values.mean()}, {0: one}) for one in (old, new, again))
        paired, fixed = compare_losses(before, retrained), compare_fixed_models(before, after)
        alone += has_fallen(paired, None)
        both += has_fallen(paired, fixed)

    assert alone > 0.1 * n_pairs  # what the second look is for
    assert binomtest(both, n_pairs, 0.025, alternative="greater").pvalue > 0.01
