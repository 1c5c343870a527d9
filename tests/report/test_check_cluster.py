"""What a study file may say about the cluster it runs on."""

from importlib.machinery import ModuleSpec
from typing import Any

import pytest

from pegbox.report import check_cluster as module
from pegbox.report.check_cluster import check_cluster
from pegbox.schemas.plan import RunSpec


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if both extras were installed."""
    monkeypatch.setattr(module, "find_spec", lambda name: ModuleSpec(name, None))


@pytest.mark.parametrize(
    ("engine", "address"),
    [
        ("ray", None),
        ("ray", "auto"),
        ("ray", "ray://head.cluster.local:10001"),
        ("ray", "192.0.2.7:6379"),
        ("dask", None),
        ("dask", "tcp://scheduler:8786"),
        ("dask", "tls://192.0.2.7:8786/"),
        ("dask", "scheduler:8786"),
    ],
)
def test_address_of_each_engine_is_known(engine: Any, address: str | None) -> None:
    assert list(check_cluster(RunSpec(engine=engine, address=address))) == []


@pytest.mark.parametrize(
    ("run", "path", "words"),
    [
        ({"engine": "ray", "address": "tcp://head:8786"}, "address", "such as ray://HOST:10001"),
        ({"engine": "dask", "address": "ray://head:10001"}, "address", "such as tcp://HOST:8786"),
        ({"engine": "dask", "address": "scheduler"}, "address", "got 'scheduler'"),
        ({"address": "ray://head:10001"}, "address", "`engine: local` uses no address"),
        ({"shared": "file:///mnt"}, "shared", "`engine: local` uses no shared"),
        ({"engine": "ray", "batch": "auto"}, "batch", "only `engine: local` trains"),
        ({"engine": "ray", "shared": "/mnt/shared"}, "shared", "such as s3://BUCKET/FOLDER, got '/mnt/shared'"),
        ({"engine": "ray", "shared": "memory://here"}, "shared", "a place that all machines can write to"),
        ({"engine": "ray", "shared": "s4://bucket"}, "shared", "'s4://bucket' cannot be used: Protocol not known: s4"),
    ],
)
def test_cluster_that_cannot_be_meant_is_refused(run: dict[str, Any], path: str, words: str) -> None:
    (problem,) = check_cluster(RunSpec.model_validate(run))

    assert problem.path == ("run", path)
    assert words in problem.message


def test_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)

    (problem,) = check_cluster(RunSpec(engine="dask"))

    assert problem.path == ("run", "engine")
    assert 'pip install "pegbox[dask]"' in problem.message
