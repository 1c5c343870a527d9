"""Text that a journal, DuckDB and every reader of JSON can hold: no half of a character, no NUL."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import AfterValidator

from pegbox.schemas.secret_texts import masked

# Picked by hand: metrics are named by code, and a name that is longer holds a value, such as a path or a whole line of
# a log.
MAX_NAME = 500
"""Characters of a metric's name; longer ones are no names, and each of them is kept with each value."""


def storable(text: str) -> str:
    r"""The text with whatever cannot be stored escaped, as Python writes it; other text is returned as it is.

    A lone surrogate is what Python makes of a byte that is no UTF-8, such as in the name of a file of an old archive.

    >>> storable("caf\udce9.jpg")
    'caf\\udce9.jpg'
    >>> storable("caf\u00e9")
    'café'
    """
    # NUL is text to Python and JSON, but DuckDB refuses it in a value; surrogates cannot be encoded at all.
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def is_storable(text: str) -> bool:
    """True if a journal takes the text as it is."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


Told = Annotated[str, AfterValidator(storable), AfterValidator(masked)]
"""A text of a person's or a program's that is told to readers; never compared. What looks like a secret is masked."""


def storable_tree(content: Any) -> Any:
    """The content with every text in it, keys and paths too, made storable."""
    match content:
        case str() | PurePath():
            return storable(str(content))
        case Mapping():
            return {storable_tree(key): storable_tree(value) for key, value in content.items()}
        case list() | tuple():
            return [storable_tree(entry) for entry in content]
    return content


def unstorable(content: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each text in a tree that cannot be stored as it is, after the way to it; a key's way ends at what holds it."""
    if isinstance(content, str) and not is_storable(content):
        yield at, content
    if isinstance(content, Mapping):
        for key, value in content.items():
            if isinstance(key, str) and not is_storable(key):
                yield at, key
            else:
                yield from unstorable(value, (*at, key))
    if isinstance(content, list | tuple):
        for place, entry in enumerate(content):
            yield from unstorable(entry, (*at, place))
