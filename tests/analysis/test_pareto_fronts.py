import numpy as np
import pytest

from pegbox.analysis.pareto_fronts import by_front, dominated, hypervolume, most_volume
from pegbox.schemas.competition import knee


def test_row_is_dominated_only_by_one_better_somewhere():
    losses = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 2.0], [0.5, 9.0]])
    assert dominated(losses).tolist() == [False, False, True, False]


def test_fronts_hold_every_row_once():
    losses = np.array([[1.0, 3.0], [3.0, 1.0], [2.0, 4.0], [4.0, 2.0], [5.0, 5.0]])
    assert [front.tolist() for front in by_front(losses)] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("n_objectives", [2, 3, 4])
def test_hypervolume_agrees_with_counting_random_points(n_objectives):
    rng = np.random.default_rng(n_objectives)
    losses, points = rng.random((6, n_objectives)), rng.random((200_000, n_objectives))
    below = (losses[None] <= points[:, None]).all(axis=2).any(axis=1).mean()
    assert hypervolume(losses, np.ones(n_objectives)) == pytest.approx(below, abs=0.005)


def test_rows_beyond_the_reference_add_nothing():
    assert hypervolume(np.array([[2.0, 0.0], [0.5, 0.5]]), np.array([1.0, 1.0])) == 0.25


def test_knee_is_the_bend_of_the_front_whatever_the_units():
    losses = np.array([[0.0, 1e6], [0.2, 2e5], [1.0, 0.0]])
    assert knee(losses) == 1


def test_first_choices_spread_over_the_front():
    line = np.linspace(0, 1, 11)
    assert 3 <= most_volume(np.stack([line, 1 - line], axis=1), 1)[0] <= 7
    assert len(set(most_volume(np.stack([line, 1 - line], axis=1), 5))) == 5
