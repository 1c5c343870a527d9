from pegbox.analysis.elimination import next_replicates
from pegbox.schemas.history import History
from pegbox.schemas.training_place import TrialSeed


def pairs(found: tuple[TrialSeed, ...]) -> tuple[tuple[int, int | None], ...]:
    return tuple((one.trial, one.replicate) for one in found)


def with_failed(history: History, number: int, seeds: tuple[int, ...]) -> History:
    trials = list(history.trials)
    trials[number] = trials[number].model_copy(update={"failed_replicates": seeds})
    return History(spec=history.spec, trials=tuple(trials))


def test_all_finalists_get_the_first_seeds(make_history):
    history = make_history([0.1, 0.2, 0.3], finalists={"top": 2, "seeds": 5})
    assert pairs(next_replicates(history)) == ((0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2))


def test_no_more_seeds_than_the_study_allows(make_history):
    history = make_history([0.1, 0.2], {0: [0.1, 0.1], 1: [0.2, 0.2]}, finalists={"top": 2, "seeds": 2})
    assert pairs(next_replicates(history)) == ()


def test_clear_loser_gets_no_fourth_seed(make_history):
    history = make_history([0.1, 0.2], {0: [0.10, 0.11, 0.12], 1: [9.0, 9.1, 9.2]})
    assert pairs(next_replicates(history)) == ((0, 3),)


def test_close_finalists_both_get_a_fourth_seed(make_history):
    history = make_history([0.1, 0.2], {0: [0.10, 0.21, 0.12], 1: [0.13, 0.11, 0.20]})
    assert pairs(next_replicates(history)) == ((0, 3), (1, 3))


def test_failed_replicate_is_not_asked_for_again(make_history):
    history = make_history([0.1, 0.2], {0: [0.1, 0.2], 1: [0.1, None]}, finalists={"top": 2, "seeds": 2})
    assert pairs(next_replicates(history)) == ((1, 1),)
    assert pairs(next_replicates(with_failed(history, 1, seeds=(1,)))) == ()


def test_round_ends_where_every_first_seed_failed(make_history):
    history = make_history([0.1], finalists={"top": 1, "seeds": 5})
    assert pairs(next_replicates(with_failed(history, 0, seeds=(0, 1, 2)))) == ()


def test_broken_off_round_goes_on_as_it_was_begun(make_history):
    first = {0: [0.10, 0.11, 0.111], 1: [0.13, 0.13, 0.13]}
    begun = make_history([0.1, 0.2], first)
    half = make_history([0.1, 0.2], {**first, 0: [*first[0], 0.105]})
    assert pairs(next_replicates(begun)) == ((0, 3), (1, 3))
    assert pairs(next_replicates(half)) == ((1, 3),)


def test_enqueued_configuration_is_trained_on_fresh_seeds_too(make_history):
    history = make_history([0.9, 0.1], finalists={"top": 1, "seeds": 1}, search={"enqueue": [{"x": 0.0}]})
    assert pairs(next_replicates(history)) == ((1, 0), (0, 0))
