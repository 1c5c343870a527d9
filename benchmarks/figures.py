"""What all benchmarks share: their arguments, the machine and versions that they tell, and the figures at the end.

Every benchmark prints tables for people and, with `--json`, as its last line a list of
`{"name", "value", "bar", "holds"}`: `bar` is what the figure is held to, null where nothing is asked of it.
"""

import argparse
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple


class Figure(NamedTuple):
    """One number that a benchmark is about."""

    name: str
    value: float
    bar: float | None = None
    at_most: bool = True
    """False where the bar is the least that is asked."""
    is_beyond: bool = False
    """True where the bar itself is not enough: ahead of a peer is not level with it."""

    @property
    def holds(self) -> bool:
        """True if the bar is kept, or there is none."""
        if self.bar is None:
            return True
        if self.is_beyond and self.value == self.bar:
            return False
        return self.value <= self.bar if self.at_most else self.value >= self.bar


def parser(doc: str | None, quick: str) -> argparse.ArgumentParser:
    """The arguments that every benchmark takes.

    Args:
        doc: The script's docstring.
        quick: What `--quick` makes smaller.
    """
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help=quick)
    made.add_argument("--json", action="store_true", help="end with one line of JSON: name, value, bar, holds")
    return made


def tell_machine(*packages: str) -> None:
    """Print what figures depend on: versions, cores and how busy the machine is."""
    versions = ", ".join(f"{name} {_version(name)}" for name in ("pegbox", *packages))
    # Told with every figure: a time that was taken beside other work is worth little without it.
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"python {platform.python_version()}, {versions}; {os.cpu_count()} cores, load {load:.1f}", flush=True)


def conclude(figures: Sequence[Figure], as_json: bool) -> int:
    """Print each figure beside its bar; with `--json` all of them as the last line.

    Returns:
        0 if every bar holds, else 1.
    """
    for one in figures:
        said = "" if one.bar is None else f"   bar {one.bar:g}: {'holds' if one.holds else 'MISSED'}"
        print(f"{one.name:44} {one.value:10.4g}{said}")
    if as_json:
        rows = [{"name": one.name, "value": round(one.value, 5), "bar": one.bar, "holds": one.holds} for one in figures]
        print(json.dumps(rows))
    # A missed bar is an exit code, so that a script can hold a change to it.
    return 0 if all(one.holds for one in figures) else 1


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
