from pegbox.analysis.comparison import compare

SEEDS = {0: [0.10, 0.11, 0.12], 1: [0.90, 0.91, 0.92], 2: [0.12, 0.10, 0.11]}


def test_clearly_better_trial_is_named(make_history):
    history = make_history([0.1, 0.2, 0.3], SEEDS)
    comparison = compare(history, 0, history, 1)
    assert comparison.sentence == "Trial 0 is better than trial 1."
    assert comparison.gain.low < 0.8 < comparison.gain.high
    assert comparison.probability_left > 0.99


def test_order_of_the_two_turns_the_gain_around(make_history):
    history = make_history([0.1, 0.2, 0.3], SEEDS)
    comparison = compare(history, 1, history, 0)
    assert comparison.sentence == "Trial 0 is better than trial 1."
    assert comparison.gain.high < 0


def test_larger_is_better_when_maximising(make_history):
    history = make_history([0.1, 0.2, 0.3], SEEDS, goal="maximize")
    assert compare(history, 0, history, 1).sentence == "Trial 1 is better than trial 0."


def test_equal_trials_cannot_be_told_apart(make_history):
    history = make_history([0.1, 0.2, 0.3], SEEDS)
    assert "cannot tell trial 0 from trial 2" in compare(history, 0, history, 2).sentence


def test_differences_name_what_one_does_not_use(make_history):
    configurations = [{"optimizer": "adamw", "lr": 0.1}, {"optimizer": "sgd", "lr": 0.1, "momentum": 0.9}]
    space = {
        "optimizer": ["adamw", "sgd"],
        "lr": {"min": 0.01, "max": 1.0},
        "momentum": {"min": 0.0, "max": 1.0, "when": {"optimizer": "sgd"}},
    }
    history = make_history([0.1, 0.2], space=space, configurations=configurations)
    found = {one.name: (one.left, one.right) for one in compare(history, 0, history, 1).differences}
    assert found == {"optimizer": ("adamw", "sgd"), "momentum": (None, 0.9)}


def test_without_fresh_seeds_the_search_is_quoted_with_doubt(make_history):
    history = make_history([0.1, 0.3])
    comparison = compare(history, 0, history, 1)
    assert comparison.gain is None
    assert "trial 0 was better by 0.2" in comparison.sentence
    assert "nobody knows whether that is luck" in comparison.sentence


def test_failed_trial_has_nothing_to_compare(make_history):
    history = make_history([0.1, None])
    assert compare(history, 0, history, 1).sentence == "Trial 1 has no loss: there is nothing to compare."


def test_trials_of_two_studies_are_compared_by_name(make_history):
    left = make_history([0.1, 0.2, 0.3], SEEDS)
    right = make_history([0.5], {0: [0.5, 0.51, 0.52]}, name="other")
    comparison = compare(left, 0, right, 0)
    assert comparison.sentence == "Trial 0 of written-down is better than trial 0 of other."
    assert comparison.gain.low < 0.4 < comparison.gain.high
