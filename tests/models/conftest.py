"""A model of each form, made once for the tests of this room."""

from pathlib import Path
from typing import Any

import pytest
from small_model import MLP, TREE, customers, make_model

from pegbox.models.load_model import load_model


@pytest.fixture(scope="session", params=[MLP, TREE], ids=["torch", "sklearn"])
def model_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the customers, from all columns but the identifier."""
    return make_model(tmp_path_factory.mktemp("model"), customers(), request.param, drop=("id",))


@pytest.fixture
def model(model_file: Path) -> Any:
    return load_model(model_file, device="cpu")
