"""A content-addressed place that all machines of a cluster reach, by a URL of fsspec's; knows no study."""

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pegbox.schemas.errors import ClusterError


class Exchange:
    """Files and folders by name, each packed as one object that appears at once or not at all.

    Args:
        url: Such as `s3://bucket/folder`; credentials are found as fsspec finds them, on every machine.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    @classmethod
    def of(cls, root: Path, url: str) -> Self:
        """The part of the place that belongs to the store in a directory."""
        # By the store's path, so that stores which share a bucket never meet; 48 bits keep the few of them apart.
        return cls(f"{url.rstrip('/')}/{hashlib.sha256(str(root).encode()).hexdigest()[:12]}")

    @property
    def path_or_url(self) -> str:
        """The folder, where the place is one of a file system that all machines mount; else the URL."""
        with self._told():
            files, root = fsspec.url_to_fs(self.url)
        return str(root) if isinstance(files, LocalFileSystem) else self.url

    def put(self, path: Path, name: str) -> None:
        """Leave a file or folder; what is there under this name already stays, because names go by content.

        Raises:
            ClusterError: The place cannot be written.
        """
        with self._told():
            files, target = self._find(name)
            if files.exists(target):
                return
            # Written beside it and then moved: another machine that looks meanwhile must find all of it or nothing.
            draft = f"{target}.{uuid4().hex}"
            files.makedirs(files._parent(target), exist_ok=True)
            # As a stream (`w|`): object stores cannot seek back to write a header.
            with files.open(draft, "wb") as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
                archive.add(path, arcname="it")
            files.mv(draft, target)

    def get(self, name: str, path: Path) -> bool:
        """Bring a file or folder to a path, unless something is there already.

        Returns:
            False where the place has nothing of this name.

        Raises:
            ClusterError: The place cannot be read.
        """
        if path.exists():
            return True
        draft = path.with_name(f".{path.name}.{os.getpid()}.{uuid4().hex[:8]}")
        try:
            with self._told():
                files, source = self._find(name)
                if not files.exists(source):
                    return False
                draft.mkdir(parents=True)
                with files.open(source, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
                    # The filter refuses absolute paths, links out of the folder and devices: others may write to the
                    # place as well.
                    archive.extractall(draft, filter="data")
                _settle(draft / "it", path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return True

    def _find(self, name: str) -> tuple[Any, str]:
        files, target = fsspec.url_to_fs(f"{self.url}/{name}.tar")
        files.invalidate_cache()  # other machines write there too
        return files, target

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ImportError, ValueError) as error:
            raise ClusterError(
                f"The place {self.url}, named by `run.shared`, could not be used: {type(error).__name__}: {error} "
                "Look whether it exists, and whether this machine may read and write it."
            ) from error


def _settle(found: Path, path: Path) -> None:
    """Give it its name; another process may have been faster, with the same content."""
    try:
        found.rename(path)
    except OSError:
        if not path.exists():
            raise
