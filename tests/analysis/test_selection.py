import pytest

from pegbox.analysis.selection import select_winner
from pegbox.schemas.errors import NoTrialSucceededError


def test_best_mean_over_fresh_seeds_wins_not_the_luckiest(make_history):
    history = make_history([0.1, 0.2], {0: [0.5, 0.51, 0.52], 1: [0.2, 0.21, 0.22]})
    selection = select_winner(history)
    assert selection.winner == 1
    assert selection.ties == ()
    assert selection.best.mean == pytest.approx(0.21)
    assert selection.best.probability_best > 0.99


def test_highest_mean_wins_when_maximising(make_history):
    history = make_history([0.8, 0.9], {0: [0.80, 0.81, 0.82], 1: [0.90, 0.91, 0.92]}, goal="maximize")
    selection = select_winner(history)
    assert selection.winner == 1
    assert selection.best.values == (0.90, 0.91, 0.92)
    assert selection.best.interval.low < 0.91 < selection.best.interval.high


def test_finalists_are_listed_best_mean_first(make_history):
    history = make_history([0.1, 0.2, 0.3], {0: [3.0, 3.1], 1: [1.0, 1.1], 2: [2.0, 2.1]})
    assert [finalist.trial for finalist in select_winner(history).finalists] == [1, 2, 0]


def test_finalists_within_the_noise_are_ties(make_history):
    history = make_history([0.1, 0.2], {0: [0.50, 0.60, 0.40, 0.52], 1: [0.51, 0.58, 0.43, 0.55]})
    selection = select_winner(history)
    assert set(selection.ties) | {selection.winner} == {0, 1}


def test_single_finalist_has_nothing_to_beat(make_history):
    selection = select_winner(make_history([0.1], {0: [0.2, 0.3]}))
    assert (selection.winner, selection.best.probability_best, selection.ties) == (0, None, ())


def test_one_seed_gives_no_interval_and_ties_all(make_history):
    selection = select_winner(make_history([0.1, 0.2], {0: [0.3], 1: [0.2]}))
    assert selection.winner == 1
    assert selection.best.interval is None
    assert selection.ties == (0,)
    assert "one seed says nothing" in selection.reason


def test_failed_replicates_are_left_out_of_the_mean(make_history):
    selection = select_winner(make_history([0.1, 0.2], {0: [0.3, None, 0.5], 1: [0.9, 0.8, 0.7]}))
    assert selection.winner == 0
    assert selection.best.values == (0.3, 0.5)
    assert selection.best.mean == pytest.approx(0.4)


def test_finalist_without_any_replicate_is_left_out(make_history):
    selection = select_winner(make_history([0.1, 0.2], {0: [None, None], 1: [0.2, 0.3]}))
    assert [finalist.trial for finalist in selection.finalists] == [1]


def test_numbers_near_the_end_of_the_scale_are_compared(make_history):
    selection = select_winner(make_history([0.1, 0.2], {0: [1e300, 2e300, 1.5e300], 1: [0.2, 0.21, 0.22]}))
    assert selection.winner == 1


def test_no_replicate_at_all_is_an_error(make_history):
    with pytest.raises(NoTrialSucceededError, match="every replicate failed"):
        select_winner(make_history([0.1, 0.2], {0: [None]}))


def test_equal_values_are_ties_and_first_trial_wins(make_history):
    selection = select_winner(make_history([0.1, 0.2], {0: [0.5, 0.5], 1: [0.5, 0.5]}))
    assert selection.winner == 0
    assert selection.ties == (1,)
    assert selection.best.probability_best == pytest.approx(0.5)


def test_same_history_gives_the_same_selection(make_history):
    history = make_history([0.1, 0.2], {0: [0.50, 0.60, 0.40], 1: [0.51, 0.58, 0.43]})
    assert select_winner(history) == select_winner(history)


def test_cheapest_tie_within_one_standard_error_wins(make_history):
    values = {0: [0.50, 0.60, 0.40, 0.52], 1: [0.50, 0.61, 0.41, 0.51]}
    selection = select_winner(make_history([0.1, 0.2], values, parameters=[1000.0, 400.0]))
    assert selection.winner == 1
    assert selection.ties == (0,)
    assert "at 40% of its parameters" in selection.reason


def test_cheap_finalist_that_is_clearly_worse_does_not_win(make_history):
    values = {0: [0.10, 0.11, 0.12], 1: [0.90, 0.91, 0.92]}
    assert select_winner(make_history([0.1, 0.2], values, parameters=[1000.0, 100.0])).winner == 0


def test_clock_has_no_say_in_who_wins(make_history):
    values = {0: [0.50, 0.60, 0.40, 0.52], 1: [0.50, 0.61, 0.41, 0.51]}
    slow_leader = select_winner(make_history([0.1, 0.2], values, seconds=[10.0, 1.0]))
    assert slow_leader == select_winner(make_history([0.1, 0.2], values, seconds=[1.0, 10.0]))


def test_gain_over_the_enqueued_configuration_is_stated(make_history):
    values = {0: [0.90, 0.91, 0.92], 1: [0.10, 0.11, 0.12]}
    selection = select_winner(make_history([0.9, 0.1], values, search={"enqueue": [{"x": 0.0}]}))
    assert (selection.winner, selection.baseline) == (1, 0)
    assert selection.gain.low < 0.8 < selection.gain.high


def test_winning_baseline_has_no_gain_over_itself(make_history):
    values = {0: [0.10, 0.11, 0.12], 1: [0.90, 0.91, 0.92]}
    selection = select_winner(make_history([0.1, 0.9], values, search={"enqueue": [{"x": 0.0}]}))
    assert (selection.baseline, selection.gain) == (0, None)


def test_estimate_is_less_extreme_than_the_plain_mean(make_history):
    values = {number: [1 + 0.1 * number, 2 + 0.1 * number, 3 - 0.1 * number] for number in range(4)}
    selection = select_winner(make_history([0.1, 0.2, 0.3, 0.4], values))
    assert selection.best.estimate >= selection.best.mean


@pytest.mark.parametrize(("best", "winner"), [(0.50, 0), (0.30, 1)])
def test_known_configuration_wins_where_nothing_is_better_beyond_noise(make_history, best, winner):
    fresh = {0: [0.50, 0.55, 0.52, 0.47], 1: [best, best + 0.04, best + 0.01, best - 0.03]}
    given = {"search": {"enqueue": [{"x": 0.0}]}, "finalists": {"top": 2, "seeds": 4}}

    def of(ties):
        return select_winner(make_history([0.5, best], fresh, **{**given, "finalists": given["finalists"] | ties}))

    assert (of({}).winner, of({"ties": "known"}).winner) == (1, winner)
    assert ("was known before the search" in of({"ties": "known"}).reason) is (winner == 0)
