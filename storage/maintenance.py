"""Checks a store, makes its database again, and shows what was set aside; what it may delete lives in `garbage`."""

from collections import Counter
from typing import NamedTuple

from pegbox.schemas.errors import NotFoundError
from pegbox.storage.ingest import Ingested, ingest, ingest_afresh
from pegbox.storage.journal_files import JournalFile, list_journals
from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.scanning import scan_lines, torn_bytes, writer_is_gone


class Finding(NamedTuple):
    """One thing that is not as it should be.

    `subject` is a journal or a study; `is_loss` tells what is lost from what is only worth knowing.
    """

    subject: str
    message: str
    is_loss: bool


class Verified(NamedTuple):
    """What was compared, and what was found."""

    n_journals: int
    n_events: int
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        """True if nothing is lost."""
        return not any(finding.is_loss for finding in self.findings)


class BadLine(NamedTuple):
    """A line of a journal that could not be read."""

    journal: str
    byte_offset: int
    reason: str
    line: str


def verify(store: StoreLayout) -> Verified:
    """Read every journal again and compare it with the database: counts, last sequence numbers, gaps.

    Raises:
        StoreUnwritableError: The database cannot be brought up to date.
        StoreCorruptError: The snapshot is damaged.
        NotFoundError: There is no store.
    """
    if not store.journal.is_dir():
        raise NotFoundError(f"There is no store in {store.root}. Run a study first, or name the store with --store.")
    files = list_journals(store)
    ingest(store, wait=True, force=True)
    findings: list[Finding] = []
    n_events = 0
    with connect_snapshot(store) as connection:
        known = {name: row for name, *row in connection.execute("SELECT * FROM journals").fetchall()}
        for file in files:
            n_whole, found = _compare(file, known.pop(file.name, None))
            n_events += n_whole
            findings += found
        findings += [
            Finding(name, f"the database holds {row[1]} events of this journal, but the file is gone", is_loss=True)
            for name, row in known.items()
            if name not in {file.name for file in list_journals(store)}
        ]
        gaps = connection.execute(
            "SELECT study, max(version) - count(DISTINCT version) FROM events WHERE version IS NOT NULL "
            "GROUP BY study HAVING max(version) <> count(DISTINCT version) ORDER BY study"
        ).fetchall()
    findings += [Finding(study, f"{n} of its events are missing", is_loss=True) for study, n in gaps]
    return Verified(len(files), n_events, tuple(findings))


def _compare(file: JournalFile, known: list[int] | None) -> tuple[int, list[Finding]]:
    """Whole lines of a journal, and how they differ from what the database took of it."""
    lines = list(scan_lines(file))
    whole = [line.line.seq for line in lines if not isinstance(line.line, str)]
    findings = [
        Finding(file.name, f"{n} lines: {reason}", is_loss=True)
        for reason, n in Counter(line.line for line in lines if isinstance(line.line, str)).items()
    ]
    missing = max(whole, default=0) - len(whole)
    if missing > 0 and not findings:
        findings.append(Finding(file.name, f"{missing} lines are missing between others", is_loss=True))
    taken = [0, 0, 0, 0] if known is None else known
    if (taken[1], taken[3]) != (len(whole), max(whole, default=0)):
        said = f"the file holds {len(whole)} events up to number {max(whole, default=0)}"
        findings.append(
            Finding(
                file.name, f"{said}, the database {taken[1]} up to number {taken[3]}", is_loss=taken[1] > len(whole)
            )
        )
    n_torn = torn_bytes(file)
    if n_torn and not file.is_archived and writer_is_gone(file.path):
        findings.append(
            Finding(file.name, f"{n_torn} bytes at its end were being written when its writer died", is_loss=False)
        )
    return len(whole), findings


def rebuild(store: StoreLayout) -> Ingested:
    """Make the master and the snapshot again from the journals alone; the old ones stay until the new are whole.

    Raises:
        StoreUnwritableError: The disk is full.
        StoreNewerError: A newer pegbox wrote the store.
        NotFoundError: There is no store.
    """
    if not store.journal.is_dir():
        raise NotFoundError(f"There is no store in {store.root}. Run a study first, or name the store with --store.")
    return ingest_afresh(store)


def quarantined(store: StoreLayout) -> tuple[BadLine, ...]:
    """Lines of journals that were set aside, in order.

    Raises:
        NotFoundError: There is no history.
    """
    with connect_snapshot(store) as connection:
        rows = connection.execute(
            "SELECT journal, byte_offset, reason, line FROM quarantine ORDER BY journal, byte_offset"
        ).fetchall()
    return tuple(BadLine(*row) for row in rows)
