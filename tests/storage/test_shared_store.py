"""A store that machines share: two directories and two hostnames see one history, and one driver for each study."""

import json
import socket
import time

import fsspec
import pytest
from driven_study import drive
from simulated_study import Simulation, write_simulation

from pegbox.schemas.errors import StoreBusyError, StoreError, StoreUnreachableError
from pegbox.schemas.events import NoteWritten, RunStarted
from pegbox.storage.amending import rename_study
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.maintenance import rebuild, verify
from pegbox.storage.merging import merge_store
from pegbox.storage.notes import write_note
from pegbox.storage.sharing import lease, synchronising
from pegbox.storage.sharing.address import address_of, local_root
from pegbox.storage.sharing.lease_keeper import LeaseKeeper
from pegbox.storage.sharing.place import SharedPlace
from pegbox.storage.sharing.synchronising import synchronise, unpublished
from pegbox.storage.store import open_store
from pegbox.storage.study_lock import study_holder
from pegbox.storage.study_log import open_study

TRIALS = "SELECT study, number, value, state FROM trials ORDER BY ALL"
EVENTS = "SELECT study, version, body FROM events ORDER BY ALL"


@pytest.fixture
def url(request, tmp_path):
    """In memory, or in a folder that all mount where a test asks for that as well."""
    if getattr(request, "param", "memory") == "file":
        return f"file://{tmp_path}/bucket"
    fsspec.filesystem("memory").store.clear()
    return "memory://team"


BOTH = pytest.mark.parametrize("url", ["memory", "file"], indirect=True)


@pytest.fixture
def machine(url, tmp_path, monkeypatch):
    """Become another machine: its name, its mirror."""

    def become(name):
        monkeypatch.setenv("PEGBOX_MIRRORS", str(tmp_path / name))
        monkeypatch.setattr(socket, "gethostname", lambda: name)
        return open_store(local_root(url))

    return become


@pytest.fixture
def spec(spec_of):
    return spec_of(name="hill", budget={"trials": 4}, search={"method": "random"}, finalists={"top": 1, "seeds": 2})


def hill(configuration, epochs, seed):
    return {"val_loss": abs(configuration["lr"] - 0.01) + 1 / epochs}


def run_of(spec):
    return RunStarted(study=spec.name, run="r", host="h", pid=1)


def asked(store, query=TRIALS):
    synchronise(store)
    ingest(store, wait=True, force=True)
    with open_history(store.root) as file:
        return file.sql(query).fetchall()


def silenced(monkeypatch):
    """From now on nothing was heard of those who hold a lease for longer than it lasts."""
    now = time.time
    monkeypatch.setattr(lease.time, "time", lambda: now() + lease.LEASE_SECONDS + 1)


def cut_off(monkeypatch):
    """The storage does not answer."""

    def refuse(self, key):
        raise ConnectionError("connection refused")

    monkeypatch.setattr(SharedPlace, "_find", refuse)


def test_what_one_machine_ran_another_sees_and_goes_on_with(machine, spec):
    first = machine("anna")
    drive(first.root, spec, hill, most_decisions=2)
    second = machine("bert")

    assert asked(second) == asked(first)
    assert len(asked(second)) == 2

    drive(second.root, spec, hill)
    assert len(asked(first)) == 4
    assert asked(first, EVENTS) == asked(second, EVENTS)
    assert verify(first).is_whole
    assert verify(second).is_whole
    assert address_of(first.root) == address_of(second.root)


def test_a_study_is_driven_once_and_the_other_is_refused_by_name(machine, spec):
    first = machine("anna")
    with open_study(first, spec, run_of(spec)):
        second = machine("bert")
        with pytest.raises(StoreBusyError, match=r"'hill' is being driven by process .* on host anna.*free in [56]"):
            open_study(second, spec, run_of(spec))
        synchronise(second)
        assert study_holder(second, "hill")["host"] == "anna"
        machine("anna")
    synchronise(second)
    assert study_holder(second, "hill") is None
    with open_study(second, spec, run_of(spec)) as log:
        assert log.history.version > 2


def test_the_driver_of_a_dead_machine_is_replaced_and_what_it_published_is_kept(machine, spec, monkeypatch):
    first = machine("anna")
    log = open_study(first, spec, run_of(spec))
    log._lock._keeper._stopped.set()  # as if its machine had gone: nothing is renewed or published any more
    second = machine("bert")
    with pytest.raises(StoreBusyError, match="on host anna"):
        open_study(second, spec, run_of(spec))

    silenced(monkeypatch)
    drive(second.root, spec, hill)

    assert len(asked(second)) == 4
    assert verify(second).is_whole
    log._journal.close()


def test_a_driver_that_was_taken_for_dead_is_refused_and_what_it_wrote_is_set_aside(machine, spec, monkeypatch, caplog):
    first = machine("anna")
    log = open_study(first, spec, run_of(spec))
    log._lock._keeper._stopped.set()
    log.record(run_of(spec))  # never published
    ingest(first, wait=True, force=True)
    silenced(monkeypatch)
    second = machine("bert")
    with open_study(second, spec, run_of(spec)) as taken:
        # While its writer lives its events stay, and those of the other do not come.
        assert synchronise(first) == {log._journal.name}
        with pytest.raises(StoreBusyError, match=r"taken over by process .* on host bert"):
            log._lock._keeper._lease.renew()
        with pytest.raises(StoreBusyError):
            log._claim()
        taken.record(run_of(spec))
    log._journal.close()

    assert asked(first, EVENTS) == asked(second, EVENTS)
    assert "lies in" in caplog.text
    assert verify(first).is_whole
    [aside] = first.shared.glob("not-published-*")
    assert b"run_started" in aside.read_bytes()


def test_a_keeper_that_lost_its_study_ends_the_run(machine, spec, monkeypatch):
    first = machine("anna")
    log = open_study(first, spec, run_of(spec))
    log._lock._keeper.lost = StoreBusyError("taken over by process 1 on host bert")

    with pytest.raises(StoreBusyError, match="host bert"):
        log.record(run_of(spec))
    log.close("failed")
    assert [row[0] for row in asked(first, "SELECT type FROM events ORDER BY version")] == [
        "study_opened",
        "run_started",
    ]


def test_a_storage_that_is_away_costs_a_wait_and_no_event(machine, spec, monkeypatch, caplog):
    first = machine("anna")
    with open_study(first, spec, run_of(spec)) as log, monkeypatch.context() as away:
        cut_off(away)
        log.record(run_of(spec))
        assert unpublished(first) > 0
        log.close("interrupted")  # ends as ever, and says that it could not be told
    assert "could not be used: ConnectionError: connection refused" in caplog.text
    assert unpublished(first) > 0
    # Others wait for the lease, because what happened last lies here.
    second = machine("bert")
    with pytest.raises(StoreBusyError, match="on host anna"):
        open_study(second, spec, run_of(spec))

    machine("anna")
    with open_study(first, spec, run_of(spec)):
        pass
    assert unpublished(first) == 0
    assert asked(machine("bert"), EVENTS) == asked(first, EVENTS)


def test_without_the_storage_nothing_is_begun_and_the_last_state_is_read(machine, spec, monkeypatch, caplog):
    first = machine("anna")
    drive(first.root, spec, hill)
    before = asked(first)
    (first.shared / "synchronised").unlink()
    cut_off(monkeypatch)

    with pytest.raises(StoreUnreachableError, match=r"connection refused\. .* kept here, and goes there"):
        open_study(first, spec, run_of(spec))
    with open_history(first.root) as file:
        assert file.sql(TRIALS).fetchall() == before
    assert "this machine saw last" in caplog.text


def test_notes_and_renames_reach_the_other_machine(machine, spec):
    first = machine("anna")
    drive(first.root, spec, hill)
    second = machine("bert")
    synchronise(second)
    ingest(second, wait=True, force=True)
    write_note(second, NoteWritten(study="hill", trial=1, text="odd"))
    rename_study(second, "hill", "valley")

    assert asked(first, "SELECT study, trial, text FROM notes") == [("valley", 1, "odd")]
    assert {row[0] for row in asked(first)} == {"valley"}
    assert verify(first).is_whole


@pytest.mark.long
def test_a_store_is_merged_into_a_shared_one_from_two_machines(machine, tmp_path):
    other = write_simulation(tmp_path / "carl" / ".pegbox", Simulation("digits", n_trials=6))
    first = machine("anna")
    merge_store(first, other)
    second = machine("bert")
    merge_store(second, other)

    assert len(asked(first)) == 6
    assert asked(first, TRIALS) == asked(second, TRIALS) == asked(other, TRIALS)
    assert verify(second).is_whole


def test_a_mirror_that_was_damaged_is_made_whole(machine, spec):
    first = machine("anna")
    drive(first.root, spec, hill)
    before = asked(first, EVENTS)
    for path in [*first.journal.glob("*.jsonl"), *first.archive.glob("*")]:
        path.unlink()
    first.master.unlink()
    first.snapshot.unlink()

    assert asked(first, EVENTS) == before
    (first.shared / "pieces.tsv").write_bytes(b"versions/torn")
    assert asked(first, EVENTS) == before
    assert unpublished(first) == 0
    rebuild(first)
    assert verify(first).is_whole


def test_a_journal_that_was_archived_here_goes_on_there(machine, spec):
    first = machine("anna")
    journal = Journal(first.journal, writer="worker")
    journal.append(NoteWritten(study="hill", text="one"))
    synchronise(first)
    second = machine("bert")
    drive(second.root, spec, hill)  # its end archives what nobody here writes
    assert list(second.archive.glob("*-worker-anna-*"))
    journal.append(NoteWritten(study="hill", text="two"))
    synchronise(first)

    assert sorted(asked(second, "SELECT text FROM notes")) == [("one",), ("two",)]
    assert verify(second).is_whole
    journal.close()


def test_a_synchronisation_that_was_killed_goes_on(machine, spec, monkeypatch):
    first = machine("anna")
    drive(first.root, spec, hill)
    second = machine("bert")

    def die(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(synchronising, "_make_durable", die)
        with pytest.raises(KeyboardInterrupt):
            synchronise(second)
    [*_, torn] = sorted(second.journal.glob("*-driver-*.jsonl"))
    torn.write_bytes(torn.read_bytes()[:-20])

    assert asked(second, EVENTS) == asked(first, EVENTS)
    assert verify(second).is_whole


@BOTH
def test_an_answer_that_was_lost_counts_as_given(machine, url, monkeypatch):
    machine("anna")
    place = SharedPlace(url)
    assert place.settle("loose/a", b"mine") == b"mine"
    # The second try of a request whose first arrived.
    assert place.settle("loose/a", b"mine") == b"mine"
    assert place.settle("loose/a", b"another's") == b"mine"
    assert place.read(["loose/a", "loose/none"]) == {"loose/a": b"mine"}
    assert place.keys("loose/") == ["loose/a"]
    place.remove("loose/a")
    place.remove("loose/a")
    assert place.keys("loose/") == []


@pytest.mark.parametrize("damage", [b"", b"none", b'{"journal": "../../x", "offset": 0, "bytes": 0, "crc": 0}\n'])
def test_an_object_that_is_no_piece_is_named_and_nothing_is_written(machine, url, damage):
    store = machine("anna")
    SharedPlace(url).replace("loose/x/0", damage)

    with pytest.raises(StoreError, match="'loose/x/0' of the shared store"):
        synchronise(store)
    assert not list(store.root.parent.parent.rglob("x.jsonl"))


def test_a_study_with_a_lease_that_cannot_be_read_is_not_taken(machine, url, spec):
    store = machine("anna")
    key = f"leases/{lease.study_key('hill')}.json"
    SharedPlace(url).replace(key, json.dumps({"host": "newer"}).encode())

    with pytest.raises(StoreError, match="must say who drives a study"):
        open_study(store, spec, run_of(spec))


def test_a_lease_is_renewed_and_what_is_recorded_published_by_itself(machine, spec, monkeypatch):
    monkeypatch.setattr("pegbox.storage.sharing.lease_keeper.PUBLISH_SECONDS", 0.01)
    monkeypatch.setattr("pegbox.storage.sharing.lease_keeper.RENEW_SECONDS", 0.01)
    store = machine("anna")
    with open_study(store, spec, run_of(spec)) as log:
        first = log._lock._keeper._lease._holder().renewed_at
        log.record(run_of(spec))
        deadline = time.monotonic() + 60
        while (unpublished(store) or log._lock._keeper._lease._holder().renewed_at == first) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.01)
        assert unpublished(store) == 0
        assert log._lock._keeper._lease._holder().renewed_at > first
    assert LeaseKeeper.taken(open_store(store.root.parent / "own"), "hill") is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s4://bucket/team", "URL that fsspec knows, got 's4://bucket/team'"),
        ("s3://me:hunter22@bucket/team", r"holds no secret, got s3://me:\*\*\*@bucket"),
        ("sftp://host/team", "creates an object only where there is none|could not be used"),
        ("github://me:project@/", "holds no secret|creates an object|could not be used"),
        ("http://127.0.0.1:9/team", "could not be used: ClientConnectorError"),
    ],
)
def test_a_url_that_cannot_be_one_is_refused(address, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("PEGBOX_MIRRORS", str(tmp_path))

    with pytest.raises(StoreError, match=expected) as caught:
        local_root(address)
    assert "hunter22" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_directory_is_a_directory(tmp_path):
    assert local_root(tmp_path / "x") == tmp_path / "x"
    assert local_root("C/x:y") == local_root(local_root("C/x:y"))
