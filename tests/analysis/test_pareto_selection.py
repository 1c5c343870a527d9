import pytest

from pegbox.analysis.elimination import next_replicates
from pegbox.analysis.selection import select_winner
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.trial import Evaluation

OBJECTIVES = [{"metric": "accuracy", "goal": "maximize"}, {"metric": "size"}]
NOISE = (-0.01, 0.0, 0.01)


def two_objectives(make_history, means):
    """Trials with fresh seeds around these means of accuracy and size."""
    history = make_history([0.0] * len(means), objective=None, objectives=OBJECTIVES)
    trials = tuple(
        trial.model_copy(
            update={
                "evaluations": (Evaluation(budget=9, metrics={"accuracy": accuracy, "size": size}),),
                "replicates": tuple(
                    Evaluation(budget=9, metrics={"accuracy": accuracy + e, "size": size - e}, replicate=seed)
                    for seed, e in enumerate(NOISE)
                ),
            }
        )
        for trial, (accuracy, size) in zip(history.trials, means, strict=True)
    )
    return history.model_copy(update={"trials": trials})


def test_knee_of_the_front_wins(make_history):
    selection = select_winner(two_objectives(make_history, [(0.9, 9.0), (0.85, 2.0), (0.3, 1.0), (0.2, 8.0)]))
    assert selection.winner == 1
    assert set(selection.ties) == {0, 2}
    assert "knee of the front of accuracy and size" in selection.reason


def test_front_states_every_objective_with_its_interval(make_history):
    selection = select_winner(two_objectives(make_history, [(0.9, 9.0), (0.85, 2.0), (0.3, 1.0), (0.2, 8.0)]))
    point = next(one for one in selection.front if one.trial == 1)
    assert point.estimates["accuracy"] == pytest.approx(0.85, abs=0.02)
    assert point.intervals["size"].low < 2.0 < point.intervals["size"].high
    assert point.probability > 0.95
    assert 0 < selection.hypervolume.low < selection.hypervolume.high <= 1.1


def test_finalist_best_in_everything_stands_alone(make_history):
    selection = select_winner(two_objectives(make_history, [(0.9, 1.0), (0.5, 5.0)]))
    assert (selection.winner, selection.ties, len(selection.front)) == (0, (), 1)
    assert "best finalist in accuracy and size at once" in selection.reason


def test_finalist_that_cannot_be_on_the_front_gets_no_more_seeds(make_history):
    history = two_objectives(make_history, [(0.9, 9.0), (0.85, 2.0), (0.3, 1.0), (0.2, 8.0)])
    assert {(one.trial, one.replicate) for one in next_replicates(history)} == {(0, 3), (1, 3), (2, 3)}


def test_finalists_without_one_of_the_metrics_are_an_error(make_history):
    history = make_history([0.1], {0: [0.1, 0.2]}, objective=None, objectives=OBJECTIVES)
    with pytest.raises(NoTrialSucceededError, match="accuracy, size"):
        select_winner(history)
