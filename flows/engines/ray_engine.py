"""Trains on Ray, through Prefect's own task runner for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

import ray
from prefect.task_runners import TaskRunner
from prefect_ray import RayTaskRunner
from prefect_ray.context import remote_options

from pegbox.flows.engines.cluster_engine import check_answers, check_reach, stays_away
from pegbox.schemas.errors import ClusterError
from pegbox.schemas.plan import RunSpec
from pegbox.training.resources import available_cores

# Ray's C code ends this process, in the midst of any call, once its head has been away for 60 s, whatever
# RAY_gcs_rpc_server_reconnect_timeout_s says (2.60 names the 600 that it was given, and ends after 60). The loss has to
# be noticed, told to Prefect and printed before, on a busy machine too: with 30 s it was not, at a load of 25.
AWAY_SECONDS = 15
"""How long the head may be away, as one that is started again is, before the run ends."""


@final
class RayEngine:
    """A Ray cluster: one that is there, or one on this machine for as long as the run lasts.

    Args:
        run: How the study is executed.
        wants_gpu: Whether training should have a GPU; None where it takes one if there is any.
        runner: What has joined a cluster already; the engine starts its own where it is None.
    """

    spreads_gpus = False  # Ray shows each task its own

    def __init__(self, run: RunSpec, wants_gpu: bool | None, runner: RayTaskRunner[Any] | None = None) -> None:
        self._run = run
        self._wants_gpu = wants_gpu
        self._runner = runner
        self._head: str | None = None
        is_ours = run.address is None and runner is None
        self.threads = run.threads or (max(1, available_cores() // run.workers) if is_ours else 1)

    def why_lost(self) -> str | None:
        """See `Engine`."""
        if self._head is None:
            return None
        # Before Ray itself is asked, which would wait until it ends this process.
        if stays_away(self._head, AWAY_SECONDS):
            return f"Ray's head node at {self._head} does not answer any more"
        try:
            alive = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - each version of Ray and each way to join has errors of its own
            return f"Ray does not answer any more ({error})".rstrip(".")
        return None if alive else "no machine of the Ray cluster is alive"

    @contextmanager
    def open(self, run: str) -> Iterator[TaskRunner[Any]]:
        """See `Engine`; Ray itself ends the processes of a driver that leaves."""
        if self._runner is not None:
            with self._sharing():
                yield self._runner
            return
        with self._joined() as runner, self._sharing():
            yield runner

    def _address_of_head(self) -> str:
        """Where something listens for as long as the cluster lives: Ray's control service, or the server of clients."""
        given = str(self._run.address if self._runner is None else self._runner.address)
        return given if given.startswith("ray://") else str(ray.get_runtime_context().gcs_address)

    @contextmanager
    def _joined(self) -> Iterator[TaskRunner[Any]]:
        quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self._run.address is None:
            size = {"num_cpus": self._run.workers * self.threads, "include_dashboard": False}
            runner = RayTaskRunner[Any](address="local", init_kwargs=quiet | size)
        else:
            runner = RayTaskRunner[Any](address=self._run.address, init_kwargs=quiet)
        if self._run.address not in (None, "auto"):
            check_answers(str(self._run.address))
        try:
            runner.__enter__()
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            where, said = self._run.address or "this machine", str(error).rstrip(".")
            raise ClusterError(
                f"Expected a Ray cluster at {where}, but joining it failed ({said}). Does it run the same "
                "versions of Ray and Python, is `run.address` its own, such as ray://HOST:10001, and does it ask for a "
                "token? Then set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN."
            ) from error
        try:
            yield runner
        finally:
            runner.__exit__(None, None, None)

    @contextmanager
    def _sharing(self) -> Iterator[None]:
        """What each task asks of the cluster; a task whose worker was lost is given back instead of run again."""
        self._head = self._address_of_head()
        nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
        check_reach([node["NodeManagerAddress"] for node in nodes])
        gpus = sum(node["Resources"].get("GPU", 0.0) for node in nodes)
        if all(node["Resources"].get("CPU", 0.0) < self.threads for node in nodes):
            raise ClusterError(
                f"No machine of the Ray cluster has the {self.threads} CPUs that a worker is to use. "
                "Lower `run.threads`, or add machines."
            )
        if self._wants_gpu and not gpus:
            raise ClusterError("`train.device` asks for a GPU, but no machine of the Ray cluster has one.")
        share = min(1.0, gpus / self._run.workers) if self._wants_gpu is not False else 0.0
        # No retries of Ray's own: ours count attempts, wait in between and are in the history.
        with remote_options(num_cpus=self.threads, num_gpus=share, max_retries=0):
            yield
