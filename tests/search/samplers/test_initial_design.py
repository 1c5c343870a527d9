"""The first points of a search."""

import numpy as np

from pegbox.search.model.observations import Observations, Observer
from pegbox.search.samplers.initial_design import InitialDesign
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.studies import finished, study

SPACE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}
RECOMMENDED = np.array([[0.9, 0.9], [0.8, 0.8], [0.7, 0.7], [0.6, 0.6]])
ENCODING = SpaceEncoding(study(SPACE).space)
PLAIN, HELPED = InitialDesign(ENCODING, seed=0), InitialDesign(ENCODING, seed=0, recommended=RECOMMENDED)


def seen(losses: list[float | None]) -> Observations:
    """What a study sees that tried the first points."""
    configurations = [ENCODING.decode(HELPED.point(number)) for number in range(len(losses))]
    return Observer(ENCODING).observe(finished(study(SPACE), configurations, losses))


def test_every_third_first_point_is_not_a_recommended_one() -> None:
    points = np.array([HELPED.point(number) for number in range(HELPED.n_recommended)])
    assert HELPED.n_recommended == 6
    assert points[[0, 2, 3, 5]].tolist() == RECOMMENDED.tolist()
    assert points[[1, 4]].tolist() == [PLAIN.point(0).tolist(), PLAIN.point(1).tolist()]


def test_the_sequence_goes_on_after_the_recommended_points() -> None:
    assert HELPED.point(6).tolist() == PLAIN.point(2).tolist()
    assert PLAIN.n_recommended == 0


def test_recommended_points_that_lose_against_another_lead_astray() -> None:
    assert HELPED.leads_astray(seen([0.5, 0.4]))
    assert HELPED.leads_astray(seen([0.5, 0.4, 0.45]))
    assert HELPED.leads_astray(seen([None, 0.4]))


def test_recommended_points_that_lead_do_not() -> None:
    assert not HELPED.leads_astray(seen([0.4, 0.5]))
    assert not HELPED.leads_astray(seen([0.4]))
    assert not HELPED.leads_astray(seen([]))
    assert not HELPED.leads_astray(seen([None, None]))
