"""Durations as a study file writes them; plain seconds everywhere else."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

# No months and no years, which are no number of seconds.
_UNITS = {
    0.001: "ms msec msecs millisecond milliseconds",
    1.0: "s sec secs second seconds",
    60.0: "m min mins minute minutes",
    3600.0: "h hr hrs hour hours",
    86400.0: "d day days",
    604800.0: "w week weeks",
}
_SECONDS = {word: seconds for seconds, words in _UNITS.items() for word in words.split()}
_SPAN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([a-z]+)[\s,]*(?:and\s+)?")
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d)")


def parse_duration(raw: Any) -> Any:
    """Seconds of a duration such as `90`, `30m`, `1h30m`, `2 hours`, `1 day, 6 hours`, `2:30:00`.

    Raises:
        ValueError: The text is no duration.

    >>> parse_duration("1h30m"), parse_duration("2 hours")
    (5400.0, 7200.0)
    """
    if isinstance(raw, timedelta):
        return raw.total_seconds()
    if not isinstance(raw, str):
        return raw
    text = raw.strip().lower()
    if clock := _CLOCK.fullmatch(text):
        return 3600.0 * int(clock[1]) + 60.0 * int(clock[2]) + int(clock[3])
    parts = _SPAN.findall(text)
    if not parts or _SPAN.sub("", text) or any(unit not in _SECONDS for _, unit in parts):
        raise ValueError(
            f"a duration is a number of seconds or a text such as 90s, 30m, 1h30m or 2 hours, got {raw!r}."
        )
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


Seconds = Annotated[
    float,
    BeforeValidator(parse_duration, json_schema_input_type=float | str),
    Field(gt=0, allow_inf_nan=False, examples=["30m"]),
    PlainSerializer(float),
]
"""A duration in seconds; the study file may write `30m` or `2 hours`."""
