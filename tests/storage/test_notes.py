"""Notes and tags are events of no driver: written while a study runs, kept by a rebuild, moved by a rename."""

from pathlib import Path

import pytest
from simulated_study import Simulation, write_simulation

from pegbox.schemas.errors import NotFoundError, StudyError
from pegbox.schemas.events import NoteWritten
from pegbox.storage.amending import rename_study
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import rebuild
from pegbox.storage.notes import write_note
from pegbox.storage.queries.notes import notes_of, tags_of


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    write_simulation(tmp_path, Simulation("digits", n_trials=6))
    return StoreLayout(tmp_path)


def _said(
    store: StoreLayout, study: str = "digits"
) -> tuple[list[tuple[int | None, str]], list[tuple[int | None, str]]]:
    with HistoryFile(store) as file:
        notes = [(one.trial, one.text) for one in notes_of(file, study, most=10)]
        return notes, [(one.trial, one.tag) for one in tags_of(file, study)]


def test_notes_and_tags_are_read_back_latest_first(store: StoreLayout) -> None:
    write_note(store, NoteWritten(study="digits", text="new labels", tags=("published",)))
    write_note(store, NoteWritten(study="digits", trial=3, text="late: api_key=hunter2x", tags=("check", "odd")))
    write_note(store, NoteWritten(study="digits", trial=3, untagged=("odd",)))

    notes, tags = _said(store)
    assert notes == [(3, ""), (3, "late: api_key=***"), (None, "new labels")]
    assert tags == [(None, "published"), (3, "check")]


def test_a_note_changes_no_version_and_no_history(store: StoreLayout) -> None:
    with HistoryFile(store) as file:
        before = file.history("digits")
    write_note(store, NoteWritten(study="digits", trial=0, text="mine"))

    with HistoryFile(store) as file:
        assert file.history("digits") == before


def test_notes_outlive_a_rebuild_and_follow_a_rename(store: StoreLayout) -> None:
    write_note(store, NoteWritten(study="digits", trial=1, text="kept", tags=("x",)))

    rename_study(store, "digits", "numbers")
    assert _said(store, "numbers") == ([(1, "kept")], [(1, "x")])
    rebuild(store)

    assert _said(store, "numbers") == ([(1, "kept")], [(1, "x")])
    assert _said(store) == ([], [])


@pytest.mark.parametrize(
    ("note", "error", "said"),
    [
        (NoteWritten(study="digit", text="x"), NotFoundError, "no study 'digit'"),
        (NoteWritten(study="digits", trial=6, text="x"), NotFoundError, "numbered 0 to 5"),
        (NoteWritten(study="digits", text="  "), StudyError, "a text or a tag"),
    ],
)
def test_a_note_on_nothing_is_refused(store: StoreLayout, note: NoteWritten, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        write_note(store, note)
