"""Files as a study names them, and their contents as digests; looks at bytes, never at times of change."""

import hashlib
from pathlib import Path


def files_named(source: str) -> list[Path]:
    """The files of a path, a folder or a pattern, in an order that does not depend on the file system.

    Args:
        source: Relative to the working directory, or absolute.

    Raises:
        ValueError: There is none.
    """
    found = [Path(source)] if Path(source).exists() else sorted(Path().glob(source)) if _is_pattern(source) else []
    files = [file for path in found for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    if not (files := [file for file in files if file.is_file()]):
        raise ValueError(
            f"no file {source!r} below {str(Path.cwd())!r}. Name a file, a folder, or a pattern such as "
            "'rows/*.parquet'."
        )
    return files


def file_digest(file: Path) -> str:
    """SHA-256 of its bytes, in hexadecimal.

    Raises:
        ValueError: It cannot be read.
    """
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{str(file)!r} cannot be read: {error.strerror}. Change its permissions.") from error


def _is_pattern(source: str) -> bool:
    return any(letter in "*?[" for letter in source) and not Path(source).is_absolute()
