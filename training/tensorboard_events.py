"""Reads scalars out of TensorBoard's event files through the package `tensorboard`, which is an optional extra."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pegbox.training.printed_line import STEP_NAMES, Reading

_EVENT_FILES = "*tfevents*"


def missing_package() -> str:
    """What to install, in a sentence; empty where the package is there."""
    if find_spec("tensorboard") is not None:
        return ""
    return "event files are read by the package tensorboard, which is missing. Run `pip install pegbox[tensorboard]`."


def read_events(directory: Path, since: float) -> list[Reading]:
    """The scalars of a directory and those below it, step by step.

    Where several directories hold events, as `add_scalars` and Keras make them, each name begins with its own. A scalar
    `epoch`, which Lightning writes, says the epoch of its step.

    Args:
        directory: Where the program wrote.
        since: Unix time; older files are of other trials.

    Raises:
        ValueError: There are no events, or they cannot be read.
    """
    if lacking := missing_package():
        raise ValueError(lacking)
    folders = sorted({file.parent for file in directory.rglob(_EVENT_FILES) if file.stat().st_mtime >= since})
    if not folders:
        raise ValueError(f"no event file was written below {str(directory)!r}")
    readings = [
        reading
        for folder in folders
        for reading in _read_folder(folder, f"{folder.relative_to(directory)}/" if len(folders) > 1 else "")
    ]
    return sorted(readings, key=lambda one: one.step or 0)


def _read_folder(folder: Path, prefix: str) -> Iterator[Reading]:
    prefix = prefix.removeprefix("./")
    by_step: dict[int, dict[str, float | str]] = {}
    for name, step, value in _scalars(folder):
        by_step.setdefault(step, {})[name] = value
    for step, numbers in sorted(by_step.items()):
        epoch = numbers.pop("epoch", None)
        is_epoch = isinstance(epoch, float) and epoch.is_integer() and epoch >= 0
        at, source = (int(epoch), "epoch") if is_epoch and isinstance(epoch, float) else (step, STEP_NAMES[-1])
        yield Reading(at, source, leads=True, numbers={f"{prefix}{name}": value for name, value in numbers.items()})


def _scalars(folder: Path) -> Iterator[tuple[str, int, float]]:
    """Name, step and value, in the order of time; TensorFlow 2 keeps scalars as tensors."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events: Any = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    try:
        events.Reload()
        tags = events.Tags()
    except Exception as error:  # the package raises whatever a damaged file makes it meet
        raise ValueError(f"the event files of {str(folder)!r} cannot be read ({error})") from error
    for tag in tags["scalars"]:
        yield from ((tag, one.step, one.value) for one in events.Scalars(tag))
    for tag in tags["tensors"]:
        for one in events.Tensors(tag):
            array = make_ndarray(one.tensor_proto)
            if array.size == 1 and array.dtype.kind in "fiu":
                yield tag, one.step, float(array.reshape(()))
