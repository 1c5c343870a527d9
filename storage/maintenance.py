"""Checks a store, makes its database again, and shows what was set aside; what it may delete lives in `garbage`."""

from collections import Counter
from contextlib import suppress
from typing import NamedTuple

from pegbox.schemas.errors import NotFoundError
from pegbox.storage.ingest import bring_up_to_date
from pegbox.storage.journal_files import JournalFile, find_journal, odd_journals
from pegbox.storage.layout import StoreLayout, no_history
from pegbox.storage.locks import exclusive
from pegbox.storage.reading import connect_snapshot
from pegbox.storage.rebuilding import RebuiltMaster, rebuild_master
from pegbox.storage.salvage import saved_events
from pegbox.storage.scanning import scan_lines, torn_bytes, writer_is_gone
from pegbox.storage.store import check_version, unwritable


class Finding(NamedTuple):
    """One thing that is not as it should be.

    `subject` is a journal or a study; `is_loss` tells what is lost, and `is_only_in_database` what the journals do not
    hold any more. The rest is only worth knowing.
    """

    subject: str
    message: str
    is_loss: bool = False
    is_only_in_database: bool = False


class Verified(NamedTuple):
    """What was compared, and what was found."""

    n_journals: int
    n_events: int
    findings: tuple[Finding, ...]

    @property
    def has_loss(self) -> bool:
        """True if something is lost."""
        return any(finding.is_loss for finding in self.findings)

    @property
    def is_whole(self) -> bool:
        """True if nothing is lost, and the journals hold all of it."""
        return not self.has_loss and not any(finding.is_only_in_database for finding in self.findings)


def verify(store: StoreLayout) -> Verified:
    """Read every journal again and compare it with what the database took of it; studies may run meanwhile.

    What a writer appended since is not looked at: the database is read first, and tells up to where.

    Raises:
        StoreUnwritableError: The database cannot be brought up to date.
        StoreCorruptError: The snapshot is damaged.
        NotFoundError: There is no store.
    """
    _require_store(store)
    # Brought up to date first: every line that is not in the database yet would else be told as one that it lacks.
    bring_up_to_date(store)
    with connect_snapshot(store) as connection:
        known = {row[0]: _Taken(*row[1:]) for row in connection.execute(_TAKEN).fetchall()}
        gaps = connection.execute(
            "SELECT study, max(version) - count(DISTINCT version) FROM events WHERE version IS NOT NULL "
            "GROUP BY study HAVING max(version) <> count(DISTINCT version) ORDER BY study"
        ).fetchall()
    saved, odd = saved_events(store), odd_journals(store)
    findings: list[Finding] = []
    for name, taken in known.items():
        if find_journal(store, name) is not None:
            findings += _compare(_read(store, name, taken), taken, saved.get(name, 0))
        else:
            state = f"a {odd.pop(name)} lies in the place of the file" if name in odd else "the file is gone"
            message = f"the database alone holds {taken.n_events} events of this journal: {state}"
            findings.append(Finding(name, message, is_only_in_database=taken.n_events > 0))
    findings += [Finding(name, f"a {kind} lies where a journal should") for name, kind in odd.items()]
    findings += [Finding(study, f"{n} of its events are missing", is_loss=True) for study, n in gaps]
    return Verified(len(known), sum(taken.n_events for taken in known.values()), tuple(findings))


class _Taken(NamedTuple):
    """What the database took of a journal."""

    n_events: int
    last_seq: int


_TAKEN = "SELECT name, n_events, last_seq FROM journals ORDER BY name"


class _Held(NamedTuple):
    """What a journal holds, up to where the database has taken it."""

    name: str
    n_events: int
    damaged: Counter[str]
    """Reason to how many lines."""
    n_tail: int
    """Damaged lines after the last that is whole: no number that is missing tells of them."""
    n_torn: int
    """Bytes after the last line, of a writer that is gone."""


def _read(store: StoreLayout, name: str, taken: _Taken) -> _Held:
    for _ in range(2):  # between finding and opening it, its study may end and archive it
        file = find_journal(store, name)
        with suppress(FileNotFoundError):
            if file is not None:
                return _read_file(file, taken)
    return _Held(name, 0, Counter(), 0, 0)


def _read_file(file: JournalFile, taken: _Taken) -> _Held:
    # A set, because lines may stand twice in a journal that was restored by appending.
    numbers, damaged, n_tail = set(), Counter[str](), 0
    for line in scan_lines(file):
        if isinstance(line.line, str):
            damaged[line.line] += 1
            n_tail += 1
        # What a live writer appended since the snapshot was read is no difference.
        elif line.line.seq <= taken.last_seq:
            numbers.add(line.line.seq)
            n_tail = 0
    n_torn = 0 if file.is_archived else torn_bytes(file)
    is_over = n_torn > 0 and writer_is_gone(file.path)
    return _Held(file.name, len(numbers), damaged, n_tail, n_torn if is_over else 0)


def _compare(held: _Held, taken: _Taken, n_saved: int) -> list[Finding]:
    """How a journal differs from what the database took of it.

    Lines are numbered, so what is missing shows: the database holds it, or another journal into which it was saved,
    or it is lost.
    """
    why = "".join(f"; {n} lines: {reason}" for reason, n in held.damaged.items())
    n_missing = taken.last_seq - held.n_events
    n_only = max(0, taken.n_events - held.n_events)
    n_lost = max(n_missing - n_only, held.n_tail - n_missing) - n_saved
    findings = []
    if n_only:
        message = f"the file holds {held.n_events} of the {taken.n_events} events that the database took of it{why}"
        findings.append(Finding(held.name, message, is_only_in_database=True))
    if n_lost > 0:
        findings.append(Finding(held.name, f"{n_lost} lines are lost{why}", is_loss=True))
    elif n_saved:
        findings.append(Finding(held.name, f"{n_saved} events that it lost stand in another journal{why}"))
    elif why and not n_only:
        findings.append(Finding(held.name, f"every event is there{why}"))
    if held.n_torn:
        message = f"{held.n_torn} bytes at its end were being written when its writer died"
        findings.append(Finding(held.name, message))
    return findings


def rebuild(store: StoreLayout, *, force: bool = False) -> RebuiltMaster:
    """Make the master and the snapshot again from the journals, and save first what only the database knows.

    Args:
        store: The store.
        force: Also where no database can be read and the journals are not whole.

    Raises:
        StoreLossError: Something would be lost, and `force` is off.
        StoreUnwritableError: The disk is full.
        StoreNewerError: A newer pegbox wrote the store.
        NotFoundError: There is no store.
    """
    _require_store(store)
    check_version(store)
    try:
        with exclusive(store.ingest / "ingest.lock", wait=True):
            return rebuild_master(store, "before", force=force)
    except OSError as error:
        raise unwritable(store, error) from error


def _require_store(store: StoreLayout) -> None:
    if not store.journal.is_dir():
        raise NotFoundError(no_history(store))
