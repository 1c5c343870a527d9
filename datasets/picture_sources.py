"""Sources of pictures: a folder with a folder for each class, and a table with a column of paths or of bytes."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import types

from pegbox.datasets.column_types import Kind, kind_of
from pegbox.datasets.pictures import (
    PICTURES,
    Pixels,
    Reading,
    content_of,
    decoded,
    decoded_once,
    is_picture,
    look_at,
)
from pegbox.datasets.source import Loaded, Source
from pegbox.datasets.tensor_columns import tensor_column
from pegbox.schemas.data import DataSpec, ImageSpec
from pegbox.schemas.errors import DataError, suggest
from pegbox.schemas.word_lists import listed

IMAGE, CLASS = "image", "class"
"""Names of the columns of a folder."""
_PARTS = {"train", "training", "valid", "validation", "val", "test", "testing"}
_MACHINES = {"thumbs.db", "desktop.ini", "__macosx"}
"""What systems leave in folders under names that show."""
MOST_TOLD = 5
"""Files or folders that are named in one message."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a folder.

    Attributes:
        files: Pictures, in the order of their names.
        left_out: Names of files that are none, or are hidden.
    """

    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def listing(folder: Path) -> Listing:
    """The pictures below a folder, at any depth; hidden files and folders are left out, and told."""
    files, left_out = [], []
    for directory, folders, names in os.walk(folder):
        hidden = [name for name in folders if _is_hidden(name)]
        left_out += [f"{name}/" for name in hidden]
        folders[:] = [name for name in folders if name not in hidden]
        for name in names:
            path = Path(directory) / name
            if is_picture(path) and not _is_hidden(name):
                files.append(path)
            else:
                left_out.append(str(path.relative_to(folder)))
    return Listing(tuple(sorted(files)), tuple(sorted(left_out)))


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """A folder that holds a folder for each class.

    Attributes:
        spec: The study's entry.
        cache: Where decoded pictures are kept; None to keep none.
    """

    spec: DataSpec
    cache: Path | None = None
    target: str = CLASS

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.spec.source)

    def digest(self) -> str:
        """A hash of the pictures' bytes and of their names below the folder."""
        files = self._found().files
        return content_of(files, [path.relative_to(self.path).as_posix() for path in files])

    def columns(self) -> tuple[str, ...]:
        """The picture and its class; looks at the names of the files alone."""
        self._found()
        return (IMAGE, CLASS)

    def load(self) -> Loaded:
        """Decode all pictures, or find them decoded.

        Raises:
            DataError: There are none, one cannot be read, or Pillow is missing.
        """
        found = self._found()
        names = [str(path) for path in found.files]
        look = look_at(found.files, names)
        reading = look.reading(self.spec.images)
        if self.cache is None:
            pixels = decoded(found.files, names, reading)
        else:
            pixels = decoded_once(found.files, reading, self.cache, self.digest())
        classes = pa.array([path.relative_to(self.path).parts[0] for path in found.files])
        return Loaded(
            pa.table({IMAGE: tensor_column(pixels), CLASS: classes}),
            target=CLASS,
            task="classification",
            mode=reading.mode,
            told={IMAGE: look.told(len(found.files), reading, self.spec.images)},
            warnings=_left_out(found.left_out),
        )

    def paths(self) -> pa.Table:
        """The files and the folders that they lie in, for a model that is asked about them; none needs a class.

        Raises:
            DataError: There is no picture.
        """
        files = listing(self.path).files if self.path.is_dir() else ()
        if not files:
            raise DataError(f"data.source: there is no picture in {str(self.path)!r}. {_endings()}")
        above = [path.relative_to(self.path).parts[:-1] for path in files]
        classes = [parts[0] if parts else None for parts in above]
        return pa.table({IMAGE: pa.array([str(path) for path in files]), CLASS: pa.array(classes, pa.string())})

    def _found(self) -> Listing:
        """The pictures of the classes.

        Raises:
            DataError: The folder is not there, or is no folder of class folders.
        """
        if self.spec.images is not None and (self.spec.images.column or self.spec.images.folder):
            raise DataError(
                f"data.images: column and folder are of a table of paths, and {self.spec.source!r} is a folder. Leave "
                "them out, or name the table as data.source."
            )
        if not self.path.is_dir():
            raise DataError(
                f"data.source: there is no folder {str(self.path)!r} below {str(Path.cwd())!r}. Correct it."
            )
        classes = sorted(one.name for one in self.path.iterdir() if one.is_dir() and not _is_hidden(one.name))
        found = listing(self.path)
        self._require_classes(classes, found)
        held = {path.relative_to(self.path).parts[0] for path in found.files}
        if empty := [name for name in classes if name not in held]:
            raise DataError(
                f"data.source: the class {listed(empty, MOST_TOLD)} of {str(self.path)!r} has no picture. Remove the "
                f"folder, or put pictures into it. {_endings()}"
            )
        return found

    def _require_classes(self, classes: list[str], found: Listing) -> None:
        loose = [path.name for path in found.files if path.parent == self.path]
        if loose:
            raise DataError(
                f"data.source: {len(loose)} pictures such as {loose[0]!r} lie in {str(self.path)!r} itself, expected "
                "each in the folder of its class. Move them, or name a table with a column of paths and a target."
            )
        if not classes:
            raise DataError(
                f"data.source: {str(self.path)!r} holds no folders of pictures, one for each class. Tables are named "
                "by their files, such as data/rows.csv, several at once by a pattern in an SQL query."
            )
        if {name.lower() for name in classes} <= _PARTS:
            raise DataError(
                f"data.source: the folders of {str(self.path)!r} are parts ({listed(classes, MOST_TOLD)}), expected "
                f"one for each class. Name one part, such as {str(self.path / classes[0])!r}: data.split divides it, "
                "and `pegbox predict` answers about another."
            )


@dataclass(frozen=True, slots=True)
class ImageTable:
    """A table with a column that names pictures, or holds their bytes.

    Attributes:
        table: Where the table comes from.
        spec: The study's entry.
        cache: Where decoded pictures are kept; None to keep none.
    """

    table: Source
    spec: DataSpec
    cache: Path | None = None
    target: None = None

    @property
    def images(self) -> ImageSpec:
        """What the study says of them."""
        assert self.spec.images is not None, "source_of asks for it"
        return self.spec.images

    def digest(self) -> str | None:
        """A hash of the rows, and of the bytes of the files that they name."""
        before = self.table.digest()
        column = self._column(self.table.load().table)
        if not _is_text(column.type):
            return before
        files, names = self._files(column)
        hashed = content_of(files, names)
        # The rows of a query are known by their frame alone, which holds the pixels.
        return None if before is None else hashlib.sha256(f"{before} {hashed}".encode()).hexdigest()

    def columns(self) -> tuple[str, ...] | None:
        """Names of the columns of the table."""
        names = self.table.columns()
        if names is not None:
            self._require_column(names)
        return names

    def load(self) -> Loaded:
        """Read the rows, and decode the pictures, or find them decoded.

        Raises:
            DataError: The table cannot be read, has no such column, or a picture cannot be read.
        """
        loaded = self.table.load()
        column = self._column(loaded.table)
        if column.null_count:
            raise DataError(
                f"data.images.column: {self.images.column!r} is missing in {column.null_count} rows. Leave these rows "
                "out with an SQL query."
            )
        if not len(column):
            return loaded  # told by the frame: there are no rows
        look, reading, pixels = self._pixels(column)
        name = self.images.column or ""
        place = loaded.table.column_names.index(name)
        return Loaded(
            loaded.table.set_column(place, name, tensor_column(pixels)),
            target=loaded.target,
            task=loaded.task,
            mark=loaded.mark,
            mode=reading.mode,
            told={name: look},
        )

    def _pixels(self, column: pa.ChunkedArray) -> tuple[str, Reading, Pixels]:
        """What was found, how it was read, and the pictures."""
        if _is_text(column.type):
            files, names = self._files(column)
            sources: Sequence[Any] = files
        else:
            sources, files = column.to_pylist(), []
            names = [f"row {place + 1}" for place in range(len(sources))]
        look = look_at(sources, names)
        reading = look.reading(self.images)
        if self.cache is None or not files:
            pixels = decoded(sources, names, reading)
        else:
            pixels = decoded_once(files, reading, self.cache, content_of(files, names))
        return look.told(len(names), reading, self.images), reading, pixels

    def _files(self, column: pa.ChunkedArray) -> tuple[list[Path], list[str]]:
        names = [str(name) for name in column.drop_null().to_pylist()]
        folder = base_folder(self.spec)
        return [folder / name for name in names], names

    def _column(self, table: pa.Table) -> pa.ChunkedArray:
        self._require_column(tuple(table.column_names))
        column = table[self.images.column]
        if not _is_text(column.type) and not types.is_binary(column.type) and not types.is_large_binary(column.type):
            raise DataError(
                f"data.images.column: {self.images.column!r} must hold paths, or the bytes of files, got {column.type}."
            )
        return column

    def _require_column(self, names: tuple[str, ...]) -> None:
        if self.images.column is None:
            raise DataError(
                f"data.images.column: name the column of {self.spec.source!r} that holds the paths of the pictures, "
                f"one of {listed(names, 20)}."
            )
        if self.images.column not in names:
            raise DataError(
                f"data.images.column: there is no column {self.images.column!r}. {suggest(self.images.column, names)}"
            )
        if self.images.column == self.spec.target:
            raise DataError(f"data.images.column: {self.images.column!r} is the target. Name the column of the paths.")


def base_folder(spec: DataSpec) -> Path:
    """Where the paths of a column begin: as the study says, or beside the file that holds the table."""
    if spec.images is not None and spec.images.folder is not None:
        return Path(spec.images.folder)
    # A query names no one file.
    return Path(spec.source).parent if Path(spec.source).is_file() else Path()


def _is_text(column_type: pa.DataType) -> bool:
    return kind_of(column_type) is Kind.TEXT


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _MACHINES


def _endings() -> str:
    return f"Pictures end in {', '.join(PICTURES)}."


def _left_out(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return ()
    more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    what = f"{', '.join(map(repr, names[:MOST_TOLD]))}{more}"
    return (f"{len(names)} hidden files, or files that are no pictures, are left out: {what}. {_endings()}",)
