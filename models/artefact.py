"""A model's file: an uncompressed zip archive of a manifest and the weights, each with its hash; runs nothing of it."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from pegbox.schemas.errors import ModelError, StoreUnwritableError
from pegbox.schemas.model import READABLE, ModelManifest
from pegbox.training.atomic_files import write_in_one_step

MANIFEST = "model.json"

# Picked by hand: a manifest of 2,000 columns with long vocabularies is a tenth of it.
_LARGEST_MANIFEST = 200_000_000
"""Bytes; a larger one is no manifest."""


def write_artefact(path: Path, manifest: ModelManifest, members: Mapping[str, bytes | Path]) -> ModelManifest:
    """Write a model's file in one step; gives the manifest with the hashes of its members.

    Equal models are equal bytes: no time is written, and members are in the order of their names.

    Raises:
        StoreUnwritableError: The disk is full or fails.
    """
    hashed = manifest.model_copy(update={"members": {name: _digest(members[name]) for name in sorted(members)}})

    def write(file: Path) -> None:
        # Stored as they are: weights hardly shrink, and a reader must not be made to unpack more than the file holds.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo(MANIFEST), hashed.model_dump_json(indent=2))
            for name in hashed.members:
                member = members[name]
                content = member.read_bytes() if isinstance(member, Path) else member
                archive.writestr(zipfile.ZipInfo(name), content)

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_in_one_step(path, write)
    except OSError as error:
        raise StoreUnwritableError(f"The model {path} could not be written: {error}") from error
    return hashed


class Artefact:
    """An open model's file; made by `open_artefact`.

    Attributes:
        path: Where it lies.
        manifest: What it says of itself.
    """

    def __init__(self, path: Path, manifest: ModelManifest, archive: zipfile.ZipFile) -> None:
        self.path, self.manifest = path, manifest
        self._archive = archive

    def read(self, name: str) -> bytes:
        """A member, whose hash was compared.

        Raises:
            ModelError: It is damaged.
        """
        try:
            content = self._archive.read(name)
        except (KeyError, OSError, zipfile.BadZipFile, EOFError) as error:
            raise _damaged(self.path, f"{name} cannot be read ({error})") from error
        if hashlib.sha256(content).hexdigest() != self.manifest.members.get(name):
            raise _damaged(self.path, f"{name} is not what was written")
        return content


@contextmanager
def open_artefact(path: Path) -> Iterator[Artefact]:
    """Open a model's file for reading; it may be replaced meanwhile, and stays what it was for who has it open.

    Raises:
        ModelError: There is no such file, it is damaged, or of another version of the format.
    """
    try:
        # One open for all that is read: between two a promotion may put another file under the name.
        file = path.open("rb")
    except FileNotFoundError as error:
        raise ModelError(f"There is no model {str(path)!r}. `pegbox models` lists those that there are.") from error
    except OSError as error:
        raise ModelError(
            f"The model {str(path)!r} cannot be read: {(error.strerror or str(error)).lower()}."
        ) from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
            if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
                raise _damaged(path, "a member of it is compressed, which pegbox never does")
            if archive.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST:
                raise _damaged(path, "its manifest is too long")
            text = archive.read(MANIFEST)
        except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError) as error:
            raise _damaged(path, f"it is no file of a model ({error})") from error
        yield Artefact(path, _manifest(path, text), archive)


def content_hash(path: Path) -> str:
    """SHA-256 of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(path: Path, text: bytes) -> ModelManifest:
    try:
        found = json.loads(text).get("format")
    except (ValueError, AttributeError) as error:
        raise _damaged(path, "its manifest is no JSON") from error
    if found not in READABLE:  # first: a newer manifest has fields that this one does not know
        raise ModelError(
            f"The model {str(path)!r} has the format {found!r}, and this pegbox reads {READABLE[0]} to "
            f"{READABLE[-1]}. Use the version of pegbox that wrote it, or run its study again with this one."
        )
    try:
        return ModelManifest.model_validate_json(text)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise _damaged(path, f"its manifest is not valid at {where!r}") from error


def _digest(content: bytes | Path) -> str:
    return content_hash(content) if isinstance(content, Path) else hashlib.sha256(content).hexdigest()


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(
        f"The model {str(path)!r} is damaged: {what}. Run its study again, which makes the model anew, or take "
        "another one of `pegbox models`."
    )
