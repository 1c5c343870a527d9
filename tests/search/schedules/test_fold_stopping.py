"""Trials that are stopped between folds."""

import numpy as np
import pytest

from pegbox.schemas.decision import Stop
from pegbox.schemas.history import History
from pegbox.schemas.trial import Evaluation, Trial, TrialState
from pegbox.search.methods import strategy_for
from pegbox.search.schedules.fold_stopping import hopeless_between_folds
from pegbox.testing.studies import study

DATA = {"source": "sklearn:iris", "target": "target", "split": {"folds": 5}}
FIDELITY = {"schedule": "median", "min": 3, "max": 9}
HARDNESS = (0.0, 0.1, 5.0, 0.2, 0.3)
"""What each fold adds to the loss of every trial."""


def trial(number: int, loss: float, n_folds: int, *, budget: int = 9, reached: int = 0) -> Trial:
    """A trial that has seen the first folds, on its way to a budget; finished where it has seen all."""
    folds = tuple(
        Evaluation(budget=budget, metrics={"loss": loss + HARDNESS[fold]}, fold=fold) for fold in range(n_folds)
    )
    state = TrialState.COMPLETED if n_folds == 5 else TrialState.RUNNING
    return Trial(
        number=number,
        configuration={"x": number / 100},
        seed=number,
        state=state,
        budget=reached,
        to_budget=budget,
        folds=folds,
    )


def history_of(*trials: Trial, **changes: object) -> History:
    sections = {"data": DATA, "fidelity": FIDELITY, **changes}
    return History(spec=study({"x": {"min": 0.0, "max": 1.0}}, **sections), trials=trials)


def five_good() -> list[Trial]:
    return [trial(number, 1.0 + number / 100, 5) for number in range(5)]


def test_a_hopeless_trial_does_not_see_the_other_folds() -> None:
    assert hopeless_between_folds(history_of(*five_good(), trial(5, 2.0, 2))) == 5


def test_a_good_trial_goes_on_to_the_next_fold() -> None:
    assert hopeless_between_folds(history_of(*five_good(), trial(5, 0.5, 2))) is None


def test_trials_are_compared_on_the_folds_that_they_share() -> None:
    assert hopeless_between_folds(history_of(*five_good(), trial(5, 0.9, 3))) is None
    assert hopeless_between_folds(history_of(*five_good(), trial(5, 1.2, 2))) == 5


def test_one_fold_says_too_little() -> None:
    assert hopeless_between_folds(history_of(*five_good(), trial(5, 9.0, 1))) is None


def test_nobody_is_judged_by_few_others() -> None:
    assert hopeless_between_folds(history_of(*five_good()[:4], trial(4, 9.0, 2))) is None


def test_folds_of_an_earlier_rung_say_nothing_of_this_one() -> None:
    climbing = trial(5, 9.0, 2, budget=3).model_copy(update={"budget": 3, "to_budget": 9})

    assert hopeless_between_folds(history_of(*five_good(), climbing)) is None


@pytest.mark.parametrize("changes", [{"fidelity": {"schedule": "full"}}, {"data": {**DATA, "split": {"folds": 2}}}])
def test_a_study_that_stops_nothing_early_sees_all_folds(changes: dict[str, object]) -> None:
    assert hopeless_between_folds(history_of(*five_good(), trial(5, 9.0, 2), **changes)) is None


def test_with_several_objectives_a_trial_on_the_front_goes_on() -> None:
    def both(one: Trial, size: float) -> Trial:
        folds = (fold.model_copy(update={"metrics": fold.metrics | {"size": size}}) for fold in one.folds)
        return one.model_copy(update={"folds": tuple(folds)})

    others = [both(one, size=10.0) for one in five_good()]
    goals = {"objectives": [{"metric": "loss"}, {"metric": "size"}]}

    assert hopeless_between_folds(history_of(*others, both(trial(5, 9.0, 2), size=1.0), **goals)) is None
    assert hopeless_between_folds(history_of(*others, both(trial(5, 9.0, 2), size=11.0), **goals)) == 5


def test_the_strategy_of_the_study_decides_it() -> None:
    history = history_of(*five_good(), trial(5, 2.0, 2))

    assert strategy_for(history.spec).next(history, np.random.default_rng(0)) == Stop(trial=5)


def test_a_trial_that_breaks_a_constraint_on_its_folds_is_hopeless() -> None:
    limit = {"constraints": ({"metric": "loss", "min": 0.9},)}
    assert hopeless_between_folds(history_of(*five_good(), trial(5, 0.5, 2), **limit)) == 5
