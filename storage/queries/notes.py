"""Notes and tags of a study and of its trials."""

from pydantic import FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ask


class Note(Schema):
    """What somebody noted."""

    trial: int | None
    """None for the whole study."""
    text: str
    tags: tuple[str, ...]
    untagged: tuple[str, ...]
    at: FiniteFloat
    """Unix time."""


class TagOn(Schema):
    """A tag that is on a trial, or on the whole study (None)."""

    trial: int | None
    tag: str


def notes_of(file: HistoryFile, study: str, most: int) -> tuple[Note, ...]:
    """The last notes of a study and its trials, latest first."""
    query = (
        "SELECT trial, text, tags, untagged, epoch(written_at) AS at FROM notes WHERE study = $study "
        "ORDER BY written_at DESC LIMIT $most"
    )
    return ask(file, Note, query, study=study, most=most)


def tags_of(file: HistoryFile, study: str) -> tuple[TagOn, ...]:
    """The tags that are on now, in the order in which they were given."""
    query = "SELECT trial, tag FROM trial_tags WHERE study = $study ORDER BY trial NULLS FIRST, tagged_at, tag"
    return ask(file, TagOn, query, study=study)
