"""The boundary correction of the posterior deviation."""

import numpy as np
import pytest

from pegbox.schemas.space import Space
from pegbox.search.model.boundary_correction import BoundaryCorrection
from pegbox.search.model.features import FeatureMap
from pegbox.search.model.gaussian_process import matern
from pegbox.search.space.encoding import SpaceEncoding

UNIT = {"min": 0.0, "max": 1.0}
MIDDLE = np.array([0.5, 0.5, 0.5])


def correction(space: dict[str, object]) -> BoundaryCorrection:
    encoding = SpaceEncoding(Space.model_validate(space))
    return BoundaryCorrection(encoding, FeatureMap(encoding))


def test_a_corner_is_corrected_more_than_a_face() -> None:
    points = np.array([[0.5, 0.5], [0.0, 0.5], [0.0, 1.0]])
    middle, face, corner = correction({"a": UNIT, "b": UNIT}).factor(points, np.full(2, 0.2), MIDDLE[:2])
    assert middle == pytest.approx(1.0)
    assert corner == pytest.approx(face**2)
    assert face < 0.8


def test_half_of_the_neighbourhood_of_a_face_is_missing() -> None:
    factor = correction({"a": UNIT}).factor(np.array([[0.0]]), np.array([0.01]), MIDDLE[:1])
    assert factor[0] == pytest.approx(0.5**0.5)


def test_faces_on_which_the_incumbent_lies_are_left_alone() -> None:
    points = np.array([[0.0, 0.5], [0.0, 1.0], [0.5, 0.5], [0.5, 0.0]])
    home = np.array([0.0, 0.5])
    own, corner, middle, other = correction({"a": UNIT, "b": UNIT}).factor(points, np.full(2, 0.2), home)
    # The opposite of a gain is no penalty: the inside is as it is.
    assert own == middle == 1.0
    assert corner == other < 0.8


def test_a_parameter_that_hardly_matters_is_hardly_corrected() -> None:
    assert correction({"a": UNIT}).factor(np.array([[0.0]]), np.array([20.0]), MIDDLE[:1])[0] > 0.99


def test_the_share_is_that_of_the_kernel() -> None:
    grid = (np.arange(20_000) + 0.5) / 20_000
    shares = [matern(((grid - at) / 0.3) ** 2)[0].sum() for at in (0.1, 0.5)]
    factor = correction({"a": UNIT}).factor(np.array([[0.1]]), np.array([0.3]), MIDDLE[:1])
    assert factor[0] == pytest.approx((shares[0] / shares[1]) ** 0.5, rel=1e-6)


def test_what_has_no_faces_is_left_alone() -> None:
    space = {"kind": ["p", "q", "r"], "a": UNIT | {"when": {"kind": "p"}}, "fixed": 3}
    points = np.array([[0.2, np.nan, 0.5], [0.9, np.nan, 0.5]])
    assert correction(space).factor(points, np.full(2, 0.1), points[0]) == pytest.approx([1.0, 1.0])


def test_a_space_of_categories_is_left_alone() -> None:
    assert correction({"kind": ["p", "q"]}).factor(np.array([[0.25]]), np.array([0.1]), MIDDLE[:1]).tolist() == [1.0]
