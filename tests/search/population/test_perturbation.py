"""What explore makes of a configuration."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pegbox.schemas.base import Value
from pegbox.schemas.domains import AnyDomain, Categorical, Float, Integer, Ordinal
from pegbox.schemas.history import History
from pegbox.schemas.space import Space
from pegbox.schemas.trial import Trial
from pegbox.search.population.perturbation import Perturbation, perturbed
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.studies import MIXED, study

NAMES = ("lr", "batch", "dropout", "decay", "size", "momentum", "nesterov")


@pytest.mark.parametrize(
    ("domain", "value", "factor", "expected"),
    [
        (Float(min=1e-4, max=1.0, log=True), 0.01, 1.2, 0.012),
        (Float(min=0.0, max=1.0), 0.9, 1.2, 1.0),
        (Float(min=-1.0, max=1.0), -0.5, 1.2, -0.6),
        (Float(min=0.0, max=1.0), 0.0, 1.2, None),
        (Float(min=0.1, max=1.0, extra=(0.0,)), 0.0, 1.2, None),
        (Float(min=0.0, max=1.0, step=0.25), 0.5, 1.2, 0.75),
        (Integer(min=1, max=9), 2, 1.2, 3),
        (Integer(min=1, max=9), 1, 0.8, 1),
        (Integer(min=-9, max=9), -2, 1.2, -3),
        (Integer(min=1, max=99), 50, 1.2, 60),
        (Integer(min=0, max=12, step=3), 6, 0.8, 3),
        (Integer(min=8, max=64, power_of_two=True), 64, 1.2, 64),
        (Integer(min=8, max=64, power_of_two=True), 16, 0.8, 8),
        (Ordinal(values=(1, 5, 9), ordered=True), 5, 1.2, 9),
        (Categorical(values=("a", "b")), "a", 1.2, "a"),
    ],
)
def test_value_moves_inside_of_its_domain(domain: AnyDomain, value: Value, factor: float, expected: Value) -> None:
    moved = perturbed(domain, value, factor)
    assert moved == (pytest.approx(expected) if isinstance(expected, float) else expected)


def parent_at(encoding: SpaceEncoding, seed: int) -> Trial:
    rng = np.random.default_rng(seed)
    while True:
        configuration = encoding.decode(rng.random(encoding.n_dims))
        if encoding.space.contains(configuration):
            return Trial(number=0, configuration=configuration, seed=0)


@given(seed=st.integers(0, 10**6), resample=st.sampled_from([0.0, 0.5, 1.0]))
def test_copy_is_allowed_and_keeps_what_is_fixed(seed: int, resample: float) -> None:
    encoding = SpaceEncoding(Space.model_validate(MIXED))
    explorer = Perturbation(encoding, NAMES, resample, (0.8, 1.2))
    parent = parent_at(encoding, seed)
    changed = explorer.explore(History(spec=study()), parent, 3, np.random.default_rng(seed))
    assert encoding.space.contains(changed)
    assert {name: changed[name] for name in ("units", "layers", "optimizer")} == {
        name: parent.configuration[name] for name in ("units", "layers", "optimizer")
    }


def test_a_quarter_is_drawn_anew() -> None:
    encoding = SpaceEncoding(Space.model_validate({"lr": {"min": 1e-5, "max": 1.0, "log": True}}))
    explorer = Perturbation(encoding, ("lr",), 0.25, (0.8, 1.2))
    parent = Trial(number=0, configuration={"lr": 0.01}, seed=0)
    rng = np.random.default_rng(0)
    found = Counter(explorer.explore(History(spec=study()), parent, 3, rng)["lr"] for _ in range(1000))
    perturbations = found[0.008], found[0.012]
    assert sum(perturbations) == pytest.approx(750, abs=45)
    assert perturbations[0] == pytest.approx(375, abs=50)
