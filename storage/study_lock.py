"""Mutual exclusion: one driver for each study, by a lock that names its holder and ends with it.

A store that several machines share has a lease for each study as well, which no system lets go of with its holder.
"""

import hashlib
import json
import os
import socket
import time
from types import TracebackType
from typing import Self

from pegbox.schemas.errors import StoreBusyError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.locks import is_locked, try_lock
from pegbox.storage.sharing.lease import remembered_holder
from pegbox.storage.sharing.lease_keeper import LeaseKeeper


class StudyLock:
    """Held while a driver lives; the system lets go of it when the driver dies, however it dies."""

    def __init__(self, store: StoreLayout, study: str) -> None:
        self._store = store
        self._study = study
        self._keeper: LeaseKeeper | None = None
        # A name may hold slashes and be longer than a file name can be.
        digest = hashlib.sha256(study.encode()).hexdigest()[:24]
        self._path = store.locks / f"{digest}.lock"
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock; of a shared store the lease too, with all that was published of the study.

        Raises:
            StoreBusyError: Another process drives the study; the message names it.
            StoreUnreachableError: The storage of a shared store does not answer.
        """
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not try_lock(file):
            # 4096 bytes are more than a name of 200 letters, a host and two numbers take.
            holder = os.pread(file, 4096, 0).decode(errors="replace")
            os.close(file)
            raise StoreBusyError(
                f"The study {self._study!r} is being driven by {_describe(holder)}. Wait for it, stop it with "
                "`pegbox stop`, or give this study another name."
            )
        try:
            self._keeper = LeaseKeeper.taken(self._store, self._study)
        except BaseException:
            os.close(file)
            raise
        self._file = file
        said = {"study": self._study, "host": socket.gethostname(), "pid": os.getpid(), "since": time.time()}
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(said).encode(), 0)

    def refuse_lost(self) -> None:
        """Refuse to write on once another machine took the study of a shared store.

        Raises:
            StoreBusyError: One did; the message names it.
        """
        if self._keeper is not None and self._keeper.lost is not None:
            raise self._keeper.lost

    def release(self) -> None:
        """Let go of it; of a shared store, once everything is published."""
        if self._keeper is not None:
            self._keeper.stop()
            self._keeper = None
        if self._file is not None:
            # Emptied while it is still held: who comes next must not read the name of one that is gone.
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Holder(dict[str, object]):
    """Who drives a study: `host`, `pid` and `since` (unix seconds)."""


def study_holder(store: StoreLayout, study: str) -> Holder | None:
    """The live process that drives a study, on whichever machine, or None; takes nothing."""
    if (here := _holder_here(store, study)) is not None:
        return here
    there = remembered_holder(store, study)
    return Holder({"host": there.host, "pid": there.pid, "since": there.since}) if there else None


def _holder_here(store: StoreLayout, study: str) -> Holder | None:
    digest = hashlib.sha256(study.encode()).hexdigest()[:24]
    try:
        file = os.open(store.locks / f"{digest}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not is_locked(file):
            return None
        return Holder(json.loads(os.pread(file, 4096, 0) or b"{}"))
    except ValueError:
        return Holder()
    finally:
        os.close(file)


def _describe(holder: str) -> str:
    try:
        said = json.loads(holder)
        return f"process {said['pid']} on host {said['host']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
