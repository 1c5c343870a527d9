"""A whole cluster is lost under a study: it fails no trial, says so, and the same command goes on with a new one."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from driver_process import DriverProcess, calls, history_of

from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

# Clusters take long to start on a busy machine; and a client of Dask looks for its scheduler for half a minute.
pytestmark = [pytest.mark.flow, pytest.mark.long, pytest.mark.timeout(1200)]

Hill = Callable[..., StudySpec]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens at port {port}")


def _kill_with_descendants(process: "subprocess.Popen[bytes]") -> None:
    """Every process of a cluster at once, as if the power of its machine had gone."""
    with suppress(psutil.NoSuchProcess):
        for one in (*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)):
            with suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _start(*arguments: str, output: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, *arguments], stdout=output, stderr=subprocess.STDOUT)


def _wait_until_said(process: "subprocess.Popen[bytes]", word: bytes) -> None:
    assert process.stdout is not None
    said = []
    while word not in (line := process.stdout.readline()):
        said.append(line)
        assert line, b"".join(said)


@contextmanager
def _dask(port: int) -> Iterator[Callable[[], None]]:
    """A scheduler and a worker; gives what kills the scheduler alone."""
    address = f"tcp://127.0.0.1:{port}"
    scheduler = _start(
        "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
    )
    worker = _start("-m", "distributed.cli.dask_worker", address, "--nthreads", "2", "--no-nanny", "--no-dashboard")
    try:
        _wait_until_open(port)
        yield lambda: _kill_with_descendants(scheduler)
    finally:
        for process in (worker, scheduler):
            _kill_with_descendants(process)


@contextmanager
def _ray(port: int) -> Iterator[Callable[[], None]]:
    """A cluster of one machine; gives what kills all of it."""
    with tempfile.TemporaryDirectory() as folder:  # a short path, because sockets are made below it
        place = ("--node-ip-address=127.0.0.1", f"--port={port}", f"--temp-dir={folder}")
        head = _start(
            *("-c", "from ray.scripts.scripts import main; main()", "start", "--head", "--block", "--num-cpus=2"),
            *("--include-dashboard=false", "--disable-usage-stats", *place),
            output=subprocess.PIPE,
        )
        try:
            _wait_until_said(head, b"Ray runtime started")
            yield lambda: _kill_with_descendants(head)
        finally:
            _kill_with_descendants(head)


@pytest.mark.parametrize(("engine", "cluster"), [("dask", _dask), ("ray", _ray)])
def test_a_lost_cluster_fails_no_trial_and_the_same_command_goes_on(
    project: Path,
    prefect_api: str,
    slow_hill: Hill,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    cluster: Callable[[int], AbstractContextManager[Callable[[], None]]],
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # Ray asks for a token of the user's otherwise
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")  # a busy machine needs more than Ray's own 30
    port = _free_port()
    address = f"tcp://127.0.0.1:{port}" if engine == "dask" else f"127.0.0.1:{port}"
    run = {"workers": 2, "threads": 1, "engine": engine, "address": address}
    spec = slow_hill(space={"x": {"min": 0.0, "max": 1.0}, "pause": 0.5}, run=run)

    with cluster(port) as kill:
        process = DriverProcess(spec, project, prefect_api)
        process.wait_for_calls(3)
        kill()
        code, output = process.finish()

    assert code == 1, output
    assert "The cluster of study 'hill' is gone" in output
    assert "No trial failed by it" in output
    assert "the same command goes on" in output
    assert history_of(project).failed == ()

    with cluster(port):
        code, output = DriverProcess(spec, project, prefect_api).finish()

    assert code == 0, output
    assert len(history_of(project).completed) == 8
    assert history_of(project).selection is not None
    with open_history(project / "store") as file:
        assert file.sql("FROM failures").fetchall() == []
    assert len(calls(project)) >= 8
