"""What a step of training is worth."""

import numpy as np
import pytest

from pegbox.schemas.history import History
from pegbox.search.methods import strategy_for
from pegbox.search.model.budget_surrogate import Surrogate
from pegbox.search.model.knowledge_gradient import KnowledgeGradient
from pegbox.search.samplers.bayes import BayesSampler
from pegbox.search.simulation import Simulation
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.testing.studies import bowl, study

SPACE = {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}}


@pytest.fixture(scope="module")
def surrogate() -> Surrogate:
    fidelity = {"schedule": "asha", "min": 1, "factor": 3}
    spec = study(SPACE, search={"method": "random"}, fidelity=fidelity, budget={"trials": 15})
    history = Simulation(strategy_for(spec), History(spec=spec), bowl).run()
    sampler = BayesSampler(SpaceEncoding(spec.space), spec.full_budget, seed=0)
    built = sampler.surrogate(history, np.random.default_rng(0))
    assert built is not None
    return built


def test_a_higher_budget_teaches_more(surrogate: Surrogate) -> None:
    points = np.random.default_rng(1).random((20, 2))
    value = KnowledgeGradient(surrogate)
    assert value.fall(points, 9).sum() > value.fall(points, 1).sum()


def test_a_margin_leaves_clear_falls_only(surrogate: Surrogate) -> None:
    points = np.vstack([surrogate.best(1), np.random.default_rng(1).random((20, 2))])
    plain, bold = KnowledgeGradient(surrogate), KnowledgeGradient(surrogate, margin=0.3)
    assert (bold.fall(points, 9) < plain.fall(points, 9)).all()
    assert (bold.gain(points) < plain.gain(points)).all()


def test_what_is_known_teaches_less_than_what_is_not(surrogate: Surrogate) -> None:
    far = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    value = KnowledgeGradient(surrogate)
    deviations = surrogate.predict(far)[1]
    known = surrogate.seen[[np.argmin(surrogate.predict(surrogate.seen)[1])]]
    assert value.fall(far[[np.argmax(deviations)]], 9)[0] > value.fall(known, 1)[0]
