import numpy as np

from pegbox.analysis.convergence import stagnation, unconverged_curves
from pegbox.schemas.trial import Evaluation


def searched(make_history, losses, **changes):
    places = [float(x) for x in np.random.default_rng(0).random(len(losses))]
    return make_history(losses, configurations=[{"x": x} for x in places], **changes)


def test_search_that_found_its_best_early_is_told_to_stop(make_history):
    advice = stagnation(searched(make_history, [0.1] + [1 + 0.01 * n for n in range(39)]))
    assert advice.command == "pegbox stop written-down"


def test_search_that_still_gains_is_not_told_to_stop(make_history):
    replicates = {39: [0.1, 0.101, 0.102], 38: [0.2, 0.201, 0.202]}
    history = searched(make_history, [4 - 0.1 * n for n in range(40)], replicates=replicates)
    assert stagnation(history) is None


def test_gain_below_the_noise_of_seeds_is_no_gain(make_history):
    losses = [1.0] * 39 + [0.99]
    assert stagnation(searched(make_history, losses, replicates={39: [0.9, 1.0, 1.1]})) is not None


def test_short_search_is_not_judged(make_history):
    assert stagnation(searched(make_history, [0.1] * 10)) is None


def with_rungs(history, gain):
    """Every trial had a value at epoch 3 that was worse by so much."""
    trials = tuple(
        trial.model_copy(
            update={
                "to_budget": 9,
                "evaluations": (
                    Evaluation(budget=3, metrics={"loss": trial.value("loss") + gain}),
                    *trial.evaluations,
                ),
            }
        )
        for trial in history.trials
    )
    return history.model_copy(update={"trials": trials})


def test_curves_that_still_fall_ask_for_a_longer_budget(make_history):
    replicates = {0: [0.1, 0.11, 0.12], 1: [0.1, 0.11, 0.12]}
    history = with_rungs(make_history([0.1 + 0.01 * n for n in range(10)], replicates), gain=0.3)
    advice = unconverged_curves(history)
    assert advice.command.endswith(" --as written-down-next --set train.epochs=27")
    assert "5 of the best 5 trials improved loss, by 0.3 in the median" in advice.evidence


def test_curves_that_are_flat_need_no_longer_budget(make_history):
    replicates = {0: [0.1, 0.2, 0.3], 1: [0.1, 0.2, 0.3]}
    assert (
        unconverged_curves(with_rungs(make_history([0.1 + 0.01 * n for n in range(10)], replicates), gain=0.01)) is None
    )


def test_curves_that_patience_ended_need_no_longer_budget(make_history):
    history = with_rungs(make_history([0.1 + 0.01 * n for n in range(10)]), gain=0.3)
    ended = tuple(trial.model_copy(update={"budget": 7}) for trial in history.trials)
    assert unconverged_curves(history.model_copy(update={"trials": ended})) is None


def test_single_rung_says_nothing_about_curves(make_history):
    assert unconverged_curves(make_history([0.1] * 10)) is None
