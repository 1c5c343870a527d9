"""Data files for the tests of this room, and the shortest way to prepare them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pegbox.datasets.prepare import prepare
from pegbox.schemas.data import DataSpec, PreparedData, Task

Columns = dict[str, Any]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where prepared data is written."""
    return tmp_path / "store" / "data"


@pytest.fixture
def parquet(here: Path) -> Callable[..., str]:
    """Writes columns to a Parquet file and gives its name."""

    def write(columns: Columns, name: str = "data.parquet") -> str:
        pq.write_table(pa.table({key: pa.array(values, from_pandas=True) for key, values in columns.items()}), name)
        return name

    return write


@pytest.fixture
def csv(here: Path) -> Callable[..., str]:
    """Writes a text to a CSV file and gives its name."""

    def write(text: str, name: str = "data.csv") -> str:
        Path(name).write_text(text, encoding="utf-8")
        return name

    return write


@pytest.fixture
def prepared(parquet: Callable[..., str], root: Path) -> Callable[..., PreparedData]:
    """Prepares columns, the last of which is the target, with further entries of `data`."""

    def make(columns: Columns, task: Task | None = None, **data: Any) -> PreparedData:
        entries = {"source": parquet(columns), "target": list(columns)[-1], **data}
        return prepare(DataSpec(**entries), task, root)

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
