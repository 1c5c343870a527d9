"""Makes a store's directories, or checks those that are there; opens no database."""

import json
import os
import stat
import struct
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from pegbox.schemas.errors import StoreNewerError, StoreUnwritableError
from pegbox.schemas.text import is_storable, storable
from pegbox.storage.layout import StoreLayout
from pegbox.storage.migrate import SCHEMA_VERSION
from pegbox.storage.sharing.address import local_root

UNFIT = "?\\"
"""DuckDB 2.0 cuts a path at the first and takes the second for a slash: its log would lie elsewhere."""
# The access control list that Linux gives to each new file of a directory which holds one, as the kernel reads it: a
# version, then (kind, permissions, nobody in particular) for owner, group and others. Source: linux/posix_acl_xattr.h.
_OWNER_ALONE = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", kind, permissions, 0xFFFFFFFF) for kind, permissions in ((0x01, 7), (0x04, 0), (0x20, 0))
)
FORMAT_FILE = "store.json"
"""Says which schema the store has, for programs that do not open its database."""


def open_store(root: Path) -> StoreLayout:
    """The store in a directory, or this machine's mirror of a URL, made where there is none, for its owner alone.

    Its directories have mode 0700 and its files 0600, whoever writes them; where the file system knows no access
    control lists, files follow the umask of their writer, out of reach in these directories. Who wants the history to
    be read by a group opens the root to it (`chmod g+rx`): the snapshot follows.

    Raises:
        StoreUnwritableError: The directory cannot be made or written.
        StoreUnreachableError: The storage of a URL does not answer, and this machine has no mirror yet.
        StoreNewerError: A newer pegbox wrote the store; nothing in it was touched.
    """
    store = StoreLayout(local_root(root).absolute())
    if not is_storable(str(store.root)):  # the paths of checkpoints are recorded
        raise StoreUnwritableError(
            f"The path of a store must be UTF-8 text, got {storable(str(store.root))}. Name another one with --store "
            "or PEGBOX_STORE, or rename the folder."
        )
    if any(letter in str(store.root) for letter in UNFIT):
        raise StoreUnwritableError(
            f"The path of a store must hold no '?' and no backslash, which DuckDB takes for more than letters, got "
            f"{str(store.root)!r}. Name another one with --store or PEGBOX_STORE, or rename the folder."
        )
    # Before anything is made: a newer store is left as it was found.
    check_version(store)
    try:
        # Open to its owner alone: configurations, paths and checkpoints may be confidential, and umask is what nobody
        # thinks of.
        store.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_new_files_private(store.root)
        for directory in store.directories:
            directory.mkdir(mode=0o700, exist_ok=True)
            _keep_new_files_private(directory)  # one that an older pegbox made has inherited nothing
        ignore = store.root / ".gitignore"
        if not ignore.exists():
            # A store lies in a checkout by default, and a checkpoint that was committed once stays in its history for
            # good.
            ignore.write_text("*\n")
        tempfile.TemporaryFile(dir=store.journal).close()  # says why it may not, unlike `os.access`
    except OSError as error:
        raise unwritable(store, error) from error
    return store


def _keep_new_files_private(directory: Path) -> None:
    """Have the kernel give 0600 and 0700 to all that is made below a directory which is its owner's alone.

    DuckDB, SQLite, torch and the programs of trials write here too, and name no mode; a umask would be the whole
    process's, and so meet what a trial writes elsewhere.
    """
    if sys.platform != "linux" or stat.S_IMODE(directory.stat().st_mode) & 0o077:
        return
    # Create only: a list that somebody set is left as it is. The file system may know none: the directory is closed.
    with suppress(OSError):
        os.setxattr(directory, "system.posix_acl_default", _OWNER_ALONE, os.XATTR_CREATE)


def check_version(store: StoreLayout) -> None:
    """Refuse a store that a newer pegbox wrote.

    Raises:
        StoreNewerError: Its schema is newer than this program's.
    """
    version = read_version(store)
    if version is not None and version > SCHEMA_VERSION:
        raise newer(store, version)


def read_version(store: StoreLayout) -> int | None:
    """The schema that the store says it has; None where it says nothing yet."""
    try:
        return int(json.loads((store.root / FORMAT_FILE).read_text())["schema"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_version(store: StoreLayout) -> None:
    """Say that the store has this program's schema.

    Raises:
        OSError: The file cannot be written.
    """
    # Named by process: workers and a second study may begin in the same moment.
    draft = store.root / f".{FORMAT_FILE}.{os.getpid()}.tmp"
    draft.write_text(json.dumps({"schema": SCHEMA_VERSION}) + "\n")
    draft.replace(store.root / FORMAT_FILE)


def newer(store: StoreLayout, version: int) -> StoreNewerError:
    """The error for a store of a newer schema."""
    return StoreNewerError(
        f"The store {store.root} has schema {version}, but this pegbox knows schemas up to {SCHEMA_VERSION}. "
        "Nothing was changed. Upgrade pegbox, or name another store with --store."
    )


def unwritable(store: StoreLayout, error: OSError) -> StoreUnwritableError:
    """The error for a store that cannot be written."""
    return StoreUnwritableError(
        f"The store {store.root} must be a directory that can be written, but the system said: "
        f"{(error.strerror or str(error)).lower()}. Name another one with --store or PEGBOX_STORE."
    )
