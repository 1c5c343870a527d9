"""A small dirty table and the model that is made of it without a flow; shared by the tests of several rooms."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pegbox.datasets.prepare import prepare
from pegbox.datasets.prepared import open_prepared
from pegbox.models.write_model import ModelRequest, write_model
from pegbox.schemas.data import DataSpec
from pegbox.schemas.model import Lineage, ModelCard
from pegbox.schemas.train import SklearnTrain, TorchTrain, TrainSpec
from pegbox.schemas.trial import Segment
from pegbox.training.kinds.registry import trainer_for

CARD = ModelCard(title="model of the study 'churn'", metric="val_loss", goal="minimize", expected=0.5)
MLP = TorchTrain(kind="mlp", epochs=2, device="cpu")
TREE = SklearnTrain(kind="sklearn", estimator="sklearn.tree:DecisionTreeClassifier")


def customers(n_rows: int = 120) -> dict[str, Any]:
    """A dirty table: a gap, a category, words for yes and no, dates, an identifier, classes in words."""
    rng = np.random.default_rng(0)
    age = rng.integers(18, 80, n_rows).astype(float)
    city = rng.choice(["Bonn", "Oslo", "Rome"], n_rows)
    left = (age > 50) ^ (city == "Rome")
    age[::10] = np.nan
    return {
        "id": [f"c{i}" for i in range(n_rows)],
        "age": age,
        "city": city,
        "member": rng.choice(["yes", "no"], n_rows),
        "since": [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(n_rows)],
        "churn": np.where(left, "left", "stays"),
    }


def table_of(columns: dict[str, Any]) -> pa.Table:
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def segment_for(train: TrainSpec, configuration: dict[str, Any], budget: int) -> Segment:
    return Segment(study="churn", trial=0, configuration=configuration, seed=1, to_budget=budget, train=train, code="c")


def make_model(
    root: Path,
    columns: dict[str, Any],
    train: TrainSpec = MLP,
    configuration: dict[str, Any] | None = None,
    **data: Any,
) -> Path:
    """Writes the model of a table, whose last column is the target; gives its file."""
    pq.write_table(table_of(columns), root / "rows.parquet")
    spec = DataSpec(source=str(root / "rows.parquet"), target=list(columns)[-1], **data)
    return make_model_of(root, spec, train)


def make_model_of(root: Path, spec: DataSpec, train: TrainSpec, **configuration: Any) -> Path:
    """Writes the model of any source; gives its file."""
    prepared = prepare(spec, None, root / "data")
    segment = segment_for(train, configuration, train.epochs)
    trained = trainer_for(train).train(segment, open_prepared(prepared, 0), root, lambda *_: None)
    assert trained.checkpoint is not None
    request = ModelRequest(
        path=root / "made.pegbox",
        segment=segment,
        checkpoint=trained.checkpoint,
        data=prepared,
        final="best",
        recipe="r",
        card=CARD,
        lineage=Lineage(study="churn", trial=0, seed=1, epochs=train.epochs, code="c"),
    )
    write_model(request)
    return request.path
