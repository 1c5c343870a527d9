import pytest

from pegbox.report.compare import compare_in_store
from pegbox.schemas.decision import Start
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import DecisionMade, RunStarted, TrialEvaluated
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrialState
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

SEEDS = (-0.01, 0.0, 0.01)


def write_study(root, name, losses, metric="loss", data_fingerprint=None, **changes):
    """Trials with three fresh seeds each."""
    spec = StudySpec.model_validate(
        {
            "name": name,
            "train": {"kind": "function", "function": "my_project:train"},
            "space": {"x": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": metric},
            "budget": {"trials": 10},
            **changes,
        }
    )
    run = RunStarted(study=name, run="r", host="h", pid=1, data_fingerprint=data_fingerprint)
    with open_study(open_store(root), spec, run) as log:
        for number, loss in enumerate(losses):
            start = Start(configuration={"x": number / 10}, to_budget=1)
            fresh = [
                Evaluation(budget=1, metrics={metric: loss + e, "speed": loss + e}, replicate=seed)
                for seed, e in enumerate(SEEDS)
            ]
            log.record(
                DecisionMade(
                    study=name, number=number, saw=1, elapsed_seconds=1.0, decision=start, trial=number, seed=number
                ),
                *(
                    TrialEvaluated(study=name, trial=number, evaluation=one, state=TrialState.COMPLETED)
                    for one in (Evaluation(budget=1, metrics={metric: loss, "speed": loss}), *fresh)
                ),
            )
        log.close("completed")


def test_two_trials_of_a_study_are_compared_by_number(tmp_path):
    write_study(tmp_path, "one", [0.1, 0.9])
    comparison = compare_in_store(tmp_path, "0", "1", "one")
    assert comparison.sentence == "Trial 0 is better than trial 1."
    assert [one.name for one in comparison.differences] == ["x"]


def test_two_studies_are_compared_by_their_best(tmp_path):
    write_study(tmp_path, "one", [0.9, 0.1])
    write_study(tmp_path, "two", [0.5])
    comparison = compare_in_store(tmp_path, "one", "two")
    assert comparison.sentence == "Trial 1 of one is better than trial 0 of two."
    assert comparison.note == ""


def test_unknown_trial_is_an_error(tmp_path):
    write_study(tmp_path, "one", [0.1])
    with pytest.raises(NotFoundError, match="no trial 7: it has 1, counted from 0"):
        compare_in_store(tmp_path, "0", "7")


def test_studies_of_different_metrics_are_not_compared(tmp_path):
    write_study(tmp_path, "one", [0.1])
    write_study(tmp_path, "two", [0.1], metric="error")
    with pytest.raises(NotFoundError, match="no objective in common"):
        compare_in_store(tmp_path, "one", "two")


def test_studies_of_different_data_are_not_compared(tmp_path):
    write_study(tmp_path, "one", [0.1], data={"source": "sklearn:digits", "target": "target"})
    write_study(tmp_path, "two", [0.1], data={"source": "sklearn:iris", "target": "target"})
    with pytest.raises(NotFoundError, match="different data"):
        compare_in_store(tmp_path, "one", "two")


def test_studies_of_one_source_whose_data_changed_are_told_apart(tmp_path):
    write_study(tmp_path, "one", [0.1], data_fingerprint="aaaaaaaaaa")
    write_study(tmp_path, "two", [0.2], data_fingerprint="bbbbbbbbbb")
    assert "different data (aaaaaaaa and bbbbbbbb)" in compare_in_store(tmp_path, "one", "two").note


def test_several_objectives_are_compared_one_by_one(tmp_path):
    goals = [{"metric": "loss"}, {"metric": "speed", "goal": "maximize"}]
    write_study(tmp_path, "both", [0.1, 0.9], objective=None, objectives=goals)

    comparison = compare_in_store(tmp_path, "0", "1")

    assert comparison.sentence == ("By loss: Trial 0 is better than trial 1. By speed: Trial 1 is better than trial 0.")
    assert (comparison.metric, [one.metric for one in comparison.others]) == ("loss", ["speed"])


def test_studies_that_share_an_objective_are_compared_by_it_alone(tmp_path):
    goals = [{"metric": "loss"}, {"metric": "speed", "goal": "maximize"}]
    write_study(tmp_path, "both", [0.9], objective=None, objectives=goals)
    write_study(tmp_path, "one", [0.1])

    comparison = compare_in_store(tmp_path, "both", "one")

    assert comparison.sentence == "Trial 0 of one is better than trial 0 of both."
    assert comparison.others == ()
