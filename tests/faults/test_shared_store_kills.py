"""Drivers of a shared store are killed, machines change, the storage goes away: what was published is never lost."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults.store_writer import make_spec

from pegbox.schemas.errors import StoreBusyError
from pegbox.schemas.events import RunStarted
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.maintenance import verify
from pegbox.storage.sharing import lease
from pegbox.storage.sharing.address import local_root
from pegbox.storage.sharing.pieces import VERSIONS
from pegbox.storage.sharing.place import SharedPlace
from pegbox.storage.sharing.synchronising import synchronise
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

WRITER = Path(__file__).parent / "store_writer.py"
COMPLETED = "SELECT number FROM trials WHERE state = 'completed' ORDER BY number"
EVENTS = "SELECT study, version, body FROM events ORDER BY ALL"


class Machine:
    """One with a mirror and a name of its own; this process is on it while it asks."""

    def __init__(self, directory, url, monkeypatch):
        self.directory, self.url, self._monkeypatch = directory, url, monkeypatch

    def here(self):
        self._monkeypatch.setenv("PEGBOX_MIRRORS", str(self.directory))
        self._monkeypatch.setattr(socket, "gethostname", lambda: self.directory.name)
        return open_store(local_root(self.url))

    def start_driver(self):
        """A program that writes trials as fast as it can."""
        return subprocess.Popen(
            [sys.executable, str(WRITER), self.url, "hill", "run"],
            env={**os.environ, "PEGBOX_MIRRORS": str(self.directory)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def asked(self, query):
        store = self.here()
        synchronise(store)
        ingest(store, wait=True, force=True)
        with open_history(store.root) as file:
            return file.sql(query).fetchall()

    def goes_on(self):
        store = self.here()
        with open_study(store, make_spec("hill"), RunStarted(study="hill", run="next", host="h", pid=1)) as log:
            return len(log.history.trials)


def killed_once_published(driver, url, n_pieces):
    """Kill it when so many pieces are in the storage; gives the trials that it said were completed."""
    place, deadline = SharedPlace(url), time.monotonic() + 120
    while len(place.keys(f"{VERSIONS}/")) < n_pieces and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    driver.kill()
    said, _ = driver.communicate()
    return [int(line.split()[1]) for line in said.splitlines(keepends=True) if line.startswith("completed ")]


def silenced(monkeypatch):
    now = time.time
    monkeypatch.setattr(lease.time, "time", lambda: now() + lease.LEASE_SECONDS + 1)


def killed_and_replaced(url, tmp_path, monkeypatch):
    first, second = (Machine(tmp_path / name, url, monkeypatch) for name in ("anna", "bert"))
    first.here()
    acknowledged = killed_once_published(first.start_driver(), url, 3)
    assert acknowledged
    published = [row[0] for row in second.asked(COMPLETED)]
    assert published == list(range(len(published)))

    with pytest.raises(StoreBusyError, match=r"being driven by process \d+ on host .* free in \d+ seconds"):
        second.goes_on()
    silenced(monkeypatch)
    assert second.goes_on() >= len(published)
    assert [row[0] for row in second.asked(COMPLETED)][: len(published)] == published

    # The first one's driver is dead: what it had not published is set aside, and both see one history.
    assert first.asked(EVENTS) == second.asked(EVENTS)
    assert first.goes_on() == second.goes_on()
    for machine in (first, second):
        assert verify(machine.here()).is_whole


def test_a_driver_is_killed_and_another_machine_goes_on(tmp_path, monkeypatch):
    killed_and_replaced(f"file://{tmp_path}/bucket", tmp_path, monkeypatch)


@pytest.mark.long
def test_a_driver_is_killed_and_its_own_machine_loses_nothing(tmp_path, monkeypatch):
    url = f"file://{tmp_path}/bucket"
    first, second = (Machine(tmp_path / name, url, monkeypatch) for name in ("anna", "bert"))
    first.here()
    acknowledged = killed_once_published(first.start_driver(), url, 2)

    assert first.goes_on() >= len(acknowledged)
    assert [row[0] for row in first.asked(COMPLETED)][: len(acknowledged)] == acknowledged
    assert second.asked(EVENTS) == first.asked(EVENTS)


@pytest.fixture
def s3(monkeypatch):
    """A server that speaks S3, and the bucket `team` in it; `stop` and `start` keep what it holds."""
    pytest.importorskip("s3fs").S3FileSystem.clear_instance_cache()  # one that was made for another address
    server_of = pytest.importorskip("moto.server").ThreadedMotoServer
    boto3 = pytest.importorskip("boto3")
    server = server_of(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in {"ACCESS_KEY_ID": "t", "SECRET_ACCESS_KEY": "t", "ENDPOINT_URL": address}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.client("s3").create_bucket(Bucket="team")
    yield server
    server.stop()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # of boto's, and of moto's
def test_machines_share_a_bucket(s3, tmp_path, monkeypatch):
    killed_and_replaced("s3://team/tuning", tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # of boto's, and of moto's
def test_a_bucket_that_goes_away_stops_no_driver(s3, tmp_path, monkeypatch):
    url = "s3://team/tuning"
    first, second = (Machine(tmp_path / name, url, monkeypatch) for name in ("anna", "bert"))
    store = first.here()
    host, port = s3.get_host_and_port()
    with open_study(store, make_spec("hill"), RunStarted(study="hill", run="r", host="h", pid=1)) as log:
        s3.stop()
        log.record(RunStarted(study="hill", run="r2", host="h", pid=1))
    again = type(s3)(ip_address=host, port=port, verbose=False)
    again.start()
    try:
        assert first.goes_on() == 0
        assert second.asked(EVENTS) == first.asked(EVENTS)
        assert len(second.asked("SELECT DISTINCT run FROM runs")) == 3
    finally:
        again.stop()
