"""Random search."""

import numpy as np

from pegbox.schemas.history import History
from pegbox.search.samplers.random_sampler import RandomSampler
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.samplers import SamplerContract
from pegbox.testing.studies import study


class TestRandomSampler(SamplerContract):
    method = "random"


def test_draws_are_uniform_on_the_scale_of_the_parameter() -> None:
    spec = study({"lr": {"min": 1e-4, "max": 1.0, "log": True}})
    sampler = RandomSampler(SpaceEncoding(spec.space))
    drawn = sampler.propose(History(spec=spec), 400, np.random.default_rng(0))
    assert 0.4 < np.mean([float(str(configuration["lr"])) < 1e-2 for configuration in drawn]) < 0.6
