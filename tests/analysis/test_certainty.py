import numpy as np

from pegbox.analysis.certainty import few_trials, leaking_data, shifted_data, tied_finalists
from pegbox.analysis.selection import select_winner
from pegbox.schemas.selection import FrontPoint


def selected(history, **changes):
    return history.model_copy(update={"selection": select_winner(history).model_copy(update=changes)})


DIGITS = {"source": "sklearn:digits", "target": "target", "split": {"test": 0.2}}
CLOSE = {0: [0.10, 0.20, 0.15, 0.12, 0.18], 1: [0.17, 0.15, 0.22, 0.18, 0.16]}
CLEAR = {0: [0.10, 0.11, 0.12], 1: [0.90, 0.91, 0.92]}


def test_tie_asks_for_as_many_seeds_as_it_takes(make_history):
    advice = tied_finalists(selected(make_history([0.1, 0.2], CLOSE)))
    assert advice.kind == "ties"
    assert "trial 0 cannot be told from trial 1" in advice.what
    assert advice.command.startswith("pegbox resume written-down --set finalists.seeds=")


def test_hopeless_tie_is_called_equal(make_history):
    replicates = {0: [0.1, 0.9, 0.5, 0.3], 1: [0.9, 0.1, 0.3, 0.5001]}
    advice = tied_finalists(selected(make_history([0.1, 0.2], replicates)))
    assert "as good as equal" in advice.what
    assert advice.command.startswith("pegbox compare ")


def test_clear_winner_needs_no_more_seeds(make_history):
    assert tied_finalists(selected(make_history([0.1, 0.2], CLEAR))) is None


def test_places_on_a_front_are_no_ties(make_history):
    front = (FrontPoint(trial=0, estimates={"val_loss": 0.15, "size": 2.0}, probability=1),)
    assert tied_finalists(selected(make_history([0.1, 0.2], CLOSE), front=front)) is None


def test_study_without_selection_has_no_ties(make_history):
    assert tied_finalists(make_history([0.1, 0.2])) is None


def test_test_value_far_better_than_validation_is_suspicious(make_history):
    history = make_history([0.1, 0.2], CLEAR, data=DIGITS)
    leaking = selected(history, metric="val_loss", test_metrics={"test_loss": 0.01})
    advice = leaking_data(leaking)
    assert advice.kind == "leak"
    assert advice.command == "pegbox resume written-down --as written-down-next --set data.split.seed=1"


def test_accuracy_is_judged_by_what_is_left_to_gain(make_history):
    history = make_history([0.90, 0.91], {0: [0.90, 0.91, 0.92], 1: [0.5, 0.5, 0.5]}, goal="maximize", data=DIGITS)
    honest = selected(history, metric="val_accuracy", test_metrics={"test_accuracy": 0.93})
    leaking = selected(history, metric="val_accuracy", test_metrics={"test_accuracy": 0.99})
    assert leaking_data(honest) is None
    assert "look for rows" in leaking_data(leaking).what.lower()


def test_worse_test_value_is_no_leak(make_history):
    history = selected(make_history([0.1, 0.2], CLEAR, data=DIGITS), metric="val_loss", test_metrics={"test_loss": 0.5})
    assert leaking_data(history) is None


def test_far_worse_test_value_is_commented_on(make_history):
    history = make_history([0.1, 0.2], CLEAR, data=DIGITS)
    advice, near = (
        shifted_data(selected(history, metric="val_loss", test_metrics={"test_loss": loss})) for loss in (0.5, 0.13)
    )
    assert advice.kind == "shift"
    assert (
        "loss is 0.5, 39 standard deviations worse than on the validation part (0.11 over 3 seeds)" in advice.evidence
    )
    assert advice.command == "pegbox resume written-down --as written-down-next --set data.split.folds=5"
    assert near is None


def test_later_rows_that_are_others_have_no_command(make_history):
    by_time = {**DIGITS, "split": {"test": 0.2, "time": "day"}}
    history = selected(
        make_history([0.1, 0.2], CLEAR, data=by_time), metric="val_loss", test_metrics={"test_loss": 0.5}
    )
    assert "the later rows are others" in shifted_data(history).what
    assert shifted_data(history).command == ""


def test_a_share_near_one_may_lose_a_little(make_history):
    history = make_history([0.99, 0.98], {0: [0.996, 0.997, 0.998], 1: [0.5, 0.5, 0.5]}, goal="maximize", data=DIGITS)
    far, near = (
        shifted_data(selected(history, metric="val_roc_auc", test_metrics={"test_roc_auc": value}))
        for value in (0.9, 0.978)
    )
    assert far.kind == "shift"
    assert near is None


def test_one_seed_must_lose_as_much_again(make_history):
    history = make_history([0.1, 0.2], {0: [0.1], 1: [0.9]}, data=DIGITS)
    far, near = (
        shifted_data(selected(history, metric="val_loss", test_metrics={"test_loss": loss})) for loss in (0.3, 0.19)
    )
    assert "worse than on the validation part (0.1 over one seed)" in far.evidence
    assert near is None


def cube(make_history, n_trials, n_dims, weights):
    points = np.random.default_rng(0).random((n_trials, n_dims))
    return make_history(
        [float(loss) for loss in points @ np.array(weights)],
        space={f"x{dim}": {"min": 0.0, "max": 1.0} for dim in range(n_dims)},
        configurations=[{f"x{dim}": float(x) for dim, x in enumerate(point)} for point in points],
    )


def test_too_few_trials_to_rank_ask_for_more(make_history):
    advice = few_trials(cube(make_history, 7, 9, [1.0] * 9))
    assert advice.kind == "unrankable"
    assert "7 trials: too few to rank 9 hyperparameters." in advice.evidence
    assert advice.command == "pegbox resume written-down --set budget.trials=150"


def test_few_trials_that_show_idle_parameters_fix_them(make_history):
    advice = few_trials(cube(make_history, 90, 10, [5.0] + [0.0] * 9))
    assert advice.kind == "fix"
    assert "x0" not in advice.what
    assert advice.command.startswith("pegbox resume written-down --as written-down-next --set space.x")
    assert " --set space.x5=0." in advice.command


def test_parameter_that_others_depend_on_is_not_fixed(make_history):
    points = np.random.default_rng(0).random((60, 6))
    space = {f"x{dim}": {"min": 0.0, "max": 1.0} for dim in range(6)}
    space |= {"kind": ["a", "b"], "momentum": {"min": 0.0, "max": 1.0, "when": {"kind": "b"}}}
    configurations = [{f"x{dim}": float(x) for dim, x in enumerate(point)} | {"kind": "a"} for point in points]
    history = make_history([5.0 * float(point[0]) for point in points], space=space, configurations=configurations)
    assert "kind" not in few_trials(history).what


def test_enough_trials_need_no_advice(make_history):
    assert few_trials(cube(make_history, 40, 3, [1.0] * 3)) is None
