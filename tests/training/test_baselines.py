"""What needs no tuning reaches: exact where it can be worked out, bounded where the table is large."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pegbox.datasets.prepare import prepare
from pegbox.datasets.prepared import open_prepared
from pegbox.schemas.data import DataSpec
from pegbox.training.baselines import measure_baselines


@pytest.fixture
def baselines(tmp_path: Path) -> Any:
    def measure(columns: dict[str, Any]) -> dict[str, dict[str, float]]:
        source = tmp_path / "data.parquet"
        pq.write_table(pa.table(columns), source)
        data = prepare(DataSpec(source=str(source), target="y"), None, tmp_path / "data")
        return {one.name: one.metrics for one in measure_baselines(open_prepared(data, 0))}

    return measure


def test_the_constant_is_the_most_frequent_class(baselines: Any) -> None:
    rng = np.random.default_rng(0)
    answer = np.array(["no"] * 900 + ["yes"] * 100)

    found = baselines({"a": rng.normal(size=1000), "y": answer})

    constant = found["always 'no'"]
    assert constant["accuracy"] == pytest.approx(0.9, abs=0.04)
    assert constant["balanced_accuracy"] == 0.5
    assert constant["roc_auc"] == 0.5
    assert constant["loss"] == pytest.approx(-(0.9 * math.log(0.9) + 0.1 * math.log(0.1)), abs=0.08)


def test_a_linear_model_learns_what_is_linear(baselines: Any) -> None:
    rng = np.random.default_rng(0)
    a, city = rng.normal(size=2000), rng.choice(["x", "y", "z"], 2000)

    numbers = baselines({"a": a, "city": city, "y": 1e9 + 3 * a + 2 * (city == "z")})
    classes = baselines({"a": a, "city": city, "y": np.where(a + 2 * (city == "z") > 0.5, "yes", "no")})

    assert numbers["mean"]["rmse"] == pytest.approx(np.std(3 * a + 2 * (city == "z")), rel=0.1)
    assert numbers["linear"]["rmse"] < 0.01
    assert classes["linear"]["accuracy"] > 0.95


def test_three_classes_have_a_linear_model_too(baselines: Any) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, 900)

    found = baselines({"a": codes + rng.normal(0, 0.2, 900), "b": codes**2 + rng.normal(0, 0.2, 900), "y": codes})

    assert found["linear"]["accuracy"] > 0.95


def test_a_large_table_is_sampled_for_the_fit(baselines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    fitted = []
    monkeypatch.setattr("pegbox.training.baselines.MOST_CELLS", 600)
    solve = np.linalg.solve
    monkeypatch.setattr("numpy.linalg.solve", lambda a, b: fitted.append(a) or solve(a, b))
    a = rng.normal(size=5000)

    found = baselines({"a": a, "b": a**2, "y": a})

    assert fitted[0][0, 0] == pytest.approx(200)  # the ones of the rows that are fitted
    assert found["linear"]["r2"] > 0.99
