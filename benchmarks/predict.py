"""Measures how many rows a second a model answers beside the bare call of its library on the same rows.

    python benchmarks/predict.py [--quick] [--json] [--rounds N]

Models of the customers' kind of table (20 columns of numbers) are trained for a moment; then both answer the same rows
in turn, the median of the rounds counts. The bare call is given what it needs: scaled float32 arrays, in the same
pieces. `table` and `array` are how the rows come to the model; the figures are its rows per second as a share of those
of the bare call. `load` is from a fresh process to the first prediction, in seconds, beside importing torch alone; it
has no bar.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from figures import Figure, conclude, parser, tell_machine

from pegbox.datasets.new_examples import BATCH_ROWS
from pegbox.datasets.prepare import prepare
from pegbox.datasets.prepared import open_prepared
from pegbox.models.load_model import load_model
from pegbox.models.write_model import ModelRequest, write_model
from pegbox.schemas.data import DataSpec
from pegbox.schemas.model import Lineage, ModelCard
from pegbox.schemas.train import SklearnTrain, TorchTrain, TrainSpec
from pegbox.schemas.trial import Segment
from pegbox.training.kinds.registry import trainer_for

BAR = 0.8
"""Of the rows per second of the bare call; the issue's."""
N_COLUMNS = 20
KINDS: dict[str, tuple[TrainSpec, dict[str, Any]]] = {
    "mlp": (TorchTrain(kind="mlp", epochs=1, device="cpu"), {"layers": 3, "units": 256}),
    "forest": (
        SklearnTrain(kind="sklearn", estimator="sklearn.ensemble:RandomForestClassifier"),
        {"n_estimators": 100, "max_depth": 8},
    ),
    "boosting": (
        SklearnTrain(kind="sklearn", estimator="sklearn.ensemble:HistGradientBoostingClassifier"),
        {"max_iter": 100},
    ),
}


def rows_of(n_rows: int, seed: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(n_rows, N_COLUMNS))


def table_of(rows: npt.NDArray[np.float64]) -> pa.Table:
    return pa.table({f"x{i}": rows[:, i] for i in range(N_COLUMNS)})


def make(root: Path, train: TrainSpec, configuration: dict[str, Any]) -> Path:
    rows = rows_of(4000, 0)
    table = table_of(rows).append_column("y", pa.array((rows[:, 0] * rows[:, 1] > 0).astype(int)))
    pq.write_table(table, root / "rows.parquet")
    prepared = prepare(DataSpec(source=str(root / "rows.parquet"), target="y"), None, root / "data")
    segment = Segment(study="s", trial=0, configuration=configuration, seed=0, to_budget=1, train=train, code="c")
    trained = trainer_for(train).train(segment, open_prepared(prepared, 0), root, lambda *_: None)
    assert trained.checkpoint is not None
    card = ModelCard(title="benchmark", metric="val_loss", goal="minimize", expected=0.0)
    lineage = Lineage(study="s", trial=0, seed=0, epochs=1, code="c")
    request = ModelRequest(root / "m.pegbox", segment, trained.checkpoint, prepared, "best", "r", card, lineage)
    write_model(request)
    return request.path


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def shares(path: Path, n_rows: int, rounds: int) -> dict[str, float]:
    """Rows per second of the model as a share of those of the bare call, for each way that rows come in."""
    model: Any = load_model(path, device="cpu")
    rows = rows_of(n_rows, 1)
    table = table_of(rows)
    scaled, codes = model._rows.read_array(rows)
    starts = range(0, n_rows, BATCH_ROWS)

    def bare() -> list[Any]:
        return [model.predictor.predict(scaled[i : i + BATCH_ROWS], codes[i : i + BATCH_ROWS]) for i in starts]

    calls = {"bare": bare, "array": lambda: model.predict(rows), "table": lambda: model.predict(table)}
    # In turn, so that a busy minute of the machine meets all of them.
    took = {name: [] for name in calls}  # type: dict[str, list[float]]
    for _ in range(rounds):
        for name, call in calls.items():
            took[name].append(seconds(call))
    medians = {name: statistics.median(values) for name, values in took.items()}
    print(f"  {path.parent.name}: {n_rows / medians['bare']:,.0f} rows a second bare")
    return {name: medians["bare"] / medians[name] for name in ("array", "table")}


def main() -> int:
    options = parser(__doc__, "30,000 rows and 3 rounds instead of 1,000,000 and 5")
    options.add_argument("--rounds", type=int)
    chosen = options.parse_args()
    n_rows, rounds = (30_000, chosen.rounds or 3) if chosen.quick else (1_000_000, chosen.rounds or 5)
    tell_machine("torch", "scikit-learn")
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (train, configuration) in KINDS.items():
            root = Path(folder) / name
            root.mkdir()
            path = make(root, train, configuration)
            found = shares(path, n_rows, rounds)
            figures += [Figure(f"{name}, {way}", share, BAR, at_most=False) for way, share in found.items()]
        path = Path(folder) / "mlp" / "m.pegbox"
        first = f"import pegbox; pegbox.load_model({str(path)!r}).predict([[0.0] * 20])"
        first = first.replace("[[0.0] * 20]", "__import__('numpy').zeros((1, 20))")
        for name, code in (("load", first), ("import torch", "import torch")):
            took = statistics.median(
                seconds(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True))  # type: ignore[misc]
                for _ in range(rounds)
            )
            figures.append(Figure(f"{name}, seconds", took))
    return conclude(figures, chosen.json)


if __name__ == "__main__":
    sys.exit(main())
