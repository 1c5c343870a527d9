"""What a cluster must do for a study, whichever software runs it; `ray_engine` and `dask_engine` do it."""

import ipaddress
import socket
import time
from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any, Protocol
from urllib.parse import urlsplit

from prefect.settings import PREFECT_API_URL
from prefect.task_runners import TaskRunner

from pegbox.schemas.errors import ClusterError, ClusterLostError

# Picked by hand: a slow network answers in it; the clients of Ray and Dask would wait for minutes.
ANSWER_SECONDS = 10
# As long as Dask's client looks for its scheduler.
AWAY_SECONDS = 30
"""How long the head of a cluster may be away, as one that is started again is, before the run ends."""


class Engine(Protocol):
    """One cluster, as a study uses it."""

    @property
    def threads(self) -> int:
        """CPU threads of each worker."""

    @property
    def spreads_gpus(self) -> bool:
        """True where the workers of one machine see all of its GPUs and each has to choose its own."""

    def open(self, run: str) -> AbstractContextManager[TaskRunner[Any]]:
        """Start or join the cluster, and give what takes tasks; ends what is left of the run in the end.

        Raises:
            ClusterError: The cluster does not answer, or cannot run the study.
        """

    def why_lost(self) -> str | None:
        """What became of the whole cluster, in words; None where it lives and has workers. Asked while it is open."""


def cluster_lost(study: str, why: str) -> ClusterLostError:
    """The error for a cluster that went away as a whole."""
    return ClusterLostError(
        f"The cluster of study {study!r} is gone: {why}. No trial failed by it, and what was trained is recorded. "
        "Start the cluster again; the same command goes on."
    )


def check_answers(address: str) -> None:
    """Refuse an address at which nothing listens, before a cluster's own client waits for minutes.

    Raises:
        ClusterError: No connection within some seconds.
    """
    try:
        _connect(address, ANSWER_SECONDS)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"Expected a cluster at {address}, but nothing answers there ({error}). Is it up, is `run.address` its "
            "own, and does a firewall let this machine through?"
        ) from error


def stays_away(address: str, seconds: float = AWAY_SECONDS) -> bool:
    """True if nothing listens at an address for so long."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            _connect(address, max(0.1, min(ANSWER_SECONDS, deadline - time.monotonic())))
        except OSError:
            if time.monotonic() >= deadline:
                return True
            time.sleep(min(1.0, seconds))
        else:
            return False


def _connect(address: str, seconds: float) -> None:
    place = urlsplit(address if "://" in address else f"//{address}")
    socket.create_connection((place.hostname or "", place.port or 0), seconds).close()


def check_reach(hosts: Collection[str]) -> None:
    """Refuse workers on other machines where Prefect's server answers on this one alone.

    Args:
        hosts: Names or addresses of the machines that the workers are on.

    Raises:
        ClusterError: Some worker could not report to Prefect.
    """
    url = PREFECT_API_URL.value()
    away = sorted(host for host in hosts if not is_here(host))
    if away and (url is None or is_loopback(urlsplit(url).hostname or "")):
        raise ClusterError(
            f"The cluster has workers on {', '.join(away[:3])}, but Prefect's server answers at {url or 'no address'}, "
            "which they cannot reach. Start one that all machines reach, with `prefect server start --host 0.0.0.0`, "
            "and set PREFECT_API_URL to its address, such as http://THIS_HOST:4200/api."
        )


def is_loopback(host: str) -> bool:
    """True for an address that means the same machine wherever it is used."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_here(host: str) -> bool:
    """True if the address is one of this machine."""
    try:
        # Only an address of this machine can be bound, whatever names and network interfaces it has.
        family, kind, protocol, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
