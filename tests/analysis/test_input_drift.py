import numpy as np

from pegbox.analysis.input_drift import moved_columns, relation_moved
from pegbox.schemas.raw_inputs import RawInputs
from pegbox.schemas.row_losses import RowLosses

N_ROWS = 600


def _inputs(rng: np.random.Generator, age: float = 40.0, abroad: float = 0.2) -> RawInputs:
    region = np.where(rng.random(N_ROWS) < abroad, "abroad", "home")
    numbers = {"age": rng.normal(age, 10, N_ROWS), "income": rng.normal(size=N_ROWS)}
    return RawInputs(numbers, {"region": region.astype(np.str_)})


def _losses(inputs: RawInputs, rng: np.random.Generator, extra: float = 0.0) -> RowLosses:
    """The older, the harder."""
    values = np.abs(inputs.numbers["age"] - 30) / 10 + 0.2 * rng.random(N_ROWS) + extra
    return RowLosses(values, N_ROWS, 3 * N_ROWS, "")


def test_columns_that_moved_are_named_with_how_far() -> None:
    rng = np.random.default_rng(0)

    moved = moved_columns(_inputs(rng), _inputs(rng, age=48.0, abroad=0.4))

    assert [one.name for one in moved] == ["age", "region"]
    assert 0.6 < (moved[0].shift or 0.0) < 1.0
    assert 0.1 < moved[1].distance < 0.3
    assert str(moved[0]).startswith("age (+0.")


def test_same_distribution_moves_no_column() -> None:
    rng = np.random.default_rng(1)

    alarms = sum(bool(moved_columns(_inputs(rng), _inputs(rng))) for _ in range(40))

    assert alarms <= 6  # 2 are expected, and 7 come once in 300 times


def test_harder_rows_explain_a_fall_and_a_new_relation_does_not() -> None:
    rng = np.random.default_rng(2)
    old, new = _inputs(rng), _inputs(rng, age=48.0)
    before = (old, _losses(old, rng))

    assert relation_moved(before, (new, _losses(new, rng))) is False
    assert relation_moved(before, (new, _losses(new, rng, extra=0.5))) is True


def test_rows_unlike_any_old_one_explain_nothing() -> None:
    rng = np.random.default_rng(3)
    old, new = _inputs(rng), _inputs(rng, age=400.0)

    assert relation_moved((old, _losses(old, rng)), (new, _losses(new, rng))) is None
