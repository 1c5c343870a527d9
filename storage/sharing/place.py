"""An object storage behind a URL of fsspec's, as a store needs it: whole objects, and keys that are given once."""

import inspect
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from pegbox.schemas.errors import StoreError, StoreUnreachableError


class SharedPlace:
    """Objects by key below a URL; safe to use from many threads.

    Args:
        url: Such as `s3://bucket/team`; credentials and endpoints are found where the storage's library looks for them.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def check(self) -> None:
        """Find out by trying whether a key can be given once: two drivers of one study are kept apart by nothing else.

        Raises:
            StoreError: It cannot.
            StoreUnreachableError: The storage does not answer.
        """
        with self._told():
            files, _ = self._find("")
        refused = StoreError(
            f"A shared store needs a storage that creates an object only where there is none (S3's If-None-Match), and "
            f"{self.url} does not: nothing would keep two machines from driving one study. Use S3, Google Cloud "
            "Storage, Azure, or a folder that all machines mount; or a store for each machine, and `pegbox merge`."
        )
        if not _creates(files):
            raise refused
        key = f"check/{uuid4().hex}"
        try:
            if self.settle(key, b"first") != b"first" or self.settle(key, b"second") != b"first":
                raise refused
        finally:
            with suppress(StoreUnreachableError):
                self.remove(key)

    def settle(self, key: str, content: bytes) -> bytes:
        """Create an object, unless there is one.

        Returns:
            What stands there now: the content, or what somebody else put there first.

        Raises:
            StoreUnreachableError: The storage does not answer; the object may be there all the same.
        """
        with self._told():
            files, path = self._find(key)
            try:
                _create(files, path, content)
            except Exception:
                # Looked at and not judged by the error, which each storage words otherwise: it says that there is an
                # object also where a first try of ours arrived and only its answer was lost.
                files.invalidate_cache()
                if not files.exists(path):
                    raise
                return bytes(files.cat_file(path))
        return content

    def replace(self, key: str, content: bytes) -> None:
        """Create an object, or put another in its place.

        Raises:
            StoreUnreachableError: The storage does not answer.
        """
        with self._told():
            files, path = self._find(key)
            if _is_local(files):  # an object storage shows all of an object or nothing; a file grows
                draft = Path(path).with_name(f".{Path(path).name}.{uuid4().hex}")
                draft.write_bytes(content)
                draft.replace(path)
            else:
                files.pipe_file(path, content)

    def read(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Objects by key, several at a time where the storage can; what is gone is left out.

        Raises:
            StoreUnreachableError: The storage does not answer.
        """
        with self._told():
            files, root = self._find("")
            by_path = {f"{root}{key}": key for key in keys}
            found = files.cat(list(by_path), on_error="return") if by_path else {}
            if isinstance(found, bytes):  # of a single path some give the bytes alone
                found = dict.fromkeys(by_path, found)
            for value in found.values():
                if isinstance(value, Exception) and not isinstance(value, FileNotFoundError):
                    raise value
        return {by_path[path]: value for path, value in found.items() if isinstance(value, bytes)}

    def keys(self, folder: str) -> list[str]:
        """All keys that begin with a folder's name, sorted.

        Raises:
            StoreUnreachableError: The storage does not answer.
        """
        with self._told():
            files, root = self._find("")
            files.invalidate_cache()  # other machines write there too
            try:
                paths = files.find(f"{root}{folder}")
            except FileNotFoundError:
                return []
        return sorted(path.removeprefix(root) for path in paths if path.startswith(root) and "/." not in path)

    def remove(self, key: str) -> None:
        """Delete an object, if there is one.

        Raises:
            StoreUnreachableError: The storage does not answer.
        """
        with self._told():
            files, path = self._find(key)
            with suppress(FileNotFoundError):
                files.rm_file(path)

    def _find(self, key: str) -> tuple[Any, str]:
        import fsspec

        files, root = fsspec.url_to_fs(self.url)
        path = f"{root.rstrip('/')}/{key}"
        if key and _is_local(files):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        return files, path

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except Exception as error:  # each storage has errors of its own, and few are an OSError
            raise StoreUnreachableError(
                f"The shared store {self.url} could not be used: {type(error).__name__}: {str(error).rstrip('.')}. "
                "What was recorded on this machine is kept here, and goes there with the next command that reaches it. "
                "Look whether the storage answers, and whether this machine may read and write it."
            ) from error


def _is_local(files: Any) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(files, LocalFileSystem)


def _creates(files: Any) -> bool:
    """True if the storage itself refuses to create what is there; fsspec's own way looks first and then writes."""
    from fsspec.asyn import AsyncFileSystem
    from fsspec.spec import AbstractFileSystem

    if _is_local(files):
        return True
    ours, base = (
        (type(files)._pipe_file, AsyncFileSystem._pipe_file)
        if isinstance(files, AsyncFileSystem)
        else (type(files).pipe_file, AbstractFileSystem.pipe_file)
    )
    return ours is not base and "mode" in inspect.signature(ours).parameters


def _create(files: Any, path: str, content: bytes) -> None:
    """Raises where there is an object, or where the storage fails."""
    if not _is_local(files):
        files.pipe_file(path, content, mode="create")
        return
    # A link gives a whole file its name only where nothing has it; one that is opened to be created is empty at first.
    draft = Path(path).with_name(f".{Path(path).name}.{uuid4().hex}")
    try:
        with draft.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
