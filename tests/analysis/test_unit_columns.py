import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pegbox.analysis.unit_columns import columns_of, tabulate
from pegbox.schemas.space import Space
from pegbox.schemas.trial import Trial


def column(domain):
    return columns_of(Space.model_validate({"p": domain}))[0]


def test_log_range_is_even_in_the_logarithm():
    lr = column({"min": 1e-4, "max": 1.0, "log": True})
    assert lr.unit(1e-2) == pytest.approx(0.5)
    assert lr.value(0.25) == pytest.approx(1e-3)


def test_short_integer_range_has_a_cell_for_each_value():
    layers = column({"min": 1, "max": 5, "int": True})
    assert layers.n_cells == 5
    assert [layers.value(layers.unit(value)) for value in range(1, 6)] == [1, 2, 3, 4, 5]
    assert layers.weights == pytest.approx(np.full(5, 0.2))


def test_log_integers_weigh_less_the_larger_they_are():
    units = column({"min": 1, "max": 8, "int": True, "log": True})
    assert np.all(np.diff(units.weights) < 0)
    assert units.weights.sum() == pytest.approx(1)


def test_powers_of_two_weigh_the_same():
    batch = column({"min": 32, "max": 256, "power_of_two": True})
    assert [batch.value(unit) for unit in batch.edges[:-1] + 0.1] == [32, 64, 128, 256]


def test_extra_value_below_a_log_range_has_its_own_cell():
    decay = column({"min": 1e-6, "max": 1e-2, "log": True, "extra": [0.0]})
    assert decay.value(0.05) == 0.0
    assert decay.unit(0.0) == pytest.approx(0.05)
    assert decay.unit(1e-6) == pytest.approx(0.1)
    assert decay.value(decay.unit(1e-4)) == pytest.approx(1e-4)


def test_true_and_one_are_different_categories():
    flag = column([True, 1, False])
    assert flag.unit(True) != flag.unit(1)


def test_steps_become_listed_values():
    rate = column({"min": 0.0, "max": 0.6, "step": 0.1})
    assert rate.n_cells == 7
    assert rate.value(rate.unit(0.3)) == 0.3


def test_inactive_parameter_has_no_cell_and_constants_no_column():
    space = Space.model_validate(
        {"optimizer": ["adamw", "sgd"], "momentum": {"min": 0.0, "max": 0.9, "when": {"optimizer": "sgd"}}, "k": 3}
    )
    rows = ({"optimizer": "adamw", "k": 3}, {"optimizer": "sgd", "momentum": 0.45, "k": 3})
    table = tabulate(space, tuple(Trial(number=n, seed=0, configuration=row) for n, row in enumerate(rows)))
    assert table.names == ("optimizer", "momentum")
    assert table.cells().tolist() == [[0, -1], [1, 32]]


@given(st.floats(0, 1))
def test_value_of_a_unit_lies_in_the_same_cell(unit):
    units = column({"min": 16, "max": 4096, "int": True, "log": True, "extra": [0]})
    assert units.cell(units.unit(units.value(unit))) in {
        units.cell(unit) - 1,
        units.cell(unit),
        units.cell(unit) + 1,
    }
