"""The scale on which a range is searched."""

import numpy as np
import pytest

from pegbox.schemas.history import History
from pegbox.schemas.space import Space
from pegbox.search.methods import sampler_for
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.space.scales import by_magnitude, wide_ranges
from pegbox.testing.studies import study

DECAY = {"min": 1e-5, "max": 1e-1}
FROM_RANDOM = {"min": 1, "max": 5000, "int": True}


def space(**domains: object) -> Space:
    return Space.model_validate(domains)


def test_a_range_of_decades_is_wide() -> None:
    assert wide_ranges(space(decay=DECAY, seen=FROM_RANDOM)) == ("decay", "seen")


@pytest.mark.parametrize(
    "domain",
    [
        {"min": 0.0, "max": 1.0},
        {"min": -1.0, "max": 1e6},
        {"min": 0.1, "max": 0.99},
        {"min": 1e-5, "max": 1e-1, "log": True},
        {"min": 1, "max": 5001, "int": True, "step": 100},
        {"min": 1, "max": 4096, "power_of_two": True},
        ["a", "b"],
        3,
    ],
)
def test_other_domains_are_not(domain: object) -> None:
    plain = space(x=domain)
    assert wide_ranges(plain) == ()
    assert by_magnitude(plain) == plain


def test_half_of_a_wide_range_by_magnitude_lies_below_its_geometric_middle() -> None:
    encoding = SpaceEncoding(by_magnitude(space(decay=DECAY)))
    assert encoding.decode(np.array([0.5]))["decay"] == pytest.approx(1e-3)


def test_values_are_the_same_on_either_scale() -> None:
    declared = space(decay={**DECAY, "extra": [0.0]}, seen=FROM_RANDOM)
    encoding = SpaceEncoding(by_magnitude(declared))
    for configuration in ({"decay": 0.0, "seen": 1}, {"decay": 1e-5, "seen": 5000}, {"decay": 0.0123, "seen": 777}):
        assert encoding.decode(encoding.encode(configuration)) == configuration


@pytest.mark.parametrize("method", ["bayes", "genetic"])
def test_a_learning_method_begins_by_magnitude(method: str) -> None:
    assert _below_a_thousandth(method) >= 6


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_a_method_that_covers_the_space_keeps_to_the_declared_scale(method: str) -> None:
    assert _below_a_thousandth(method) <= 1


def _below_a_thousandth(method: str) -> int:
    """How many of a method's first 16 configurations have a decay below 0.001."""
    spec = study({"decay": DECAY}, search={"method": method, "seed": 0})
    chosen = sampler_for(spec).propose(History(spec=spec), 16, np.random.default_rng(0))
    return sum(float(configuration["decay"]) < 1e-3 for configuration in chosen)  # type: ignore[arg-type]
