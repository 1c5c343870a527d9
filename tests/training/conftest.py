"""Small synthetic data and segments, shared by the tests of the trainers."""

import numpy as np
import pytest

from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.data import PreparedData
from pegbox.schemas.train import TorchTrain
from pegbox.schemas.trial import Segment


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)


def make_part(rng, n_rows, task, n_numeric=6, cardinalities=()):
    numeric = rng.standard_normal((n_rows, n_numeric)).astype(np.float32)
    categorical = np.stack([rng.integers(0, n, n_rows) for n in cardinalities], axis=1) if cardinalities else None
    signal = numeric[:, 0] - numeric[:, 1] + (categorical[:, 0] if cardinalities else 0)
    target = (signal > 0).astype(np.int64) if task == "classification" else (50 + 10 * signal).astype(np.float32)
    return Part(numeric, np.zeros((n_rows, 0), np.int64) if categorical is None else categorical, target)


def make_splits(tmp_path, task="classification", n_rows=120, cardinalities=(), n_numeric=6, shape=None):
    rng = np.random.default_rng(0)
    sizes = {"train": n_rows, "valid": n_rows // 2, "test": n_rows // 2}
    parts = {name: make_part(rng, size, task, n_numeric, cardinalities) for name, size in sizes.items()}
    info = PreparedData(
        path=tmp_path,
        fingerprint=f"{task}-{n_rows}-{cardinalities}-{n_numeric}-{shape}",
        task=task,
        n_folds=1,
        n_rows=sizes,
        numeric=tuple(f"x{column}" for column in range(n_numeric)),
        categorical=tuple(f"c{column}" for column in range(len(cardinalities))),
        cardinalities=cardinalities,
        classes=("no", "yes") if task == "classification" else (),
        shape=shape,
    )
    return Splits(info=info, **parts)


def make_segment(configuration=None, *, train=None, **changes):
    fields = {
        "study": "s",
        "trial": 0,
        "configuration": configuration or {},
        "seed": 1,
        "to_budget": 2,
        "train": train or TorchTrain(kind="mlp", epochs=9),
        "code": "c",
    }
    return Segment(**(fields | changes))


def ignore(step, metrics):
    pass
