"""A lease for each study of a shared store: who drives it, renewed while the driver lives, free once it is not.

It keeps two machines from beginning the same work. That they never write the same history is seen to by the keys of
pieces, so a clock that is wrong or a driver that slept too long costs a run, and no event that was published.
"""

import json
import os
import socket
import time
from contextlib import suppress
from uuid import uuid4

from pydantic import ValidationError

from pegbox.schemas.base import Schema
from pegbox.schemas.errors import StoreBusyError, StoreCorruptError, StoreUnreachableError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.sharing.address import Mirror
from pegbox.storage.sharing.pieces import study_key
from pegbox.storage.sharing.place import SharedPlace

RENEW_SECONDS = 10.0
LEASE_SECONDS = 60.0
"""A driver that was not heard of for so long is taken for dead. Picked by hand: six renewals may be lost."""
_FOLDER = "leases"


class LeaseHolder(Schema):
    """What the object of a lease says; times in unix seconds, of the holder's clock."""

    study: str
    host: str
    pid: int
    mirror: str
    token: str
    since: float
    renewed_at: float

    @property
    def seconds_left(self) -> float:
        """Until others may take the study; 0 or less where they may."""
        return self.renewed_at + LEASE_SECONDS - time.time()


class Lease:
    """The lease of one study, for a process that holds the study's lock in its mirror."""

    def __init__(self, mirror: Mirror, study: str) -> None:
        self._place = SharedPlace(mirror.url)
        self._key = f"{_FOLDER}/{study_key(study)}.json"
        now = time.time()
        self._mine = LeaseHolder(
            study=study,
            host=socket.gethostname(),
            pid=os.getpid(),
            mirror=mirror.name,
            token=uuid4().hex,
            since=now,
            renewed_at=now,
        )

    def take(self) -> None:
        """Become the study's driver.

        Raises:
            StoreBusyError: Another machine drives it; the message names it.
            StoreUnreachableError: The storage does not answer.
        """
        holder = self._holder()
        # One of this mirror is dead, whatever its lease says: the lock of the study in this mirror is ours.
        if holder and holder.mirror != self._mine.mirror and holder.seconds_left > 0:
            raise StoreBusyError(
                f"The study {self._mine.study!r} is being driven by process {holder.pid} on host {holder.host}. Wait "
                "for it, stop it there with `pegbox stop`, or give this study another name. Where that machine is "
                f"gone, the study is free in {holder.seconds_left:.0f} seconds."
            )
        self._write()

    def renew(self) -> None:
        """Say that the driver lives.

        Raises:
            StoreBusyError: Another machine took it for dead, and drives the study.
            StoreUnreachableError: The storage does not answer.
        """
        holder = self._holder()
        if holder is not None and holder.token != self._mine.token:
            raise StoreBusyError(
                f"The study {self._mine.study!r} was taken over by process {holder.pid} on host {holder.host}, which "
                f"had not heard of this one for {LEASE_SECONDS:.0f} seconds."
            )
        self._mine = self._mine.model_copy(update={"renewed_at": time.time()})
        self._write()

    def drop(self) -> None:
        """Let others have the study at once; where the storage does not answer, they have to wait."""
        with suppress(StoreUnreachableError):
            holder = self._holder()
            if holder is not None and holder.token == self._mine.token:
                self._place.remove(self._key)

    def _holder(self) -> LeaseHolder | None:
        return _read_holder(self._place.read([self._key]).get(self._key))

    def _write(self) -> None:
        self._place.replace(self._key, self._mine.model_dump_json().encode())


def remember_leases(store: StoreLayout, place: SharedPlace) -> None:
    """Keep who drives what, for commands that only look."""
    found = place.read(place.keys(f"{_FOLDER}/"))
    draft = store.shared / f".leases.{os.getpid()}.tmp"
    draft.write_text(json.dumps({key: content.decode() for key, content in found.items()}))
    draft.replace(store.shared / "leases.json")


def _read_holder(found: bytes | str | None) -> LeaseHolder | None:
    try:
        return None if found is None else LeaseHolder.model_validate_json(found)
    except ValidationError as error:
        raise StoreCorruptError(
            f"A lease of the shared store must say who drives a study, got {found!r}. Where nobody drives it, delete "
            f"the object below {_FOLDER}/."
        ) from error


def remembered_holder(store: StoreLayout, study: str) -> LeaseHolder | None:
    """Who drove a study when this mirror was synchronised last, and has not been silent for too long since."""
    try:
        found = json.loads((store.shared / "leases.json").read_text()).get(f"{_FOLDER}/{study_key(study)}.json")
    except FileNotFoundError:
        return None
    holder = _read_holder(found)
    return holder if holder and holder.seconds_left > 0 else None
