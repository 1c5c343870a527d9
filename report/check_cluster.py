"""What is wrong with where a study is to run: engine, address and shared place; joins no cluster, loads no engine."""

import re
from collections.abc import Iterator
from importlib.util import find_spec

from pegbox.schemas.errors import Problem
from pegbox.schemas.plan import RunSpec

_PACKAGES = {"ray": "prefect_ray", "dask": "prefect_dask"}
_HOST_AND_PORT = r"[^\s/:]+:\d{1,5}/?"
_ADDRESSES = {
    "ray": (rf"(auto|(ray://)?{_HOST_AND_PORT})", "ray://HOST:10001, HOST:6379, or auto for the one of this machine"),
    "dask": (rf"((tcp|tls|ws|wss|ucx)://)?{_HOST_AND_PORT}", "tcp://HOST:8786"),
}


def check_cluster(run: RunSpec) -> Iterator[Problem]:
    """Problems of `run` in the order of its fields."""
    if run.engine == "local":
        yield from _check_local(run)
        return
    # Found and not imported: Ray and Dask take seconds to load, and `validate` is to answer at once.
    if find_spec(_PACKAGES[run.engine]) is None:
        message = f'the engine {run.engine!r} is not installed. Run `pip install "pegbox[{run.engine}]"`.'
        yield Problem(message, ("run", "engine"))
    form, words = _ADDRESSES[run.engine]
    if run.address is not None and not re.fullmatch(form, run.address):
        message = f"expected the address of a {run.engine.title()} cluster, such as {words}, got {run.address!r}."
        yield Problem(message, ("run", "address"))
    if run.shared is not None:
        yield from _check_shared(run.shared)
    if run.batch is not None:
        message = "only `engine: local` trains trials together in one process. Leave run.batch out."
        yield Problem(message, ("run", "batch"))


def _check_local(run: RunSpec) -> Iterator[Problem]:
    for name in ("address", "shared"):
        if getattr(run, name) is not None:
            yield Problem(
                f"`engine: local` uses no {name}. Leave it out, or write `engine: ray` or dask.", ("run", name)
            )


def _check_shared(url: str) -> Iterator[Problem]:
    import fsspec

    protocol, separator, _ = url.partition("://")
    # fsspec takes these too, but the one is no place that another process sees, and the others cannot be written to.
    if not separator or protocol in {"memory", "http", "https"}:
        message = f"expected a place that all machines can write to, such as s3://BUCKET/FOLDER, got {url!r}."
        yield Problem(message, ("run", "shared"))
        return
    try:
        fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        yield Problem(f"{url!r} cannot be used: {error}.", ("run", "shared"))
