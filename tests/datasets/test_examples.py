"""The data files of examples/ are what their script makes, and small enough to live in the repository."""

import runpy
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pegbox.datasets.prepare import prepare
from pegbox.schemas.study_file import read_study

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    runpy.run_path(str(EXAMPLES / "data" / "make.py"))["write"](tmp_path)
    return tmp_path


def test_committed_files_are_what_the_script_makes(made: Path) -> None:
    committed = EXAMPLES / "data"

    assert (made / "churn.csv").read_bytes() == (committed / "churn.csv").read_bytes()
    # Not the bytes: each version of Parquet's writer signs the file.
    assert pq.read_table(made / "energy.parquet").equals(pq.read_table(committed / "energy.parquet"))


@pytest.mark.parametrize("name", ["churn.csv", "energy.parquet"])
def test_committed_files_are_small(name: str) -> None:
    assert (EXAMPLES / "data" / name).stat().st_size < 200_000


def test_churn_has_gaps_and_categories(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    spec = read_study(EXAMPLES / "churn.yaml").spec
    assert spec.data is not None

    data = prepare(spec.data, spec.task, root)

    assert data.numeric[-2:] == ("age is missing", "monthly_charge is missing")
    assert data.categorical == ("region", "contract", "payment")
    assert data.classes == ("left", "stayed")


def test_energy_is_tested_on_its_latest_days(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    spec = read_study(EXAMPLES / "energy.yaml").spec
    assert spec.data is not None

    data = prepare(spec.data, spec.task, root)

    assert data.n_rows == {"train": 438 * 6, "valid": 146 * 6, "test": 146 * 6}
