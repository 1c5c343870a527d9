"""Notes and tags that people give to studies and trials: one event each, of no driver, so that a study may run on."""

from pegbox.schemas.errors import NotFoundError, StudyError
from pegbox.schemas.events import NoteWritten
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.ingest import bring_up_to_date
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.studies import study_names
from pegbox.storage.queries.trials import trial_numbers


def write_note(store: StoreLayout, note: NoteWritten) -> None:
    """Make a note durable, and bring the store up to date.

    Raises:
        NotFoundError: The store holds no such study or trial.
        StudyError: The note says nothing.
        StoreUnwritableError: The store cannot be written.
    """
    if not (note.text.strip() or note.tags or note.untagged):
        raise StudyError(
            "a note has a text or a tag, got neither. Write one, such as `pegbox note digits:35 good`.", "note"
        )
    with HistoryFile(store) as file:
        if note.study not in study_names(file):
            raise NotFoundError(f"The history holds no study {note.study!r}. `pegbox ls` lists those it holds.")
        span = trial_numbers(file, note.study)
    if note.trial is not None and not (span and span.first <= note.trial <= span.last):
        has = f"Its trials are numbered {span.first} to {span.last}." if span else "It has no trial yet."
        raise NotFoundError(f"The study {note.study!r} has no trial {note.trial}. {has}")
    # A journal of its own and no number of the study's: its driver, which counts them, may be writing in this moment.
    journal = Journal(store.journal, writer="note")
    journal.append(note)
    journal.close()
    bring_up_to_date(store)
