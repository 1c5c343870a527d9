"""Publishes the master as a snapshot (snapshot isolation for readers): a copy takes the old one's place atomically."""

import os
import time
from pathlib import Path

from pegbox.schemas.errors import StoreUnwritableError
from pegbox.storage.freshness import is_stale
from pegbox.storage.layout import StoreLayout

# CHECKPOINT, copy and rename took a 37th to a 75th of the time of COPY FROM DATABASE. Picked by hand: below 500 MB a
# copy is soon done; above, one at each ingest would keep a disk busy with nothing else.
THROTTLE_BYTES = 500 << 20
"""Larger masters are copied at most every `PAUSE_PER_GIB` seconds for each GiB."""
# Picked by hand: a disk of 500 MB/s is then busy with copies a fifth of the time, and a reader is ten seconds behind.
PAUSE_PER_GIB = 10.0
# Picked by hand: a call that copies more could not be interrupted for as long.
_CHUNK = 64 << 20


def publish(store: StoreLayout, *, force: bool = True) -> bool:
    """Copy the closed master over the snapshot, atomically; the caller holds the ingest lock.

    Args:
        store: Its master has no open connection.
        force: Also where a large master was published a moment ago.

    Returns:
        True if the snapshot is now up to date.

    Raises:
        StoreUnwritableError: The disk is full; the old snapshot stays.
    """
    remove_leftovers(store)
    if not is_stale(store):
        return True
    if not force and not is_due(store):
        return False
    # In the same directory, because a rename is atomic within one file system only.
    draft = store.root / f".history-{os.getpid()}.tmp"
    try:
        _copy(store.master, draft, 0o600 | (store.root.stat().st_mode & 0o044))
        # Readers that are attached keep the old inode until they close it; nobody sees a file that changes.
        draft.replace(store.snapshot)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StoreUnwritableError(
            f"The snapshot {store.snapshot} must be written, but the system said: {error.strerror}. The old one stays "
            "readable. Make room and run the same command again."
        ) from error
    return True


def is_due(store: StoreLayout) -> bool:
    """True if the master is small, or the snapshot old enough to pay for another copy."""
    n_bytes = store.master.stat().st_size
    if n_bytes <= THROTTLE_BYTES or not store.snapshot.exists():
        return True
    return abs(time.time() - store.snapshot.stat().st_ctime) >= PAUSE_PER_GIB * n_bytes / (1 << 30)


def remove_leftovers(store: StoreLayout) -> None:
    """Drafts of publishers that were killed; whoever holds the ingest lock is the only publisher."""
    for draft in store.root.glob(".history-*.tmp"):
        draft.unlink(missing_ok=True)


def _copy(source: Path, target: Path, mode: int) -> None:
    """Copy content and modification time; the latter says which state of the master the copy is.

    Args:
        source: The master.
        target: The copy.
        mode: Who may read it: its owner, and whom the store's root is open to.
    """
    with source.open("rb") as reader, target.open("wb") as writer:
        os.fchmod(writer.fileno(), mode)
        stat = os.fstat(reader.fileno())
        rest = stat.st_size
        while rest > 0:
            rest -= _copy_some(reader.fileno(), writer.fileno(), min(rest, _CHUNK))
        # Before the rename: after a power cut the new name could else lead to an empty file.
        os.fsync(writer.fileno())
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _copy_some(reader: int, writer: int, n_bytes: int) -> int:
    try:
        # On btrfs and XFS the blocks are shared and nothing is copied at all; sendfile keeps them out of Python
        # elsewhere.
        n_copied = os.copy_file_range(reader, writer, n_bytes)
    except OSError as error:
        if error.errno not in _NO_RANGES:
            raise
        n_copied = os.sendfile(writer, reader, None, n_bytes)
    if n_copied == 0:
        raise OSError(5, "the master became shorter while it was copied")
    return n_copied


_NO_RANGES = {18, 22, 38, 95}
"""EXDEV, EINVAL, ENOSYS, EOPNOTSUPP: file systems without copy_file_range."""
