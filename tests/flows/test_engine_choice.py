"""Which engine trains a study: the one of its file, or that of the task runner it was given."""

from collections.abc import Callable

import pytest
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect_dask.task_runners import DaskTaskRunner
from prefect_ray.task_runners import RayTaskRunner

from pegbox.flows.engines.dask_engine import DaskEngine
from pegbox.flows.engines.open_crew import engine_of
from pegbox.flows.engines.ray_engine import RayEngine
from pegbox.schemas.errors import ClusterError
from pegbox.schemas.study import StudySpec

Hill = Callable[..., StudySpec]


@pytest.mark.parametrize(
    ("engine", "runner", "chosen"),
    [
        ("local", ThreadPoolTaskRunner(), type(None)),
        ("ray", ThreadPoolTaskRunner(), RayEngine),
        ("dask", ThreadPoolTaskRunner(), DaskEngine),
        ("local", RayTaskRunner(), RayEngine),
        ("ray", DaskTaskRunner(), DaskEngine),
    ],
)
def test_runner_of_the_caller_wins_over_the_study_file(
    hill: Hill, engine: str, runner: TaskRunner, chosen: type
) -> None:
    assert isinstance(engine_of(hill(run={"engine": engine}), runner), chosen)


def test_runner_that_cannot_train_is_refused(hill: Hill) -> None:
    with pytest.raises(ClusterError, match=r"not on ProcessPoolTaskRunner\. Leave the runner out"):
        engine_of(hill(), ProcessPoolTaskRunner())


@pytest.mark.parametrize(
    ("run", "threads"),
    [({"engine": "ray", "threads": 3}, 3), ({"engine": "dask", "address": "scheduler:8786", "workers": 2}, 1)],
)
def test_worker_of_a_cluster_has_the_threads_of_the_study_or_one(
    hill: Hill, run: dict[str, object], threads: int
) -> None:
    engine = engine_of(hill(run=run), ThreadPoolTaskRunner())

    assert engine is not None
    assert engine.threads == threads
