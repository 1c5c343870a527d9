"""The local search around the best points of a sample."""

import numpy as np

from pegbox.search.model.acquisition_optimiser import AcquisitionOptimiser, Effort
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.studies import study


def test_the_step_shrinks_from_round_to_round():
    ascent = AcquisitionOptimiser(SpaceEncoding(study({name: {"min": 0.0, "max": 1.0} for name in "ab"}).space))
    rounds: list[np.ndarray] = []

    def flat(points: np.ndarray) -> np.ndarray:
        """Nobody rises, so that every round begins at the same point."""
        rounds.append(points)
        return np.zeros(len(points))

    effort = Effort(n_uniform=1, n_starts=1, n_steps=200)
    (start, *_) = ascent.maximise(flat, np.empty((0, 2)), np.random.default_rng(0), effort)

    steps = np.array([np.abs(points - start).mean() for points in rounds[1:]])
    assert len(steps) == effort.n_rounds
    assert (steps[1:] < steps[:-1]).all()
    assert steps[-1] < 0.25 * steps[0]
