"""What a search has reached: fronts, hypervolume, knees and broken constraints."""

import pytest

from pegbox.report.incumbent import broken_in_words, front_of, limit_in_words
from pegbox.schemas.plan import Constraint, Objective
from pegbox.storage.queries.competing import BrokenLimit

GOALS = (Objective(metric="loss"), Objective(metric="speed", goal="maximize"))


def test_the_front_holds_what_no_other_beats_in_both_directions():
    front = front_of([(0, (1.0, 1.0)), (1, (2.0, 3.0)), (2, (2.0, 2.0)), (3, (3.0, 3.0))], GOALS)

    assert [one.trial for one in front.trials] == [0, 1]
    assert front.trials[1].values == {"loss": 2.0, "speed": 3.0}


def test_the_knee_is_nearest_to_the_best_of_all():
    assert front_of([(4, (0.0, 0.0)), (5, (0.2, 0.8)), (6, (1.0, 1.0))], GOALS).knee == 5


def test_hypervolume_is_the_share_of_the_box_that_was_measured():
    # Losses (0, 1), (1, 0) and (0.5, 0.5) in the unit box: the last one dominates a quarter of it.
    front = front_of([(0, (0.0, -1.0)), (1, (1.0, 0.0)), (2, (0.5, -0.5))], GOALS)

    assert front.hypervolume == pytest.approx(0.25)


def test_what_the_last_quarter_gained_is_told_apart():
    early = [(0, (0.0, -1.0)), (1, (1.0, 0.0)), (2, (0.5, -0.5))]

    assert front_of([*early, (3, (0.9, -0.9))], GOALS).gained_lately == 0.0
    assert front_of([*early, (3, (0.0, 0.0))], GOALS).gained_lately == pytest.approx(0.75)


def test_equal_trials_have_no_hypervolume_and_are_all_on_the_front():
    front = front_of([(0, (1.0, 1.0)), (1, (1.0, 1.0))], GOALS)

    assert (len(front.trials), front.hypervolume, front.gained_lately) == (2, None, None)


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"max": 1e4}, "at most 10000"), ({"min": 0.5}, "at least 0.5"), ({"min": 1, "max": 2}, "from 1 to 2")],
)
def test_a_limit_is_said_in_words(limits, words):
    assert limit_in_words(Constraint(metric="m", **limits)) == words


def test_a_limit_whose_metric_was_not_reported_is_told():
    constraints = (Constraint(metric="size", max=10), Constraint(metric="latency", max=1))

    assert broken_in_words(constraints, [BrokenLimit(number=0, metric="latency", value=None)]) == (
        "latency was not reported (at most 1)",
    )
