"""The text of the event log: one JSON event a line, numbered, dated and with a CRC-32 checksum; knows no files.

    {"crc":"1f2e3d4c","seq":7,"at":1764027812.123456,"version":12,"study":...,"type":...}

`crc` is the CRC-32 of all that follows its comma, `seq` counts the lines of one journal from 1, `at` is the writer's
clock in unix seconds (never used to order events), and `version` is the study's version after a driver's event.
"""

import json
import re
import zlib
from typing import NamedTuple

from pydantic_core import PydanticSerializationError

from pegbox.schemas.events import Event
from pegbox.schemas.text import storable_tree

# The checksum comes first and by a fixed spelling, so that a line is checked as the bytes that were written, not as
# JSON that a second writer could spell otherwise. A regular expression and no JSON parser: DuckDB parses the body,
# once.
_LINE = re.compile(
    rb'\{"crc":"([0-9a-f]{8})",("seq":([0-9]+),"at":(-?[0-9]+\.[0-9]+)(?:,"version":([0-9]+))?,(.*\}))', re.DOTALL
)


class JournalLine(NamedTuple):
    """One line of a journal that is whole.

    `body` is the event's own JSON.
    """

    seq: int
    at: float
    version: int | None
    body: str


def encode_line(event: Event, seq: int, at: float, version: int | None = None) -> bytes:
    """The line of an event, newline included."""
    return encode_body(_text_of(event), f"{at:.6f}", version, seq)


def encode_body(body: str, at: str, version: int | None, seq: int) -> bytes:
    """The line of an event that is JSON already.

    Args:
        body: The event's JSON.
        at: Unix time in seconds, with six decimals.
        version: Of the study after a driver's event.
        seq: Number of the line in its journal, from 1.
    """
    numbered = "" if version is None else f',"version":{version}'
    covered = f'"seq":{seq},"at":{at}{numbered},{body[1:]}'.encode()
    # CRC-32 and no hash: it finds torn and flipped bytes, which is what disks do; nobody is kept from forging a line
    # of his own store.
    return b'{"crc":"%08x",%b\n' % (zlib.crc32(covered), covered)


def _text_of(event: Event) -> str:
    """The event's JSON; where it holds text that JSON or DuckDB refuses, with that text escaped.

    What users write is refused or escaped where it comes in; this is the net below, so that no event ends a driver.
    """
    try:
        text = event.model_dump_json()
    except PydanticSerializationError:
        text = "\\u0000"
    if "\\u0000" not in text:
        return text
    return json.dumps(storable_tree(event.model_dump()), ensure_ascii=False, separators=(",", ":"))


def decode_line(line: bytes) -> JournalLine | str:
    """Read a line back; where it is damaged, why, in a few words.

    Args:
        line: Without its newline; a carriage return before it, of a program that writes text as Windows does, is no
            damage.
    """
    match = _LINE.fullmatch(line.removesuffix(b"\r"))
    if match is None:
        return "not a line of a journal"
    crc, covered, seq, at, version, rest = match.groups()
    if zlib.crc32(covered) != int(crc, 16):
        return "the checksum does not match"
    return JournalLine(int(seq), float(at), None if version is None else int(version), "{" + rest.decode())
