import numpy as np
import pytest

from pegbox.analysis.certainty import seeds_to_tell_apart, tied_finalists
from pegbox.analysis.comparison import compare
from pegbox.analysis.paired_comparison import TrialLosses
from pegbox.analysis.row_noise import row_noise
from pegbox.analysis.selection import select_winner
from pegbox.schemas.row_losses import RowLosses

N_ROWS = 200


def lost(*by_seed, data="rows"):
    rows = {seed: RowLosses(np.asarray(values), len(values), 800, data) for seed, values in enumerate(by_seed)}
    return TrialLosses({seed: float(one.values.mean()) for seed, one in rows.items()}, rows)


def hard_rows(number=0, own=0.3):
    """Two estimators without randomness: what is hard about a row is common to both."""
    rng = np.random.default_rng(number)
    common = rng.standard_normal(N_ROWS)
    return common + own * rng.standard_normal(N_ROWS), common + own * rng.standard_normal(N_ROWS) + 0.01


def without_randomness(make_history, first, second, **changes):
    """A history of two finalists whose seeds all agree, and the noise of their rows."""
    values = [float(first.mean()), float(second.mean())]
    history = make_history(values, {0: [values[0]] * 5, 1: [values[1]] * 5}, **changes)
    return history, row_noise({0: lost(first, first), 1: lost(second, second)})


def test_finalists_share_what_is_hard_about_their_rows():
    first, second = hard_rows()
    noise = row_noise({3: lost(first, first), 7: lost(second, second)})
    assert noise.trials == (3, 7)
    assert noise.n_rows == N_ROWS
    assert np.array(noise.covariance) == pytest.approx(np.cov([first, second]) / N_ROWS)


def test_seeds_are_averaged_before_rows_are_compared():
    first, second = hard_rows()
    noise = row_noise({0: lost(first, second)})
    assert noise.covariance[0][0] == pytest.approx(np.var((first + second) / 2, ddof=1) / N_ROWS)


@pytest.mark.parametrize(
    "finalists",
    [
        {},
        {0: TrialLosses({0: 0.5})},
        {0: lost([0.1, 0.3]), 1: TrialLosses({0: 0.5})},
        {0: lost([0.1, 0.3]), 1: lost([0.1, 0.3], data="others")},
        {0: lost([0.1])},
    ],
)
def test_nothing_is_known_of_rows_that_are_not_all_kept_or_not_the_same(finalists):
    assert row_noise(finalists) is None


def test_no_error_among_few_rows_is_no_certainty():
    noise = row_noise({0: lost(np.zeros(20)), 1: lost(np.zeros(20))})
    covariance = np.array(noise.covariance)
    assert covariance[0, 0] > 0
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(0)  # alike, so equally good


def test_seeds_that_all_agree_leave_the_noise_of_rows(make_history):
    history, noise = without_randomness(make_history, *hard_rows())
    selection = select_winner(history, noise)
    deviation = np.sqrt(noise.covariance[0][0])
    interval = selection.best.interval
    assert 3 * deviation < interval.high - interval.low < 5 * deviation
    assert selection.best.probability_best < 0.95
    assert selection.ties == (1,)
    assert selection.row_noise == noise
    assert f"5 fresh seeds and {N_ROWS} rows" in selection.reason


def test_without_the_rows_seeds_that_agree_have_no_interval(make_history):
    selection = select_winner(without_randomness(make_history, *hard_rows())[0])
    assert selection.best.interval is None


def test_rows_that_are_hard_for_both_do_not_blur_their_difference(make_history):
    common = np.random.default_rng(0).standard_normal(N_ROWS)
    selection = select_winner(*without_randomness(make_history, common, common + 0.01))
    assert selection.best.probability_best > 0.99
    assert selection.best.interval.high - selection.best.interval.low > 0.1


@pytest.mark.long
def test_interval_of_the_winner_holds_the_mean_of_all_rows(make_history):
    held = []
    for number in range(40):
        selection = select_winner(*without_randomness(make_history, *hard_rows(number)))
        held.append(selection.best.interval.low <= (0.0, 0.01)[selection.winner] <= selection.best.interval.high)
    assert np.mean(held) >= 0.85  # of 95 %: four deviations of a binomial share


def test_compared_trials_have_the_chance_that_the_selection_gives(make_history):
    history, noise = without_randomness(make_history, *hard_rows())
    chosen = history.model_copy(update={"selection": select_winner(history, noise)})
    compared = compare(chosen, 0, chosen, 1)
    winner = next(one for one in chosen.selection.finalists if one.trial == 0)
    assert compared.probability_left == pytest.approx(winner.probability_best, abs=1e-3)


def test_more_seeds_are_not_advised_where_only_rows_would_help(make_history):
    history, noise = without_randomness(make_history, *hard_rows())
    chosen = history.model_copy(update={"selection": select_winner(history, noise)})
    assert seeds_to_tell_apart(chosen, chosen.selection) is None
    assert "as good as equal" in tied_finalists(chosen).what
    assert "more rows to measure on" in tied_finalists(chosen).evidence
