"""The answer on a terminal: several objectives, constraints, reasons, and narrow windows."""

import io

import pytest
from rich.console import Console

from pegbox.cli.answer_panel import draw_answer, frame
from pegbox.cli.console import THEME
from pegbox.report.answer import answer_of
from pegbox.report.incumbent import BrokenConstraint, Incumbent, front_of
from pegbox.report.progress import FailureExample, Tally
from pegbox.report.status import RunState, status_of
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Finalist, FrontPoint, Interval, Selection
from pegbox.schemas.study import StudySpec

GOALS = (Objective(metric="loss"), Objective(metric="speed", goal="maximize"))
BEST = Incumbent(trial=2, value=0.5, values={"loss": 0.5}, budget=9, configuration={"x": 1})
FINALISTS = tuple(
    Finalist(
        trial=trial,
        configuration={"x": 1},
        search_value=0.4,
        values=(0.5, 0.6, 0.7),
        mean=0.6,
        interval=Interval(low=0.5, high=0.75),
        n_failed=trial - 2,
        probability_best=0.5,
    )
    for trial in (2, 3)
)
SELECTION = Selection(
    study="s",
    metric="loss",
    goal="minimize",
    winner=2,
    configuration={"x": 1},
    finalists=FINALISTS,
    ties=(3,),
    reason="It is best.",
    baseline=2,
)
POINT = FrontPoint(
    trial=2,
    estimates={"loss": 0.5, "speed": 30.0},
    intervals={"loss": Interval(low=0.4, high=0.6), "speed": Interval(low=28, high=32)},
    probability=0.9,
)
FRONT = SELECTION.model_copy(
    update={"front": (POINT,), "ties": (), "hypervolume": Interval(low=0.25, high=0.5), "baseline": None}
)


def answer(selection: Selection | None = None, *, several: bool = False, **tally: object):
    objective = {"objectives": GOALS} if several else {"objective": GOALS[0]}
    spec = StudySpec.model_validate(
        {
            "name": "s",
            "train": {"kind": "function", "function": "a:b"},
            "space": {"x": [1, 2, 3]},
            "budget": {"trials": 3},
            **objective,
        }
    )
    status = status_of(spec, Tally.model_validate(tally), RunState(status="completed"))
    return answer_of(spec, status, selection)


def shown(drawn: object, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None, theme=THEME)
    console.print(drawn)
    return console.file.getvalue()


def test_a_front_is_shown_with_every_objective_and_its_knee():
    text = shown(draw_answer(answer(FRONT, several=True), 100))

    assert "loss = 0.50 ± 0.10   speed = 30.0 ± 2.0   trial 2 · 95 % interval, 3 fresh seeds" in text
    assert "trial          loss        speed   P(on the front)" in text
    assert "90 %   knee" in text
    assert "hypervolume 0.25 to 0.50" in text
    assert "cannot tell" not in text


def test_before_a_winner_the_front_is_the_one_that_the_search_saw():
    front = front_of([(number, (float(number), float(number))) for number in range(20)], GOALS)
    best = BEST.model_copy(update={"values": {"loss": 9.0, "speed": 9.0}, "trial": 9})

    text = shown(draw_answer(answer(several=True, front=front, incumbent=best), 100))

    assert "loss 9.000, speed 9.000   trial 9 · the knee of the front as the search saw it" in text
    assert "+8" in text


def test_finalists_say_what_failed_and_what_cannot_be_told_apart():
    text = shown(draw_answer(answer(SELECTION), 100))

    assert "winner" in text
    assert "cannot be told from it, 1 seed failed" in text
    assert "Nothing beat the configuration that you gave" in text


def test_why_it_searched_so_and_why_it_ended_is_told():
    text = shown(draw_answer(answer(SELECTION, search_end="All 3 configurations have been tried."), 100))

    assert "ended    All 3 configurations have been tried." in text
    assert "method   grid, chosen by auto: All 3 configurations of the space fit" in text


def test_what_constraints_leave_out_is_told_once():
    broken = [BrokenConstraint(metric="size", limit="at most 9", n_broken=2, nearest=12)]

    some = shown(draw_answer(answer(incumbent=BEST, counts={"completed": 3}, broken=broken), 100))
    none = shown(draw_answer(answer(counts={"completed": 2}, broken=broken), 100))

    assert "2 of 3 completed break size at most 9; the nearest has 12.00" in some
    assert none.count("size at most 9") == 1
    assert none.startswith("No trial keeps every constraint.")


def test_a_study_that_only_failed_shows_one_failure():
    failure = FailureExample(trial=1, message="ValueError: no\nmore")

    text = shown(draw_answer(answer(counts={"failed": 2}, failures={"error": 2}, failure=failure), 100))

    assert "such as  trial 1 failed: ValueError: no " in text


@pytest.mark.parametrize("width", [48, 60, 80, 200])
@pytest.mark.parametrize(("selection", "several"), [(SELECTION, False), (FRONT, True)])
def test_no_value_is_cut_on_a_narrow_terminal(width, selection, several):
    lines = shown(frame(answer(selection, several=several), width), width).splitlines()

    assert {len(line) for line in lines} == {min(width, 100)}
    assert not any("…" in line for line in lines)
