"""Which directory of this machine mirrors a store that is named by a URL, and which URL a directory mirrors."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from pegbox.schemas.errors import StoreError, suggest
from pegbox.schemas.secret_texts import masked
from pegbox.storage.layout import StoreLayout
from pegbox.storage.sharing.place import SharedPlace

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*):/{1,3}(.*)", re.DOTALL)
_LOCAL = {"file", "local"}


class Mirror(NamedTuple):
    """What a directory says of the shared store that it is a mirror of.

    Attributes:
        url: Of the shared store.
        name: Of this mirror, which no other has.
    """

    url: str
    name: str


def local_root(store: Path | str) -> Path:
    """The directory that commands work in: the one that is named, as it is, or this machine's mirror of a URL.

    The mirror is made where there is none, once the storage was found fit.

    Raises:
        StoreError: The URL is none, holds a password, or its storage cannot keep two drivers apart.
        StoreUnreachableError: The storage does not answer, and this machine has no mirror yet.
    """
    url = _url_in(store)
    if url is None:
        return Path(store)
    root = _mirrors() / f"{re.sub(r'[^A-Za-z0-9]+', '-', url)[:60]}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
    if not (root / "shared" / "mirror.json").exists():
        SharedPlace(url).check()
        _make(root, Mirror(url, uuid4().hex))
    return root


def mirror_of(store: StoreLayout) -> Mirror | None:
    """What a store is a mirror of; None for one that is this machine's alone."""
    try:
        return Mirror(**json.loads((store.shared / "mirror.json").read_text()))
    except (FileNotFoundError, NotADirectoryError):  # a file in place of a store is told of where it is opened
        return None


def address_of(root: Path) -> str:
    """What names the store on every machine: the URL of a shared one, else the directory."""
    mirror = mirror_of(StoreLayout(root.absolute()))
    return str(root.absolute()) if mirror is None else mirror.url


def _url_in(store: Path | str) -> str | None:
    """The URL that was given; a `Path` has folded its two slashes into one."""
    found = _ADDRESS.fullmatch(str(store))
    if found is None:
        return None
    import fsspec  # here: commands on a directory do without it

    protocol, rest = found.groups()
    url = f"{protocol}:///{rest}" if protocol in _LOCAL else f"{protocol}://{rest}".rstrip("/")
    if masked(url) != url:
        raise StoreError(
            f"The address of a store is kept and shown, so it holds no secret, got {masked(url)}. Leave it out: "
            "credentials are found where the storage's own library looks for them."
        )
    if protocol not in (known := fsspec.available_protocols()):
        raise StoreError(f"A store is a directory or a URL that fsspec knows, got {url!r}. {suggest(protocol, known)}")
    return url


def _mirrors() -> Path:
    """Where this user's mirrors lie; not a cache, for what was not published yet lies there alone."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("PEGBOX_MIRRORS") or Path(home) / "pegbox" / "mirrors").absolute()


def _make(root: Path, mirror: Mirror) -> None:
    store = StoreLayout(root)
    for directory in (root, store.shared, *store.directories):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Renamed into place: two commands that begin at once both find one of the two, whole.
    draft = root / "shared" / f".{mirror.name}.tmp"
    draft.write_text(json.dumps(mirror._asdict()))
    draft.replace(root / "shared" / "mirror.json")
