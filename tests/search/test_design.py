"""The first points of a search."""

import numpy as np
from contracts.studies import study

from pegbox.search.design import InitialDesign
from pegbox.search.encoding import SpaceEncoding

SPACE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}
RECOMMENDED = np.array([[0.9, 0.9], [0.8, 0.8], [0.7, 0.7], [0.6, 0.6]])


def test_every_third_first_point_is_not_a_recommended_one() -> None:
    encoding = SpaceEncoding(study(SPACE).space)
    plain, helped = InitialDesign(encoding, seed=0), InitialDesign(encoding, seed=0, recommended=RECOMMENDED)
    points = np.array([helped.point(number) for number in range(helped.n_recommended)])
    assert helped.n_recommended == 6
    assert points[[0, 1, 3, 4]].tolist() == RECOMMENDED.tolist()
    assert points[[2, 5]].tolist() == [plain.point(0).tolist(), plain.point(1).tolist()]


def test_the_sequence_goes_on_after_the_recommended_points() -> None:
    encoding = SpaceEncoding(study(SPACE).space)
    plain, helped = InitialDesign(encoding, seed=0), InitialDesign(encoding, seed=0, recommended=RECOMMENDED)
    assert helped.point(6).tolist() == plain.point(2).tolist()
    assert plain.n_recommended == 0
