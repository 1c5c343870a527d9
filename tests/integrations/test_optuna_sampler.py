import copy
import pickle
from typing import Any

import optuna
import pytest

from pegbox.integrations.optuna import BayesSampler
from pegbox.integrations.optuna_conditions import Condition, inferred_conditions

optuna.logging.set_verbosity(optuna.logging.ERROR)


def bowl(trial: optuna.Trial) -> float:
    x, y = trial.suggest_float("x", -1, 1), trial.suggest_float("y", 1e-4, 1.0, log=True)
    return (x - 0.3) ** 2 + (y - 0.01) ** 2


def studied(objective: Any, n_trials: int, sampler: Any = None, **arguments: Any) -> optuna.Study:
    study = optuna.create_study(sampler=sampler or BayesSampler(seed=0), **arguments)
    study.optimize(objective, n_trials=n_trials)
    return study


def test_the_model_comes_closer_than_random_draws() -> None:
    ours = studied(bowl, 16).best_value
    theirs = [studied(bowl, 16, optuna.samplers.RandomSampler(seed=seed)).best_value for seed in range(5)]
    assert ours < sorted(theirs)[2] / 2


def test_a_maximised_value_is_made_large() -> None:
    assert studied(lambda trial: -bowl(trial), 12, direction="maximize").best_value > -5e-3


def test_the_same_seed_and_trials_propose_the_same() -> None:
    whole = studied(bowl, 12)
    begun = studied(bowl, 7)
    # As after a restart: another sampler object over the same trials.
    begun.sampler = BayesSampler(seed=0)
    begun.optimize(bowl, n_trials=5)
    assert [one.params for one in begun.trials[1:]] == [one.params for one in whole.trials[1:]]


def test_a_sampler_can_be_pickled_and_goes_on() -> None:
    study = studied(bowl, 6)
    restored = pickle.loads(pickle.dumps(study.sampler))
    other = copy.deepcopy(study)
    other.sampler = restored
    assert study.ask().relative_params == other.ask().relative_params


def branching(trial: optuna.Trial) -> float:
    if trial.suggest_categorical("kind", ["tree", "net"]) == "tree":
        return 1 + (trial.suggest_int("depth", 1, 12) - 7) ** 2
    layers = [trial.suggest_float(f"units_{at}", 0, 1) for at in range(trial.suggest_int("layers", 1, 3))]
    return sum((units - 0.2) ** 2 for units in layers) / len(layers)


def test_branches_of_a_define_by_run_objective_are_one_conditional_space() -> None:
    study = studied(branching, 20)
    space = BayesSampler().infer_relative_search_space(study, study.trials[0])
    conditions = inferred_conditions(study.trials, space)
    assert conditions["kind"] is None
    assert conditions["depth"] == Condition("kind", ("tree",))
    assert conditions["layers"] == Condition("kind", ("net",))
    assert conditions["units_2"] == Condition("layers", (3,))
    late = [trial.params for trial in study.trials[12:]]
    # The better branch is learnt although `kind` has two values only, and what was not asked for was not proposed.
    assert sum(params["kind"] == "net" for params in late) > len(late) * 0.7
    assert study.best_value < 1e-2


def test_a_parameter_that_nothing_explains_is_modelled_by_its_own_trials() -> None:
    calls = iter(range(100))

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -1, 1)
        return x**2 + (trial.suggest_float("y", -1, 1) ** 2 if next(calls) % 2 else 0.0)

    study = studied(objective, 14)
    assert abs(study.trials[-1].params["y"]) < 0.3
    assert set(study.ask().relative_params) == {"x", "y"}


def test_trials_that_keep_constraints_are_looked_for() -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        trial.set_constraint("size", 0.7 - x)
        return x

    study = studied(objective, 15)
    late = [trial.params["x"] for trial in study.trials[8:]]
    # The best lies at 0.7, on the border of what is allowed: proposals are near it, not at 0.
    assert min(abs(x - 0.7) for x in late) < 0.03
    assert sum(x > 0.5 for x in late) > len(late) / 2


def test_pruned_trials_teach_the_model() -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", -1, 1)
        for step in range(9):
            trial.report(x**2 + 1 / (step + 1), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return x**2 + 1 / 9

    study = studied(objective, 14, pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3))
    assert {trial.state.name for trial in study.trials} == {"COMPLETE", "PRUNED"}
    assert abs(study.best_params["x"]) < 0.05


def test_several_objectives_are_traded() -> None:
    def objective(trial: optuna.Trial) -> tuple[float, float]:
        x = trial.suggest_float("x", 0, 1)
        return x**2, (x - 1) ** 2

    front = studied(objective, 14, directions=["minimize", "minimize"]).best_trials
    assert len(front) > 7


@pytest.mark.parametrize("value", [float("inf"), None], ids=["infinite", "failed"])
def test_a_trial_without_a_value_is_no_obstacle(value: float | None) -> None:
    def objective(trial: optuna.Trial) -> float | None:
        x = trial.suggest_float("x", 0, 1)
        return value if x < 0.5 else x

    study = studied(objective, 12)
    assert sum(trial.params["x"] >= 0.5 for trial in study.trials[6:]) >= 3  # the best lies where failing begins


def test_a_range_that_our_schema_refuses_is_drawn_at_random() -> None:
    study = studied(lambda trial: trial.suggest_float("x", 1.0, 1.0 + 1e-15), 3)
    assert len(study.trials) == 3


def test_choices_of_any_kind_come_back_as_they_are() -> None:
    choices = [None, True, 1.5, "text"]
    study = studied(lambda trial: float(trial.suggest_categorical("x", choices) is not True), 8)
    assert study.best_params["x"] is True
    assert all(trial.params["x"] in choices for trial in study.trials)
