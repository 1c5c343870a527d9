"""The picture of an answer is well-formed, small, and shows what was measured."""

from xml.etree import ElementTree as ET

import pytest

from pegbox.report.answer_figure import Measured, draw_figure
from pegbox.report.incumbent import front_of
from pegbox.report.svg import Axis, data_uri, safe
from pegbox.schemas.plan import Objective
from pegbox.schemas.selection import Finalist, FrontPoint, Interval, Selection

HOSTILE = """</text><script>alert(1)</script>" \x1b[31m & ]]>"""
LOSS = (Objective(metric="loss"),)
BOTH = (*LOSS, Objective(metric="speed", goal="maximize"))
TRIALS = tuple(Measured(number, (1 / (number + 1),)) for number in range(5))
PAIRS = tuple(Measured(number, (float(number), number**2.0), is_kept=number != 3) for number in range(5))


def words(svg: str) -> list[str]:
    """All texts, from a reader of XML, which raises where it is not well-formed."""
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def selection_of(**changes: object) -> Selection:
    finalist = Finalist(
        trial=4,
        configuration={},
        search_value=0.2,
        values=(0.2, 0.3),
        mean=0.25,
        interval=Interval(low=0.1, high=0.4),
        probability_best=1,
    )
    selection = Selection(
        study="s", metric="loss", goal="minimize", winner=4, configuration={}, finalists=(finalist,), reason="."
    )
    return selection.model_copy(update=changes)


def test_before_the_first_value_the_picture_says_so():
    assert words(draw_figure(LOSS, (), None, None)) == ["No trial has a value yet."]


def test_one_objective_is_drawn_by_trial_with_the_best_so_far():
    svg = draw_figure(LOSS, TRIALS, None, None)

    assert words(svg)[:3] == ["loss by trial", "0.2000", "1.000"]
    assert svg.count("#f92672") == 1


def test_finalists_stand_beside_the_search():
    svg = draw_figure(LOSS, TRIALS, None, selection_of())

    assert "loss on fresh seeds" in words(svg)
    assert "trial 4" in words(svg)


def test_several_objectives_are_drawn_against_each_other_with_the_front():
    front = front_of([(one.trial, one.values) for one in PAIRS], BOTH)
    point = FrontPoint(
        trial=4,
        estimates={"loss": 4.0, "speed": 16.0},
        intervals={"loss": Interval(low=3, high=5)},
        probability=1,
    )

    texts = words(draw_figure(BOTH, PAIRS, front, selection_of(front=(point,))))

    assert texts[0] == "speed against loss"
    assert "4" in texts
    assert "pale red: breaks a constraint" in texts


def test_of_three_objectives_the_first_two_are_drawn_and_said_so():
    three = (*BOTH, Objective(metric="size"))
    trials = tuple(Measured(one.trial, (*one.values, 1.0)) for one in PAIRS)

    assert "(the first two of 3 objectives)" in words(draw_figure(three, trials, None, None))[0]


def test_a_hostile_name_is_only_text():
    goals = (Objective(metric=HOSTILE),)

    svg = draw_figure(goals, TRIALS, None, selection_of())

    assert "<script" not in svg
    assert "</text><script>alert(1)</script>" in words(svg)[0]


@pytest.mark.parametrize("values", [(0.5,), (0.5, 0.5, 0.5), (1e308, -1e308), (1e-300, 1e300)])
def test_values_of_any_size_are_drawn_inside_the_picture(values):
    trials = tuple(Measured(number, (value,)) for number, value in enumerate(values))

    svg = draw_figure(LOSS, trials, None, None)

    assert "nan" not in svg
    assert "inf" not in svg


def test_one_value_that_exploded_does_not_flatten_the_others():
    trials = (*(Measured(number, (0.1 + number / 100,)) for number in range(20)), Measured(20, (1e9,)))

    assert words(draw_figure(LOSS, trials, None, None))[2] == "0.2800"


def test_a_study_of_many_trials_has_a_small_picture():
    trials = tuple(Measured(number, (1 / (number + 1),)) for number in range(20000))

    assert len(draw_figure(LOSS, trials[::-1][:10000], None, None)) < 20_000


def test_an_axis_keeps_what_lies_beyond_at_its_end():
    axis = Axis(0, 10, 100, 200)

    assert [axis(value) for value in (-5, 0, 5, 10, 15, float("nan"))] == [100, 100, 150, 200, 200, 150]


def test_the_address_of_a_picture_holds_it_whole():
    assert data_uri("<svg/>") == "data:image/svg+xml;base64,PHN2Zy8+"


def test_what_xml_cannot_hold_is_replaced():
    assert safe("a\x00<b>\n") == "a\N{REPLACEMENT CHARACTER}&lt;b&gt;\N{REPLACEMENT CHARACTER}"
