"""What changed from one state of prepared data to the next, read from what was kept beside it."""

import csv
from pathlib import Path

import pytest

from pegbox.datasets.prepare import prepare
from pegbox.report.data_drift import data_states
from pegbox.schemas.data import DataSpec
from pegbox.storage.layout import StoreLayout


def prepared(folder: Path, name: str, shift: float, n_rows: int, **columns: str) -> str:
    """Prepares a table of two columns and whatever else; gives the fingerprint."""
    path = folder / f"{name}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "y", *columns])
        for row in range(n_rows):
            writer.writerow([row % 10 + shift, row % 7, row % 10, *columns.values()])
    spec = DataSpec.model_validate({"source": str(path), "target": "y"})
    return prepare(spec, "regression", StoreLayout(folder).data).fingerprint


def test_what_moved_came_and_went_is_told(tmp_path: Path) -> None:
    first = prepared(tmp_path, "one", 0.0, 100, c="1")
    second = prepared(tmp_path, "two", 5.0, 120)

    states = data_states(StoreLayout(tmp_path), [first, second, first])

    assert [one.fingerprint for one in states] == [first, second]
    assert [one.n_rows for one in states] == [100, 120]
    assert states[0].changes == ()
    assert states[1].changes[:2] == ("20 rows more", "c is gone")
    assert states[1].changes[2].startswith("a moved up by 1.")
    assert not any(one.startswith("b ") for one in states[1].changes)
    assert states[1].target.startswith("y 4.5, deviation 2.8")


def test_data_that_is_gone_is_skipped_over(tmp_path: Path) -> None:
    first, third = prepared(tmp_path, "one", 0.0, 50), prepared(tmp_path, "two", 0.0, 60)

    states = data_states(StoreLayout(tmp_path), [first, "0" * 32, third])

    assert [one.n_rows for one in states] == [50, None, 60]
    assert states[2].changes[0] == "10 rows more"


@pytest.mark.parametrize("fingerprints", [[], ["0" * 32]])
def test_nothing_known_is_nothing_told(tmp_path: Path, fingerprints: list[str]) -> None:
    assert [one.changes for one in data_states(StoreLayout(tmp_path), fingerprints)] == [()] * len(fingerprints)
