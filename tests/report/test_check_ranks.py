"""Trials of several GPUs or processes, as `validate` judges them."""

import pytest

from pegbox.execution.pool import _variables
from pegbox.execution.worker_settings import WorkerSettings
from pegbox.report.check_ranks import check_ranks
from pegbox.schemas.study import StudySpec


def spec(run, train=None):
    return StudySpec.model_validate(
        {
            "name": "s",
            "train": train or {"kind": "function", "function": "a:b"},
            "space": {"lr": {"min": 0.1, "max": 1.0}},
            "objective": {"metric": "loss"},
            "budget": {"trials": 3},
            "run": run,
        }
    )


@pytest.mark.parametrize(
    ("gpus", "run", "message"),
    [
        ("", {"gpus_per_trial": 2}, "no GPU is visible here, and each trial is to have 2"),
        ("0,1,2", {"gpus_per_trial": 2}, "the 3 GPUs here (0, 1, 2) cannot be divided among trials of 2"),
        ("0", {"gpus_per_trial": 2}, "the 1 GPUs here (0) cannot be divided"),
        ("0,1,2,3", {"gpus_per_trial": 4, "processes_per_trial": 3}, "4 GPUs cannot be divided among 3 processes"),
        ("0,1", {"gpus_per_trial": 2, "processes_per_trial": 4}, "2 GPUs cannot be divided among 4 processes"),
        ("MIG-a,MIG-b", {"gpus_per_trial": 2}, "one MIG instance and no more"),
        ("0,1", {"gpus_per_trial": 2, "engine": "ray"}, "has one process for each trial"),
    ],
)
def test_what_does_not_divide_is_refused(monkeypatch, gpus, run, message):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)

    (problem,) = check_ranks(spec(run))

    assert message in str(problem)


@pytest.mark.parametrize(
    ("gpus", "run"),
    [
        ("0,1,2,3", {"gpus_per_trial": 2}),
        ("0,1", {"gpus_per_trial": 2, "processes_per_trial": 1}),
        ("", {"processes_per_trial": 2}),
        ("0,1,2", {}),
    ],
)
def test_what_divides_is_not_refused(monkeypatch, gpus, run):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)

    assert list(check_ranks(spec(run))) == []


def test_a_kind_that_knows_no_ranks_is_refused():
    (problem,) = check_ranks(_mlp())

    assert "a mlp trains in one process on one GPU. Leave processes_per_trial out" in str(problem)


def _mlp():
    raw = spec({"processes_per_trial": 2}).model_dump(exclude_unset=True)
    return StudySpec.model_validate(raw | {"train": {"kind": "mlp"}, "data": {"source": "sklearn:iris"}})


def test_each_worker_has_the_gpus_of_one_trial():
    settings = WorkerSettings(gpus=2, processes=2)
    places = [_variables(("0", "1", "MIG-x", "3"), number, settings) for number in range(3)]

    assert [one["CUDA_VISIBLE_DEVICES"] for one in places] == ["0,1", "MIG-x,3", "0,1"]
    assert {one["PEGBOX_PROCESSES"] for one in places} == {"2"}
