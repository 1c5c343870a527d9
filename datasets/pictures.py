"""Picture files as arrays of one shape: found, looked at, decoded with Pillow, and kept so that it is done once."""

import hashlib
import importlib
import io
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from pegbox.schemas.data import ImageMode, ImageSpec
from pegbox.schemas.errors import DataError, Problem
from pegbox.schemas.named_files import file_digest

Pixels = npt.NDArray[np.uint8]
Picture = Any
"""A file, the bytes of one, an array of pixels, or a picture of Pillow's, which is not always installed."""
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
"""Endings of the files that are taken for pictures, in any case of letters."""

# Picked by hand: as CIFAR has it (Krizhevsky 2009), which two cores learn from in minutes; photographs want more.
LARGEST_KEPT = 32
"""Pixels up to which pictures of one size stay as they are, and the size of all others where none is asked for."""

VERSION = 1
"""Raise it whenever the same file comes to give other pixels."""
MOST_TOLD = 5
"""Files that are named in one message."""

_ORIENTATION = 0x0112
"""EXIF's number for how the camera was held; from 5 on it lay on its side."""
_GREY = {"1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N", "I"}
"""Pillow's modes without colours."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How pictures become arrays.

    Attributes:
        mode: One channel or three.
        size: Height and width.
    """

    mode: ImageMode
    size: tuple[int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture."""
        return self.size if self.mode == "grey" else (*self.size, 3)


@dataclass(frozen=True, slots=True)
class Look:
    """What the heads of many pictures say.

    Attributes:
        sizes: Height and width of each that were found.
        has_colours: True if any has them.
        has_grey: True if any has none.
    """

    sizes: frozenset[tuple[int, int]]
    has_colours: bool
    has_grey: bool

    def reading(self, asked: ImageSpec | None) -> Reading:
        """How they are read: as asked, else one that loses nothing of small pictures of one size."""
        size = asked.height_and_width if asked else None
        common = next(iter(self.sizes)) if len(self.sizes) == 1 else None
        if size is None:
            size = common if common and max(common) <= LARGEST_KEPT else (LARGEST_KEPT, LARGEST_KEPT)
        return Reading((asked.mode if asked else None) or ("rgb" if self.has_colours else "grey"), size)

    def told(self, count: int, reading: Reading, asked: ImageSpec | None) -> str:
        """How many there are, what they are, and what is made of them."""
        low, high = min(self.sizes), max(self.sizes)
        found = by(low) if low == high else f"{by(low)} to {by(high)}"
        colours = "some with colours, some without" if self.has_colours and self.has_grey else ""
        kept = "" if low == high == reading.size else f", stretched to {by(reading.size)}"
        remedy = "" if not kept or (asked and asked.size) else ": data.images.size sets another"
        return "; ".join(
            part
            for part in (f"{count:,} pictures of {found}", colours, f"taken as {reading.mode}{kept}{remedy}")
            if part
        )


def by(size: tuple[int, ...]) -> str:
    """A size in words.

    >>> by((28, 28))
    '28 × 28'
    """
    return " × ".join(map(str, size))


def is_picture(path: Path) -> bool:
    """True where the name says so."""
    return path.suffix.lower() in PICTURES


def look_at(sources: Sequence[Picture], names: Sequence[str]) -> Look:
    """Read the head of each picture.

    Args:
        names: What each is called in messages.

    Raises:
        DataError: Some are no pictures, or not there: the first few are named.
    """
    sizes, colours, bad = set[tuple[int, int]](), set[bool](), list[str]()
    pillow = _pillow()
    for source, name in zip(sources, names, strict=True):
        try:
            with _opened(source, pillow) as image:
                # The side on which a camera was held swaps height and width.
                turned = image.getexif().get(_ORIENTATION, 1) >= 5
                sizes.add((image.width, image.height) if turned else (image.height, image.width))
                colours.add(image.mode not in _GREY)
        except Exception as error:  # noqa: BLE001 - Pillow raises whatever its readers of each format meet
            bad.append(_why(name, error))
    if bad:
        raise _unreadable(bad, len(names))
    return Look(frozenset(sizes), True in colours, False in colours)


def decode(source: Picture, reading: Reading) -> Pixels:
    """One picture, shape `reading.shape`, 0 to 255.

    It stands as the camera was held, what is transparent becomes white, sixteen bits become eight, and of an animation
    the first picture counts; it is stretched by averaging over the pixels that fall together.

    Raises:
        DataError: Pillow is missing.
        Exception: Whatever Pillow raises of a file that it cannot read.
    """
    pillow = _pillow()
    with warnings.catch_warnings():
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        with _opened(source, pillow) as opened:
            image = _plain(importlib.import_module("PIL.ImageOps").exif_transpose(opened), pillow)
    image = image.convert("L" if reading.mode == "grey" else "RGB")
    if (image.height, image.width) != reading.size:
        image = image.resize((reading.size[1], reading.size[0]), pillow.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8)


def decode_into(pixels: Pixels, sources: Sequence[Picture], names: Sequence[str], reading: Reading) -> Pixels:
    """Decode many into one array, shape (n_pictures, *reading.shape); gives it back.

    Raises:
        DataError: Some cannot be read: the first few are named.
    """
    bad = []
    for place, (source, name) in enumerate(zip(sources, names, strict=True)):
        try:
            pixels[place] = decode(source, reading)
        except DataError:
            raise
        except Exception as error:  # noqa: BLE001 - Pillow raises whatever its readers of each format meet
            bad.append(_why(name, error))
    if bad:
        raise _unreadable(bad, len(names))
    return pixels


def decoded(sources: Sequence[Picture], names: Sequence[str], reading: Reading) -> Pixels:
    """Many pictures as one array in memory; raises as `decode_into`."""
    return decode_into(np.empty((len(names), *reading.shape), dtype=np.uint8), sources, names, reading)


def decoded_once(files: Sequence[Path], reading: Reading, cache: Path, content: str) -> Pixels:
    """The same from the cache, where the same bytes were decoded before, or written into it.

    Args:
        cache: A directory.
        content: A hash of the bytes of all files, in their order.

    Raises:
        DataError: Some cannot be read.
        OSError: The cache cannot be written.
    """
    key = hashlib.sha256(f"{VERSION} {content} {reading}".encode()).hexdigest()[:32]
    path = cache / f"{key}.npy"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        partial = cache / f".partial-{uuid4().hex}"
        try:
            # On the disk at once: a folder may be larger than the memory.
            shape = (len(files), *reading.shape)
            pixels = np.lib.format.open_memmap(partial, "w+", np.dtype(np.uint8), shape)
            decode_into(pixels, files, [str(path) for path in files], reading).flush()  # type: ignore[attr-defined]
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    found: Pixels = np.load(path, mmap_mode="c")
    return found


def content_of(files: Sequence[Path], names: Sequence[str]) -> str:
    """A hash of the bytes of all files and of what they are called.

    Raises:
        DataError: One is gone, or cannot be read.
    """
    hashed = hashlib.sha256()
    for path, name in zip(files, names, strict=True):
        if not path.is_file():
            raise DataError(
                f"data.source: there is no picture {str(path)!r}. Correct its name, or leave out what names it; "
                "pictures must stay where they are until the data is prepared."
            )
        try:
            hashed.update(f"{len(name)}:{name}{file_digest(path)}".encode())
        except ValueError as error:
            raise DataError(f"data.source: {error}") from error
    return hashed.hexdigest()


def _pillow() -> ModuleType:
    try:
        return importlib.import_module("PIL.Image")
    except ModuleNotFoundError as error:
        raise DataError(
            "data.source: pictures are read with Pillow, which is not installed. Run: pip install 'pegbox[images]'"
        ) from error


def _opened(source: Picture, pillow: ModuleType) -> AbstractContextManager[Any]:
    if isinstance(source, bytes | str | Path):
        opened: AbstractContextManager[Any] = pillow.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        return opened
    # Left open: a picture of the user's is the user's to close.
    return nullcontext(pillow.fromarray(source) if isinstance(source, np.ndarray) else source)


def _plain(image: Any, pillow: ModuleType) -> Any:
    """Without transparency, and of eight bits."""
    if image.mode.startswith("I"):
        # Sixteen bits: the upper eight. Pillow itself would cut off all above 255.
        return pillow.fromarray((np.asarray(image, dtype=np.int64).clip(0, 65535) >> 8).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its pixels are real numbers, whose range no file tells; write it with 8 or 16 bits")
    if image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info:
        image = image.convert("RGBA")
        return pillow.alpha_composite(pillow.new("RGBA", image.size, "white"), image)
    return image


def _why(name: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name!r} (there is no such file)"
    said = " ".join(str(error).split())[:150]
    said = "no picture that Pillow knows, or damaged" if "cannot identify image file" in said else said
    return f"{name!r} ({said or type(error).__name__})"


def _unreadable(bad: list[str], count: int) -> DataError:
    more = f" and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else ""
    return DataError(
        [
            Problem(
                f"{len(bad)} of {count} pictures cannot be read: {', '.join(bad[:MOST_TOLD])}{more}. Mend or remove "
                "them.",
                ("data", "source"),
            )
        ]
    )
