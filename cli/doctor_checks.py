"""The checks of `pegbox doctor`, one function each; they look and change nothing, and load no heavy library."""

import os
import platform
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pegbox.flows.prefect_server.shared_server import is_configured
from pegbox.report.number_format import size
from pegbox.schemas.base import Schema
from pegbox.schemas.errors import PegboxError
from pegbox.storage.layout import StoreLayout
from pegbox.training.resources import available_cores, visible_gpus

PACKAGES = ("prefect", "duckdb", "torch", "scikit-learn", "numpy", "pydantic")
OPTIONAL = ("optuna", "hyperopt", "prefect-ray", "prefect-dask", "polars")
# Picked by hand: some checkpoints, and the copy of the database that every publishing makes.
LEAST_FREE_BYTES = 1_000_000_000


class Finding(Schema):
    """One thing that was looked at."""

    about: str
    state: Literal["ok", "note", "warn", "fail"]
    """`fail` would stop a study."""
    fact: str
    advice: str | None = None
    """How to mend it."""


def examine(store: Path) -> tuple[Finding, ...]:
    """Everything, the cheap checks first."""
    layout = StoreLayout(store.absolute())
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _versions,
        _clashes,
        _prefect_server,
        lambda: _store(layout),
        lambda: _disk(layout),
        _devices,
    )
    return tuple(finding for check in checks for finding in check())


def _versions() -> Iterator[Finding]:
    python = platform.python_version()
    yield Finding(about="python", state="ok", fact=f"Python {python} on {platform.system()} {platform.machine()}")
    found = {name: installed(name) for name in ("pegbox", *PACKAGES)}
    missing = [name for name, one in found.items() if one is None]
    fact = ", ".join(f"{name} {one}" for name, one in found.items() if one)
    yield Finding(about="packages", state="ok", fact=fact)
    if missing:
        advice = f"Install with `pip install {' '.join(missing)}`."
        yield Finding(about="packages", state="fail", fact=f"not installed: {', '.join(missing)}.", advice=advice)
    extras = [f"{name} {one}" for name in OPTIONAL if (one := installed(name))]
    yield Finding(about="extras", state="note", fact=", ".join(extras) or "none of optuna, hyperopt, ray, dask, polars")


def installed(package: str) -> str | None:
    """The version of an installed package; None where it is absent."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def known_clash(package: str, first_bad: tuple[int, int], trouble: str) -> Finding | None:
    """A version that is known to break Prefect."""
    found = installed(package)
    if found is None:
        return None
    # Compared as numbers: as texts 0.99 would lie above 0.151.
    numbers = tuple(int(part) for part in found.split(".")[:2] if part.isdigit())
    if numbers < first_bad:
        return None
    limit = ".".join(map(str, first_bad))
    return Finding(
        about="versions",
        state="fail",
        fact=f"{package} {found} is installed, with which {trouble}.",
        advice=f"Mend it with `pip install '{package}<{limit}'`.",
    )


def _clashes() -> Iterator[Finding]:
    clashes = (
        # Both measured with Prefect 3.8.8; pyproject.toml bounds them for the same reason.
        known_clash("fastapi", (0, 151), "Prefect's server does not start"),
        known_clash("sqlalchemy", (2, 1), "Prefect's server never creates the runs of a schedule"),
    )
    found = [clash for clash in clashes if clash]
    yield from found
    if not found:
        fact = f"no known clash (fastapi {installed('fastapi')}, sqlalchemy {installed('sqlalchemy')})"
        yield Finding(about="versions", state="ok", fact=fact)


def _prefect_server() -> Iterator[Finding]:
    url = os.environ.get("PREFECT_API_URL")
    if url:
        try:
            # By a plain request, because importing Prefect alone takes one to three seconds. Three seconds of patience
            # are picked by hand.
            with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=3) as answer:  # noqa: S310  the user's own
                answers = answer.status == 200
        except (urllib.error.URLError, OSError, ValueError):
            answers = False
        if answers:
            yield Finding(about="prefect", state="ok", fact=f"the server at {url} answers")
        else:
            yield Finding(
                about="prefect",
                state="fail",
                fact=f"the server at {url}, which PREFECT_API_URL names, does not answer.",
                advice="Start it with `prefect server start`, or unset PREFECT_API_URL for a server of the run's own.",
            )
    elif is_configured():
        yield Finding(
            about="prefect", state="note", fact="Prefect's own settings name a server or a home; they are kept"
        )
    else:
        yield Finding(about="prefect", state="ok", fact="no server is configured; a run starts one of the store's own")


def _store(layout: StoreLayout) -> Iterator[Finding]:
    if not layout.root.exists():
        yield Finding(about="store", state="note", fact=f"{layout.root} does not exist yet; the first run makes it")
        return
    if not os.access(layout.root, os.W_OK):
        fact = f"{layout.root} cannot be written; it can be read."
        yield Finding(about="store", state="warn", fact=fact, advice="Name another one with --store to run a study.")
    try:
        yield from _history(layout)
    except PegboxError as error:
        yield Finding(about="store", state="fail", fact=str(error))
    parts = {name: _bytes_below(layout.root / name) for name in ("data", "checkpoints", "cache", "journal", "logs")}
    sizes = ", ".join(f"{name} {size(n_bytes)}" for name, n_bytes in parts.items() if n_bytes)
    yield Finding(about="store", state="note", fact=sizes or "nothing in it yet")


def _history(layout: StoreLayout) -> Iterator[Finding]:
    from pegbox.storage.history_file import open_history
    from pegbox.storage.queries.catalog import first_bad_line, store_counts
    from pegbox.storage.store import check_version

    check_version(layout)
    if not layout.journal.is_dir() and not layout.snapshot.exists():
        yield Finding(about="store", state="note", fact=f"{layout.root} holds no history yet")
        return
    with open_history(layout.root) as history:
        counts, bad = store_counts(history), first_bad_line(history)
        yield Finding(
            about="store", state="ok", fact=f"{layout.root}: {counts.studies} studies, {counts.trials} trials"
        )
        if bad is not None:
            yield Finding(
                about="store",
                state="warn",
                fact=f"{counts.bad_lines} damaged lines of the journals were set aside; the first is in {bad.journal}: "
                f"{bad.reason}.",
                advice="They are in the table `quarantine`; all other lines were read.",
            )


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _disk(layout: StoreLayout) -> Iterator[Finding]:
    # The store may not exist yet, and a disk is asked by a path that does.
    folder = next(path for path in (layout.root, *layout.root.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        advice = "Make room, or name a store on another disk with --store."
        yield Finding(about="disk", state="warn", fact=f"{size(free)} are free at {folder}.", advice=advice)
    else:
        yield Finding(about="disk", state="ok", fact=f"{size(free)} free")


def _devices() -> Iterator[Finding]:
    gpus = visible_gpus()
    cores = available_cores()
    fact = f"{cores} CPU core{'s' if cores > 1 else ''}"
    yield Finding(about="devices", state="ok", fact=f"{fact}, {len(gpus)} GPU{'s' if len(gpus) != 1 else ''}")
    build = installed("torch") or ""
    if gpus and "+cpu" in build:
        yield Finding(
            about="devices",
            state="warn",
            fact=f"there is a GPU, but torch {build} is built for the CPU alone.",
            advice="Install a CUDA build of torch to use it.",
        )
