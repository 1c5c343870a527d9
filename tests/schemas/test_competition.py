"""Which trials compete and which of them leads, decided once for every reader."""

from typing import Any

import numpy as np
import pytest

from pegbox.schemas.competition import Exclusion, excluded_by, knee, leaders_of, may_win, undominated
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial

BASE = {
    "name": "s",
    "train": {"kind": "function", "function": "a:b", "epochs": 9},
    "space": {"x": {"min": 0.0, "max": 1.0}},
    "objective": {"metric": "loss"},
    "constraints": [{"metric": "size", "max": 10}],
    "budget": {"trials": 9},
}


def spec_of(**changes: Any) -> StudySpec:
    return StudySpec.model_validate({**BASE, **changes})


def trial_of(state: str = "completed", x: float = 0.5, fresh: tuple[float, ...] = (), **metrics: float) -> Trial:
    measured = {"loss": 0.3, "size": 10.0, **metrics}
    return Trial(
        number=0,
        configuration={"x": x},
        seed=0,
        state=state,
        budget=9,
        evaluations=(Evaluation(budget=9, metrics=measured),),
        replicates=tuple(
            Evaluation(budget=9, metrics={**measured, "size": size}, replicate=seed) for seed, size in enumerate(fresh)
        ),
    )


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        (trial_of(), None),
        (trial_of("failed"), Exclusion.FAILED),
        (trial_of("stopped"), Exclusion.UNFINISHED),
        (trial_of("paused"), Exclusion.UNFINISHED),
        (trial_of(x=1.5), Exclusion.OUTSIDE_SPACE),
        (trial_of(size=10.5), Exclusion.BREAKS_CONSTRAINT),
        (trial_of(fresh=(9.0, 12.0)), Exclusion.BREAKS_CONSTRAINT),
        (trial_of(fresh=(9.0, 11.0)), None),
        (trial_of(size=12.0, fresh=(9.0,)), None),
    ],
)
def test_a_trial_competes_or_the_first_reason_is_named(trial: Trial, reason: Exclusion | None) -> None:
    assert excluded_by(spec_of(), trial) is reason


def test_a_trial_without_a_value_of_every_objective_is_unmeasured() -> None:
    several = spec_of(objective=None, objectives=({"metric": "loss"}, {"metric": "speed", "goal": "maximize"}))

    assert excluded_by(several, trial_of()) is Exclusion.UNMEASURED
    assert excluded_by(several, trial_of(speed=1.0)) is None


def test_a_metric_that_was_not_measured_keeps_no_limit() -> None:
    assert excluded_by(spec_of(constraints=[{"metric": "other", "max": 1}]), trial_of()) is Exclusion.BREAKS_CONSTRAINT


def test_how_far_a_trial_was_trained_does_not_say_whether_it_may_win() -> None:
    assert may_win(spec_of(), trial_of("paused"))
    assert not may_win(spec_of(), trial_of("paused", x=1.5))


def test_equal_losses_lead_together_and_the_lowest_number_first() -> None:
    led = leaders_of(spec_of(), [2, 5, 7], np.array([[0.3], [0.2], [0.2]]), None)

    assert (led.front, led.incumbent, led.best, led.is_selected) == ((5, 7), 5, 5, False)


def test_the_knee_leads_several_objectives() -> None:
    several = spec_of(objective=None, objectives=({"metric": "loss"}, {"metric": "cost"}))
    led = leaders_of(several, [0, 1, 2, 3], np.array([[0.0, 9.0], [9.0, 0.0], [2.0, 2.0], [3.0, 3.0]]), None)

    assert (led.front, led.incumbent) == ((0, 2, 1), 2)


def test_nobody_leads_where_no_trial_competes() -> None:
    assert leaders_of(spec_of(), [], np.zeros((0, 1)), None).best is None


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4])
def test_undominated_rows_agree_with_the_definition(n_objectives: int) -> None:
    losses = np.random.default_rng(n_objectives).integers(-2, 4, (80, n_objectives)).astype(float)
    losses[losses == 0] *= -1.0  # -0.0 is no other value than 0.0
    no_worse = (losses[:, None] <= losses[None]).all(axis=-1)
    better = (losses[:, None] < losses[None]).any(axis=-1)
    rows = undominated(losses)

    assert sorted(rows) == np.flatnonzero(~(no_worse & better).any(axis=0)).tolist()
    assert losses[rows, 0].tolist() == sorted(losses[rows, 0])


def test_the_knee_of_values_beyond_all_bounds_is_still_a_row() -> None:
    assert knee(np.array([[-1e308, 1e308], [1e308, -1e308]])) == 0


@pytest.mark.parametrize(
    ("epochs", "method", "fidelity", "rungs"),
    [
        (27, "random", {"schedule": "asha", "min": 3}, (3, 9, 27)),
        (30, "random", {"schedule": "asha", "min": 3}, (3, 9, 30)),
        (10, "random", {"schedule": "median", "min": 1}, (1, 3, 10)),
        (100, "random", {"schedule": "hyperband", "min": 1}, (1, 3, 9, 27, 100)),
        (100, "random", {"schedule": "asha", "min": 1, "max": 20, "factor": 4}, (1, 4, 20)),
        (27, "freeze_thaw", {"min": 3}, (3, 9, 27)),
        (27, "random", {"min": 3}, (27,)),
        (1, "random", {"schedule": "asha"}, (1,)),
    ],
)
def test_rungs_are_those_at_which_trials_are_compared(
    epochs: int, method: str, fidelity: dict[str, Any], rungs: tuple[int, ...]
) -> None:
    train = {"kind": "function", "function": "a:b", "epochs": epochs}

    assert spec_of(train=train, search={"method": method}, fidelity=fidelity).rungs == rungs


MLP = {"data": {"source": "sklearn:iris", "target": "target"}, "train": {"kind": "mlp", "epochs": 27}}
FEW = {"budget": {"epochs": 270}}


@pytest.mark.parametrize(
    ("changes", "name", "rungs", "why"),
    [
        (MLP | FEW, "asha", (3, 9, 27), "no more than 10 whole trainings fit into the budget"),
        (MLP | {"budget": {"time": 60}}, "asha", (3, 9, 27), "once the first show that no more than 15 fit"),
        (MLP | {"budget": {"trials": 9}}, "full", (27,), "or a number of trials"),
        (MLP | {"budget": {"epochs": 27 * 16}}, "full", (27,), "more than 15 whole trainings"),
        (MLP | {"budget": {"epochs": 270, "trials": 9}}, "full", (27,), "or a number of trials"),
        (MLP | FEW | {"train": {"kind": "mlp", "epochs": 20}}, "asha", (3, 9, 20), "no more than 13.5 whole"),
        (MLP | FEW | {"fidelity": {"schedule": "auto", "min": 6}}, "asha", (6, 18, 27), "no more than 10"),
        (MLP | {"train": {"kind": "mlp", "epochs": 8}}, "full", (8,), "less than 9 epochs"),
        (MLP | {"budget": {"epochs": 90}, "fidelity": {"max": 9}}, "asha", (1, 3, 9), "no more than 10"),
        (MLP | {"search": {"method": "freeze_thaw"}}, "full", (1, 3, 9, 27), "freeze_thaw decides itself"),
        (MLP | {"objective": None, "objectives": ({"metric": "loss"}, {"metric": "size"})}, "full", (27,), "several"),
        ({"train": {"kind": "function", "function": "a:b", "epochs": 27}}, "full", (27,), "a function is not known"),
        (
            {"train": {"kind": "command", "command": ["python", "x.py"], "epochs": 27}},
            "full",
            (27,),
            "a command is not",
        ),
    ],
)
def test_auto_stops_trials_early_where_few_whole_trainings_fit(
    changes: dict[str, Any], name: str, rungs: tuple[int, ...], why: str
) -> None:
    raw = {"fidelity": {"schedule": "auto"}} | changes
    spec = spec_of(**raw)

    assert (spec.trial_schedule.name, spec.rungs) == (name, rungs)
    assert why in spec.trial_schedule.told
    assert spec.trial_schedule.told.startswith(f"{name} (auto: ")
