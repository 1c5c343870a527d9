"""Greedy selection mixes models whose errors differ, and keeps the winner where the mean is no better beyond noise."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_model import CARD, MLP, customers, segment_for, table_of

from pegbox.datasets.prepare import prepare
from pegbox.datasets.prepared import open_prepared
from pegbox.models.artefact import open_artefact
from pegbox.models.ensemble import EnsemblePredictor, losses, select_ensemble
from pegbox.models.export_model import export_model, rows_of_source
from pegbox.models.load_model import load_model
from pegbox.models.write_model import ModelRequest, Unseen, write_model
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import ModelError
from pegbox.schemas.model import Lineage
from pegbox.schemas.train import SklearnTrain, TrainSpec
from pegbox.training.kinds.registry import trainer_for

RNG = np.random.default_rng(0)
TARGET = RNG.normal(size=400)


def noisy(scale: float, *, n_models: int = 3, shared: float = 0.0) -> Any:
    """Models of a number, each off by noise of its own and by noise that they share."""
    rng = np.random.default_rng(1)
    common = shared * rng.normal(size=400)
    return np.stack([TARGET + common + scale * rng.normal(size=400) for _ in range(n_models)])[:, :, None]


def test_models_with_errors_of_their_own_are_mixed() -> None:
    found = select_ensemble(noisy(1.0), TARGET)

    assert found.is_better
    assert found.weights == pytest.approx((1 / 3, 1 / 3, 1 / 3), abs=0.15)
    # The mean of three errors of variance 1 has a third of it.
    assert found.gain == pytest.approx(2 / 3, abs=0.2)


def test_models_with_the_same_errors_are_not() -> None:
    assert not select_ensemble(noisy(0.001, shared=1.0), TARGET).is_better


def test_useless_candidates_get_no_weight() -> None:
    outputs = noisy(0.1)
    outputs[1:] += 10

    found = select_ensemble(outputs, TARGET)

    assert found.weights == (1, 0, 0)
    assert not found.is_better


def test_gain_is_not_that_of_the_rows_that_selected() -> None:
    """Of forty models that know nothing the best looks better than the winner, on the rows that picked it."""
    rng = np.random.default_rng(2)
    outputs = rng.normal(size=(40, 60, 1))

    found = select_ensemble(outputs[:, :, :], np.zeros(60))
    winner_alone = losses(outputs[0], np.zeros(60)).mean()

    assert found.gain < winner_alone
    assert sum(found.weights) == pytest.approx(1)


def test_one_row_selects_nothing() -> None:
    assert not select_ensemble(noisy(1.0)[:, :1], TARGET[:1]).is_better


def test_votes_stand_for_probabilities() -> None:
    class Votes:
        has_probabilities = False

        def __init__(self, *codes: int) -> None:
            self.codes = np.array(codes)

        def predict(self, numeric: Any, categorical: Any) -> Any:
            return self.codes

        predict_proba = predict

    ensemble = EnsemblePredictor([Votes(0, 1, 2), Votes(0, 2, 2), Votes(1, 2, 2)], [0.5, 0.25, 0.25], 3)

    assert not ensemble.has_probabilities
    assert ensemble.predict(None, None).tolist() == [0, 1, 2]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def forest_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trees and a network, of noisy classes, and the file of their ensemble."""
    root = tmp_path_factory.mktemp("ensemble")
    columns, rng = customers(1500), np.random.default_rng(3)
    columns["churn"] = np.where(rng.random(1500) < 0.25, "stays", columns["churn"])
    pq.write_table(table_of(columns), root / "rows.parquet")
    prepared = prepare(DataSpec(source=str(root / "rows.parquet"), target="churn", drop=("id",)), None, root / "data")
    train: TrainSpec = SklearnTrain(kind="sklearn", estimator="sklearn.ensemble:ExtraTreesClassifier")
    trained = []
    for trial, features in enumerate((1, 0.4, None)):
        settings = {"n_estimators": 3, "max_features": features, "min_samples_leaf": 5}
        if features is None:
            train, settings = MLP.model_copy(update={"epochs": 20}), {"lr": 0.01}
        segment = segment_for(train, settings, train.epochs).model_copy(update={"trial": trial, "seed": trial})
        one = trainer_for(train).train(segment, open_prepared(prepared, 0), root / str(trial), lambda *_: None)
        assert one.checkpoint is not None
        trained.append((segment, one.checkpoint))
    first, checkpoint = trained[0]
    request = ModelRequest(
        path=root / "made.pegbox",
        segment=first,
        checkpoint=checkpoint,
        data=prepared,
        final="ensemble",
        recipe="r",
        card=CARD,
        lineage=Lineage(study="churn", trial=0, seed=1, epochs=1, code="c"),
        unseen=Unseen(first, checkpoint, prepared, "test", "on the rows that were held out"),
        others=tuple(trained[1:]),
    )
    write_model(request)
    return request.path


def test_ensemble_predicts_as_its_card_says(forest_file: Path) -> None:
    model: Any = load_model(forest_file)
    with open_artefact(forest_file) as artefact:
        manifest = artefact.manifest

    assert manifest.form == "ensemble"
    assert sum(one.weight for one in manifest.ensemble) == pytest.approx(1)
    assert "ensemble of" in manifest.card.limits[-1]
    assert {one.train.kind for one in manifest.ensemble if one.train} == {"sklearn", "mlp"}
    assert model.predict_proba(customers(10)).sum(axis=1) == pytest.approx(np.ones(10))
    assert set(model.predict(customers(10))) <= {"left", "stays"}
    assert manifest.card.diagnostics is not None
    confusion = np.array(manifest.card.diagnostics.confusion.counts)  # type: ignore[union-attr]
    assert np.trace(confusion) / confusion.sum() == pytest.approx(manifest.card.test_metrics["test_accuracy"])


def test_ensemble_is_exported_by_no_format(forest_file: Path, tmp_path: Path) -> None:
    model: Any = load_model(forest_file)
    asked = rows_of_source(model, str(forest_file.parent / "rows.parquet"))

    with pytest.raises(ModelError, match="The model is an ensemble"):
        export_model(model, "sklearn", tmp_path / "x.skops", asked)
