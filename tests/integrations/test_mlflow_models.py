"""A registered model predicts in MLflow, without the study that it came from."""

from pathlib import Path

import numpy as np
import pytest
from small_model import TREE, customers, make_model

from pegbox.models.artefact import open_artefact
from pegbox.models.load_model import load_model

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default")]  # its own deprecations are none of ours

mlflow = pytest.importorskip("mlflow")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A registry of its own, in a directory where nothing else lies."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ENABLE_MODEL_REGISTRY_WEBHOOKS", "false")
    return f"sqlite:///{tmp_path}/registry.db"


def test_promoted_model_is_a_version_that_predicts(tmp_path: Path, place: str) -> None:
    from pegbox.integrations.mlflow_models import register_model

    rows = customers()
    file = make_model(tmp_path, rows, TREE, drop=("id",))
    expected = load_model(file).predict(rows)
    with open_artefact(file) as artefact:
        manifest = artefact.manifest

    first = register_model(file, manifest, "churn/of 2026", tmp_path, place)
    again = register_model(file, manifest, "churn/of 2026", tmp_path, place)
    file.unlink()  # what is registered is a copy

    mlflow.set_tracking_uri(place)
    loaded = mlflow.pyfunc.load_model(first.uri)
    import pandas as pd

    assert first == again == ("churn-of 2026", "1")
    assert np.array_equal(loaded.predict(pd.DataFrame(rows)), expected)
    assert loaded.predict(pd.DataFrame(rows), params={"probabilities": True}).shape == (120, 2)
    version = mlflow.MlflowClient(place).get_model_version_by_alias("churn-of 2026", "current")
    assert version.tags["pegbox.trial"] == "0"
    assert "val_loss 0.5 expected" in version.description


def test_registry_that_does_not_answer_is_told(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pegbox.integrations import mlflow_models
    from pegbox.schemas.errors import ModelError

    file = make_model(tmp_path, customers(), TREE, drop=("id",))
    with open_artefact(file) as artefact:
        manifest = artefact.manifest

    with pytest.raises(ModelError, match="MLflow did not register the model of ' '"):
        mlflow_models.register_model(file, manifest, " ", tmp_path, place)
