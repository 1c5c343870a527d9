from functools import cache

import numpy as np
import optuna
import pytest

from pegbox.analysis.importance import importance
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState

ADDITIVE = np.array([4.0, 3.0, 2.0, 1.0, 0.0])


def study(space, configurations, losses):
    """A history; a loss that is NaN is a failed trial."""
    spec = StudySpec.model_validate(
        {
            "name": "known",
            "train": {"kind": "function", "function": "known:train"},
            "space": space,
            "objective": {"metric": "loss"},
            "budget": {"trials": 10},
        }
    )
    trials = []
    for number, (configuration, loss) in enumerate(zip(configurations, losses, strict=True)):
        trial = Trial(number=number, seed=0, configuration=configuration, state=TrialState.FAILED)
        if np.isfinite(loss):
            evaluation = Evaluation(budget=1, metrics={"loss": float(loss)}, seconds=1.0 + configuration.get("x1", 0))
            trial = trial.model_copy(update={"state": TrialState.COMPLETED, "budget": 1, "evaluations": (evaluation,)})
        trials.append(trial)
    return History(spec=spec, trials=tuple(trials))


def on_unit_cube(points, losses):
    space = {f"x{dim}": {"min": 0.0, "max": 1.0} for dim in range(points.shape[1])}
    return study(space, [{f"x{dim}": float(x) for dim, x in enumerate(point)} for point in points], losses)


def by_name(result):
    return {row.name: row for row in result.parameters}


def ishigami(points):
    x = np.pi * (2 * points - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


@cache
def of_ishigami():
    points = np.random.default_rng(0).random((1000, 3))
    return importance(on_unit_cube(points, ishigami(points)))


def test_ishigami_main_effects_agree_with_its_sobol_indices():
    rows = by_name(of_ishigami())
    assert rows["x0"].share == pytest.approx(0.314, abs=0.05)
    assert rows["x1"].share == pytest.approx(0.442, abs=0.06)
    assert rows["x2"].share == pytest.approx(0.0, abs=0.02)


def test_ishigami_interaction_is_found_in_its_pair():
    first = of_ishigami().pairs[0]
    assert first.names == ("x0", "x2")
    assert first.share == pytest.approx(0.244, abs=0.07)


def test_ishigami_totals_agree_with_its_sobol_indices():
    rows = by_name(of_ishigami())
    assert [rows[name].total for name in ("x0", "x1", "x2")] == pytest.approx([0.558, 0.442, 0.244], abs=0.07)


def test_shares_never_add_up_to_more_than_the_whole():
    result = of_ishigami()
    shares = [row.share for row in result.parameters] + [pair.share for pair in result.pairs]
    assert 0.99 <= sum(shares) + result.higher_order <= 1 + 1e-9


@cache
def of_additive():
    points = np.random.default_rng(1).random((1000, 5))
    return importance(on_unit_cube(points, points @ ADDITIVE))


def test_additive_function_divides_by_the_squared_weights():
    rows = by_name(of_additive())
    truth = ADDITIVE**2 / (ADDITIVE**2).sum()
    assert [rows[f"x{dim}"].share for dim in range(5)] == pytest.approx(truth.tolist(), abs=0.05)
    assert of_additive().pairs[0].share < 0.02


def test_verdicts_follow_the_weights():
    rows = by_name(of_additive())
    assert rows["x0"].verdict == rows["x1"].verdict == rows["x2"].verdict == "matters"
    assert rows["x4"].verdict == "can be fixed"


def test_ranking_agrees_with_optunas_evaluators():
    points = np.random.default_rng(2).random((120, 5))
    losses = points @ ADDITIVE
    theirs = optuna.create_study()
    distributions = {f"x{dim}": optuna.distributions.FloatDistribution(0, 1) for dim in range(5)}
    theirs.add_trials(
        [
            optuna.trial.create_trial(
                params={f"x{dim}": x for dim, x in enumerate(point)}, distributions=distributions, value=loss
            )
            for point, loss in zip(points, losses, strict=True)
        ]
    )
    fanova = optuna.importance.get_param_importances(
        theirs, evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=16, max_depth=12, seed=0)
    )
    ours = by_name(importance(on_unit_cube(points, losses)))
    assert list(ours)[:3] == list(fanova)[:3]
    assert [ours[name].share for name in ("x0", "x1")] == pytest.approx([fanova["x0"], fanova["x1"]], abs=0.1)
    ped = optuna.importance.get_param_importances(theirs, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    assert max(ours.values(), key=lambda row: row.top_share).name == max(ped, key=ped.get)


def test_log_scale_measures_evenly_in_the_logarithm():
    rng = np.random.default_rng(3)
    lr = 10 ** rng.uniform(-5, -1, 400)
    other = rng.random(400)
    losses = np.log10(lr) / np.sqrt(16 / 12) + other * np.sqrt(12)  # each of variance 1
    space = {"lr": {"min": 1e-5, "max": 1e-1, "log": True}, "other": {"min": 0.0, "max": 1.0}}
    rows = by_name(
        importance(study(space, [{"lr": float(a), "other": float(b)} for a, b in zip(lr, other, strict=True)], losses))
    )
    assert rows["lr"].share == pytest.approx(0.5, abs=0.08)


def test_shares_are_of_the_space_not_of_where_the_search_looked():
    rng = np.random.default_rng(4)
    points = rng.random((800, 2)) ** np.array([3.0, 1.0])  # the search looked mostly at low x0
    rows = by_name(importance(on_unit_cube(points, points @ np.array([1.0, 1.0]))))
    assert rows["x0"].share == pytest.approx(0.5, abs=0.1)


def conditional(n_trials=500):
    rng = np.random.default_rng(5)
    configurations, losses = [], []
    for _ in range(n_trials):
        configuration = {"optimizer": ["adamw", "sgd"][rng.integers(2)], "k": 3}
        if configuration["optimizer"] == "sgd":
            configuration["momentum"] = float(rng.uniform(0, 1))
        configurations.append(configuration)
        losses.append(configuration.get("momentum", 0.5))
    space = {"optimizer": ["adamw", "sgd"], "momentum": {"min": 0.0, "max": 1.0, "when": {"optimizer": "sgd"}}, "k": 3}
    return study(space, configurations, losses)


def test_conditional_parameter_counts_half_where_it_is_active_half_the_time():
    result = importance(conditional())
    rows = by_name(result)
    # f = m if sgd else 1/2: Var = Var(m)/2, main effect of m Var(m)/4, the rest is the pair's.
    assert rows["momentum"].share == pytest.approx(0.5, abs=0.08)
    assert rows["optimizer"].share == pytest.approx(0.0, abs=0.05)
    assert result.pairs[0].share == pytest.approx(0.5, abs=0.08)


def test_constants_are_not_ranked():
    assert {row.name for row in importance(conditional()).parameters} == {"optimizer", "momentum"}


def test_failures_are_explained_by_what_makes_trials_fail():
    points = np.random.default_rng(6).random((200, 3))
    losses = np.where(points[:, 1] > 0.7, np.nan, points[:, 0])
    history = on_unit_cube(points, losses)
    assert importance(history, about="failure").parameters[0].name == "x1"
    assert importance(history).parameters[0].name == "x0"


def test_training_time_has_an_importance_of_its_own():
    points = np.random.default_rng(7).random((100, 3))
    assert importance(on_unit_cube(points, points[:, 0]), about="seconds").parameters[0].name == "x1"


def test_one_disaster_does_not_take_the_whole_variance():
    points = np.random.default_rng(8).random((200, 2))
    losses = points[:, 0].copy()
    losses[0] = 1e9
    result = importance(on_unit_cube(points, losses))
    assert by_name(result)["x0"].share > 0.8
    assert "1 far-off value was drawn in" in result.sentence


def test_noise_is_called_noise():
    rng = np.random.default_rng(9)
    result = importance(on_unit_cube(rng.random((60, 4)), rng.standard_normal(60)))
    assert result.parameters == ()
    assert "looks like noise" in result.sentence


def test_study_that_only_fails_blames_no_parameter(make_history):
    sentence = importance(make_history([None] * 12), about="failure").sentence
    assert sentence == "All 12 trials failed, wherever they lay."


@pytest.mark.parametrize(
    ("n_trials", "n_dims", "sentence"),
    [
        (0, 3, "0 trials: too few to rank 3 hyperparameters."),
        (1, 1, "1 trial: too few to rank 1 hyperparameter."),
        (7, 9, "7 trials: too few to rank 9 hyperparameters."),
        (100, 60, "100 trials: too few to rank 60 hyperparameters."),
    ],
)
def test_too_few_trials_get_an_honest_sentence(n_trials, n_dims, sentence):
    points = np.random.default_rng(0).random((n_trials, n_dims))
    result = importance(on_unit_cube(points, points.sum(axis=1)))
    assert (result.sentence, result.parameters) == (sentence, ())


def test_equal_values_get_an_honest_sentence():
    result = importance(on_unit_cube(np.random.default_rng(0).random((20, 2)), np.full(20, 0.1)))
    assert result.sentence == "All 20 trials have the same loss: there is nothing to rank."


def test_space_of_constants_gets_an_honest_sentence():
    result = importance(study({"k": 3, "one": [1]}, [{"k": 3, "one": 1}] * 20, np.arange(20.0)))
    assert "nothing to rank" in result.sentence


def test_sixty_parameters_are_ranked_with_enough_trials():
    points = np.random.default_rng(0).random((130, 60))
    result = importance(on_unit_cube(points, points[:, 7]))
    assert result.parameters[0].name == "x7"
    assert len(result.parameters) == 60


def test_same_history_gives_the_same_importance():
    history = conditional(60)
    assert importance(history) == importance(history)


def test_intervals_are_as_wide_as_what_the_surrogate_leaves_unexplained():
    rng = np.random.default_rng(3)
    points = rng.random((60, 3))
    found = importance(on_unit_cube(points, points @ [3.0, 1.0, 0.0] + 0.8 * rng.standard_normal(60)))
    assert 0.1 < found.explained < 0.9
    for row in found.parameters:
        missed = (1 - found.explained) * np.sqrt(row.total * (1 - row.total))
        assert row.interval.high >= min(row.total + missed, 1) - 1e-9
        assert row.interval.low <= max(row.total - missed, 0) + 1e-9
