"""Trains on Dask, through Prefect's own task runner for it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, final
from urllib.parse import urlsplit

import dask.config
from distributed import Client
from prefect.task_runners import TaskRunner
from prefect_dask.task_runners import DaskTaskRunner

from pegbox.execution.cluster_crew import end_pools
from pegbox.flows.engines.cluster_engine import check_answers, check_reach
from pegbox.schemas.errors import ClusterError
from pegbox.schemas.plan import RunSpec
from pegbox.training.resources import available_cores

# Picked by hand: schedulers that start machines on demand take longer, but a cluster that nobody gave a worker must be
# told of.
FIRST_WORKER_SECONDS = 60
"""How long a cluster without workers is waited for."""
IGNORE_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Run by each worker of our own: Ctrl-C in a terminal is meant for the driver, which lets them finish."""


@final
class DaskEngine:
    """A Dask cluster: one that is there, or one on this machine for as long as the run lasts.

    Args:
        run: How the study is executed.
        runner: What has joined a cluster already; the engine starts its own where it is None.
    """

    def __init__(self, run: RunSpec, runner: DaskTaskRunner | None = None) -> None:
        self._run = run
        self._runner = runner
        self.spreads_gpus = run.address is None and runner is None
        self.threads = run.threads or (max(1, available_cores() // run.workers) if self.spreads_gpus else 1)
        self._client: Client | None = None

    def why_lost(self) -> str | None:
        """See `Engine`."""
        if self._client is None:
            return None
        if self._client.status != "running":
            return f"Dask's scheduler does not answer any more (the client is {self._client.status})"
        try:
            _wait_for_worker(self._client)
        except TimeoutError:
            return f"Dask's scheduler has had no worker for {FIRST_WORKER_SECONDS} s"
        except (OSError, RuntimeError) as error:
            return f"Dask's scheduler does not answer any more ({error})"
        return None

    @contextmanager
    def open(self, run: str) -> Iterator[TaskRunner[Any]]:
        """See `Engine`."""
        if self._runner is not None:
            with self._used(self._runner, run):
                yield self._runner
            return
        with self._joined() as runner, self._used(runner, run):
            yield runner

    @contextmanager
    def _joined(self) -> Iterator[DaskTaskRunner]:
        if self._run.address is not None:
            check_answers(self._run.address)
            runner = DaskTaskRunner(address=self._run.address)
        else:
            runner = DaskTaskRunner(
                cluster_kwargs={
                    "n_workers": self._run.workers,
                    # One training for a process of Dask's: where it dies, one trial is lost.
                    "threads_per_worker": 1,
                    "memory_limit": 0,  # training has processes of its own, with limits of its own
                    "dashboard_address": None,
                    "preload": IGNORE_CTRL_C,
                }
            )
        # A task whose worker was lost is given back instead of run again.
        with dask.config.set({"distributed.scheduler.allowed-failures": 0}), runner:
            try:
                _ = runner.client  # joins with its first use
            except (OSError, RuntimeError, ValueError) as error:
                raise ClusterError(self._in_words(error)) from error
            yield runner

    def _in_words(self, error: Exception) -> str:
        said = str(error).rstrip(".")
        if self._run.address is not None:
            return (
                f"Expected a Dask scheduler at {self._run.address}, but joining it failed ({said}). Is `run.address` "
                "its own, such as tcp://HOST:8786?"
            )
        return (
            f"A Dask cluster could not be started on this machine ({said}). Dask's workers import the script that "
            f'started them, {sys.argv[0]!r}: what runs a study there must stand below `if __name__ == "__main__":`.'
        )

    @contextmanager
    def _used(self, runner: DaskTaskRunner, run: str) -> Iterator[None]:
        self._client = client = runner.client
        try:
            _wait_for_worker(client)
        except TimeoutError as error:
            raise ClusterError(
                f"The Dask cluster at {self._run.address} has no worker. Start one with "
                f"`dask worker {self._run.address}`."
            ) from error
        check_reach(_hosts(client))
        try:
            yield
        finally:
            with suppress(OSError, TimeoutError):  # a cluster that is gone has no processes left to end
                client.run(end_pools, run, on_error="ignore")


def _wait_for_worker(client: Client) -> None:
    client.wait_for_workers(1, timeout=FIRST_WORKER_SECONDS)


def _hosts(client: Client) -> list[str]:
    workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    return [urlsplit(address).hostname or "" for address in workers]
