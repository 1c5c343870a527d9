"""Opens what trains a study, as `run.engine` says or as the caller's own task runner does; submits nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from prefect.context import FlowRunContext
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from pegbox.execution.batching import BatchPlan
from pegbox.execution.cluster_crew import ClusterCrew
from pegbox.execution.crew import Crew, worker_settings
from pegbox.execution.exchange import Exchange
from pegbox.execution.far_crew import FarCrew
from pegbox.execution.local_crew import LocalCrew
from pegbox.execution.project_code import put_code
from pegbox.flows.engines.cluster_engine import Engine, cluster_lost
from pegbox.schemas.errors import ClusterError, ClusterLostError, PegboxError, TrialError
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout


@contextmanager
def open_crew(spec: StudySpec, store: StoreLayout) -> Iterator[Crew]:
    """The crew of a run; while it is open, tasks that the flow submits run where the crew's workers are.

    Raises:
        ClusterError: The cluster does not answer, or cannot run the study.
        ClusterLostError: It went away meanwhile.
    """
    context = FlowRunContext.get()
    assert context is not None  # the flow is running
    engine = engine_of(spec, context.task_runner)
    settings = worker_settings(spec)
    if engine is None:
        with LocalCrew(spec.run, settings, store, BatchPlan.of(spec)) as local:
            yield local
        return
    run = uuid4().hex
    lost: list[ClusterLostError] = []
    with (
        # Outermost, because the engine of a lost cluster often fails to close.
        _loss_told(lost),
        engine.open(run) as runner,
        _loss_noted(engine, spec.name, lost),
        context.model_copy(update={"task_runner": runner}),
    ):
        crew = ClusterCrew(
            spec.run,
            replace(settings, threads=engine.threads),
            store,
            run_id=run,
            directory=Path.cwd(),
            spreads_gpus=engine.spreads_gpus,
        ).asking(engine.why_lost)
        yield crew if spec.run.shared is None else _far(crew, spec.run.shared)


@contextmanager
def _loss_told(lost: list[ClusterLostError]) -> Iterator[None]:
    """Tell the loss that was noted, whatever else went wrong after it."""
    try:
        yield
    except Exception as error:
        if lost and error is not lost[0]:
            raise lost[0] from error
        raise


@contextmanager
def _loss_noted(engine: Engine, study: str, lost: list[ClusterLostError]) -> Iterator[None]:
    """Note the cause where the cluster went away while a task was handed to it, which fails in many ways.

    The cluster is asked while the engine is open: once it is closed, no cluster answers.
    """
    try:
        yield
    except ClusterLostError as error:
        lost.append(error)
        raise
    except Exception as error:
        is_known = isinstance(error, PegboxError) and not isinstance(error, TrialError)
        if not is_known and (why := engine.why_lost()):
            lost.append(cluster_lost(study, why))
        raise


def _far(near: ClusterCrew, shared: str) -> FarCrew:
    exchange = Exchange.of(near.store.root, shared)
    return FarCrew(near, exchange, put_code(exchange, near.directory, near.store.root))


def engine_of(spec: StudySpec, given: TaskRunner[Any]) -> Engine | None:
    """None where the driver's own worker processes train.

    A runner that the caller gave the flow with `with_options` wins over the study file.
    """
    name: str = spec.run.engine
    if not isinstance(given, ThreadPoolTaskRunner):
        name = {"RayTaskRunner": "ray", "DaskTaskRunner": "dask"}.get(type(given).__name__, "")
        if not name:
            raise ClusterError(
                f"A study runs on Prefect's ThreadPoolTaskRunner, RayTaskRunner or DaskTaskRunner, not on "
                f"{type(given).__name__}. Leave the runner out, and set `run.engine` in the study file."
            )
    runner: Any = None if isinstance(given, ThreadPoolTaskRunner) else given
    if name == "ray":
        from pegbox.flows.engines.ray_engine import RayEngine

        return RayEngine(spec.run, _wants_gpu(spec), runner)
    if name == "dask":
        from pegbox.flows.engines.dask_engine import DaskEngine

        return DaskEngine(spec.run, runner)
    return None


def _wants_gpu(spec: StudySpec) -> bool | None:
    """What `train.device` says; None where training takes a GPU if there is one."""
    return {"cuda": True, "xpu": True, "cpu": False, "mps": False}.get(getattr(spec.train, "device", "auto"))
