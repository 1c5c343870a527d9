"""Two stores become one history: nothing doubled, nothing mixed, however often and whenever they are merged."""

import shutil
import threading

import pytest
from simulated_study import Simulation, write_simulation

from pegbox.schemas.errors import NotFoundError, StoreError
from pegbox.schemas.events import ModelMade, ModelPromoted, NoteWritten, RunStarted
from pegbox.schemas.model import ModelRecord
from pegbox.storage.amending import amend_study, rename_study
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import verify
from pegbox.storage.merging import merge_store
from pegbox.storage.model_files import model_path
from pegbox.storage.notes import write_note
from pegbox.storage.study_log import open_study

SUMMARY = "SELECT study, count(*) AS n, sum(value), count(value) FROM trials GROUP BY study ORDER BY study"


def written(root, *studies):
    for name, seed in studies:
        write_simulation(root, Simulation(name, n_trials=6, seed=seed))
    return StoreLayout(root.absolute())


def asked(store, query=SUMMARY):
    with open_history(store.root) as file:
        return file.sql(query).fetchall()


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Three, to be copied: none of the tests writes into these."""
    root = tmp_path_factory.mktemp("stores")
    written(root / "ours" / ".pegbox", ("digits", 0), ("wine", 1))
    written(root / "anna" / ".pegbox", ("digits", 2), ("iris", 3))
    written(root / "third" / ".pegbox", ("wine", 5))
    return root


def copied(stores, name, tmp_path):
    return StoreLayout(shutil.copytree(stores / name, tmp_path / name) / ".pegbox")


@pytest.fixture
def ours(stores, tmp_path):
    return copied(stores, "ours", tmp_path)


@pytest.fixture
def annas(stores, tmp_path):
    return copied(stores, "anna", tmp_path)


def test_studies_of_both_are_there_and_told_apart(ours, annas):
    mine, hers = asked(ours), asked(annas)

    done = merge_store(ours, annas)

    assert done.studies == {"digits": "digits@anna", "iris": "iris"}
    names = {"digits": "digits@anna"}
    expected = sorted([*mine, *((names.get(row[0], row[0]), *row[1:]) for row in hers)])
    assert asked(ours) == expected
    assert verify(ours).is_whole
    assert asked(annas) == hers


def test_to_merge_again_brings_what_is_new_and_nothing_twice(ours, annas):
    first = merge_store(ours, annas)
    before = asked(ours)

    assert merge_store(ours, annas).n_events == 0
    assert asked(ours) == before

    write_note(annas, NoteWritten(study="digits", trial=3, text="looks odd"))
    shutil.move(annas.root, annas.root.parent.parent / "moved")  # what is known of it does not depend on where it lies
    again = merge_store(ours, StoreLayout(annas.root.parent.parent / "moved"))

    assert again.n_events == 1
    assert again.studies == first.studies
    assert asked(ours, "SELECT study, trial, text FROM notes") == [("digits@anna", 3, "looks odd")]


def test_a_store_that_was_merged_is_merged_on_and_back(stores, ours, annas, tmp_path):
    third = copied(stores, "third", tmp_path)
    merge_store(ours, annas)
    mine, hers = asked(ours), asked(annas)

    merge_store(third, ours)
    assert [row[0] for row in asked(third)] == ["digits", "digits@anna", "iris", "wine", "wine@ours"]
    # Back, and once more from the first hand: all of it is known.
    assert {row[0] for row in asked(ours)} == {row[0] for row in mine}
    assert merge_store(third, annas).n_events == 0
    back = merge_store(annas, third)

    assert [row for row in asked(annas) if row[0] in {"digits", "iris"}] == hers
    assert back.studies["digits@anna"] == "digits"
    assert verify(annas).is_whole


def test_a_journal_that_is_written_meanwhile_comes_in_pieces(ours, annas, spec_of):
    spec = spec_of(name="hill")
    run = RunStarted(study=spec.name, run="r", host="h", pid=1)
    stop = threading.Event()

    def write():
        with open_study(annas, spec, run):
            ingest(annas, wait=True, force=True)
            while not stop.wait(0.01):
                write_note(annas, NoteWritten(study=spec.name, text="on"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            merge_store(ours, annas)
            assert verify(ours).is_whole
    finally:
        stop.set()
        writer.join()
    merge_store(ours, annas)

    query = "SELECT count(*) FROM notes WHERE study = 'hill'"
    assert asked(ours, query) == asked(annas, query)


def test_a_renamed_study_comes_under_its_name_of_today(ours, annas):
    rename_study(annas, "digits", "wine")

    merge_store(ours, annas)

    names = [row[0] for row in asked(ours)]
    assert names == ["digits", "iris", "wine", "wine@anna"]
    assert verify(ours).is_whole


def test_what_came_from_elsewhere_is_driven_there(ours, annas):
    merge_store(ours, annas)
    iris = Simulation("iris", n_trials=6, seed=3).spec

    with pytest.raises(StoreError, match="'iris' came from the store 'anna'"):
        open_study(ours, iris, RunStarted(study="iris", run="r", host="h", pid=1))
    with pytest.raises(StoreError, match="driven and changed"):
        amend_study(ours, "iris", lambda history: [])
    with pytest.raises(StoreError, match="Do it there"):
        rename_study(ours, "iris", "mine")


def test_the_same_store_and_none_are_refused(ours, tmp_path):
    with pytest.raises(StoreError, match="but both are"):
        merge_store(ours, ours)
    with pytest.raises(NotFoundError, match="no history"):
        merge_store(ours, StoreLayout(tmp_path / "nowhere"))


def test_a_rebuild_keeps_what_was_merged(ours, annas):
    merge_store(ours, annas)
    before = asked(ours)
    ours.master.unlink()
    ours.snapshot.unlink()

    ingest(ours, wait=True, force=True)

    assert asked(ours) == before


def test_models_come_along_and_the_promoted_one_follows(ours, annas):
    journal = Journal(annas.journal, writer="driver")
    for run in ("r1", "r2"):
        path = model_path(annas, "iris", run)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(run)
        record = ModelRecord(trial=1, form="torch", final="best", path=str(path), content=run, n_bytes=2)
        journal.append(ModelMade(study="iris", run=run, model=record))
    journal.append(ModelPromoted(study="iris", run="r1"))

    assert merge_store(ours, annas).n_models == 2
    assert model_path(ours, "iris", "current").read_text() == "r1"
    assert model_path(ours, "iris", "latest").read_text() == "r2"

    journal.append(ModelPromoted(study="iris", run="r2"))
    journal.close()

    assert merge_store(ours, annas).n_models == 0
    assert model_path(ours, "iris", "current").read_text() == "r2"
