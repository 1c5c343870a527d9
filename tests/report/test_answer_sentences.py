"""The sentence of an answer claims no more than was measured."""

import pytest

from pegbox.report.answer_sentences import verdict
from pegbox.report.incumbent import BrokenConstraint, Incumbent, front_of
from pegbox.report.progress import Tally
from pegbox.report.status import RunState, StudyStatus, status_of
from pegbox.schemas.selection import Finalist, FrontPoint, Interval, Selection
from pegbox.schemas.study import StudySpec

BEST = Incumbent(trial=2, value=0.5, values={"loss": 0.5, "speed": 3.0}, budget=9, configuration={"x": 1})
GOALS = [{"metric": "loss"}, {"metric": "speed", "goal": "maximize"}]
FINALIST = Finalist(
    trial=2,
    configuration={"x": 1},
    search_value=0.4,
    values=(0.5, 0.6),
    mean=0.55,
    estimate=0.56,
    interval=Interval(low=0.46, high=0.66),
    probability_best=0.9,
)


def status(tally: dict[str, object], **changes: object) -> StudyStatus:
    spec = StudySpec.model_validate(
        {
            "name": "s",
            "train": {"kind": "function", "function": "a:b"},
            "space": {"x": [1, 2]},
            "objective": {"metric": "loss"},
            "budget": {"trials": 10},
            **changes,
        }
    )
    return status_of(spec, Tally.model_validate(tally), RunState(status="interrupted"))


@pytest.mark.parametrize(
    ("tally", "sentence"),
    [
        ({}, "No trial has a value yet: none has begun."),
        ({"counts": {"running": 2}}, "No trial has a value yet: 2 running."),
        (
            {"counts": {"failed": 3}, "failures": {"out_of_memory": 3}},
            "No trial has a value: all 3 trials failed (3 out of memory).",
        ),
        ({"counts": {"failed": 1}, "failures": {"error": 1}}, "No trial has a value: the only trial failed (1 error)."),
        ({"counts": {"failed": 1, "running": 1}}, "No trial has a value yet: 1 failed, 1 running."),
        (
            {
                "counts": {"completed": 4},
                "broken": [BrokenConstraint(metric="p", limit="at most 9", n_broken=4, nearest=12)],
            },
            "No trial keeps every constraint. All 4 trials break p at most 9; the nearest has 12.00.",
        ),
        (
            {"counts": {"completed": 4}, "broken": [BrokenConstraint(metric="p", limit="at most 9", n_broken=3)]},
            "No trial keeps every constraint. 3 of 4 completed trials break p at most 9; none reported it.",
        ),
        (
            {"counts": {"completed": 1}, "incumbent": BEST},
            "Trial 2 has the best loss that the search saw, 0.5000. It was picked by that value, so that it is "
            "optimistic.",
        ),
    ],
)
def test_a_study_without_a_winner_is_told_as_it_is(tally, sentence):
    assert verdict(status(tally), None) == sentence


def test_a_front_is_told_by_its_knee():
    front = front_of([(1, (0.4, 2.0)), (2, (0.5, 3.0))], status({}, objective=None, objectives=GOALS).objectives)
    several = status({"counts": {"completed": 2}, "incumbent": BEST, "front": front}, objective=None, objectives=GOALS)

    assert "the knee of a front of 2 trials" in verdict(several, None)
    assert "loss 0.5000 and speed 3.000" in verdict(several, None)


def selection_of(**changes: object) -> Selection:
    selection = Selection(
        study="s",
        metric="loss",
        goal="minimize",
        winner=2,
        configuration={"x": 1},
        finalists=(FINALIST,),
        reason="It is best.",
    )
    return selection.model_copy(update=changes)


def test_a_winner_is_told_with_its_interval_and_seeds():
    assert verdict(status({}), selection_of()) == (
        "Run trial 2: loss 0.56 ± 0.10 (95 % interval, 2 fresh seeds). It is best."
    )


def test_one_seed_has_no_interval_to_tell():
    alone = FINALIST.model_copy(update={"values": (0.5,), "interval": None, "estimate": None, "mean": 0.5})

    assert verdict(status({}), selection_of(finalists=(alone,))) == (
        "Run trial 2: loss 0.5000 (1 fresh seed). It is best."
    )


def test_a_winner_among_several_objectives_is_told_with_each():
    interval = Interval(low=2.9, high=3.1)
    point = FrontPoint(trial=2, estimates={"loss": 0.5, "speed": 3.0}, intervals={"speed": interval}, probability=1)

    assert verdict(status({}), selection_of(front=(point,))).startswith("Run trial 2: loss 0.5000, speed 3.00 ± 0.10.")
