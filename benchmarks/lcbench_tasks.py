"""LCBench as functions: what a network would reach at an epoch, answered by the surrogate of YAHPO Gym."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

Array = npt.NDArray[np.float64]

# The last that the surrogate answers for; Zimmer et al. 2021 trained no longer.
EPOCHS = 52
DEV = ("3945", "34539", "126026", "146212", "167149", "167168", "167190", "168330", "168908", "189866")
"""Tasks to develop on; all others are kept for judging."""
SPACE: dict[str, dict[str, Any]] = {
    "batch_size": {"min": 16, "max": 512, "int": True, "log": True},
    "learning_rate": {"min": 1e-4, "max": 1e-1, "log": True},
    "momentum": {"min": 0.1, "max": 0.99},
    "weight_decay": {"min": 1e-5, "max": 1e-1},
    "num_layers": {"min": 1, "max": 5, "int": True},
    "max_units": {"min": 64, "max": 1024, "int": True, "log": True},
    "max_dropout": {"min": 0.0, "max": 1.0},
}
LOG_SPACE = SPACE | {"weight_decay": {"min": 1e-5, "max": 1e-1, "log": True}}
"""The same with weight decay told by its magnitude, as LCBench's own space does not."""
NAMES = tuple(SPACE)


def kept(data: Path) -> tuple[str, ...]:
    """The tasks of the surrogate that nothing was chosen on."""
    # Numbers only: the surrogate has a code for a task that it was not told, too.
    return tuple(task for task in _codes(data) if task.isdigit() and task not in DEV)


def _codes(data: Path) -> dict[str, int]:
    """The surrogate's own number of each task."""
    codes: dict[str, int] = json.loads((data / "lcbench_encoding.json").read_text())["OpenML_task_id"]
    return codes


class LCBench:
    """One OpenML task.

    Source: Zimmer et al. 2021 (LCBench); Pfisterer et al. 2022 (the surrogate).
    """

    def __init__(self, data: Path, task: str, interior: bool = False, nights: int = 0) -> None:
        """A task.

        Args:
            data: Folder of the surrogate.
            task: Its OpenML number.
            interior: Move the best inside.
            nights: How many nights ago it is asked, of the interior variant alone: the best moves from night to night.
        """
        self.task = task
        self._shift = nights * drift(task)
        self._session = _session(data)
        self._code = _codes(data)[task]
        self._interior = interior
        self._input_names = [entry.name for entry in self._session.get_inputs()]
        self.best, self.median = self._reference(data / "lcbench_best.json")

    def curve(self, configuration: dict[str, float]) -> tuple[Array, Array]:
        """Validation accuracy in percent at epochs 1..52, and the seconds from the start to there; shapes (52,)."""
        row = np.array([configuration[name] for name in NAMES], dtype=float)
        answers = self._answers(np.repeat(row[None], EPOCHS, axis=0), np.arange(1, EPOCHS + 1))
        # Time never runs backwards, though two answers of the surrogate may.
        return answers[:, 1], np.maximum.accumulate(answers[:, 0])

    def regret(self, accuracy: float) -> float:
        """0 for the best that is known, 1 for a median random configuration."""
        return (self.best - accuracy) / (self.best - self.median)

    def _answers(self, rows: Array, epochs: Array) -> Array:
        numbers = np.empty((len(rows), 8), dtype=np.float32)
        numbers[:, 0], numbers[:, 1:] = epochs, inside(rows, self._shift) if self._interior else rows
        codes = np.full((len(rows), 1), self._code, dtype=np.int32)
        names = self._input_names
        answers = np.asarray(self._session.run(None, {names[0]: codes, names[1]: numbers})[0], dtype=float)
        # A network answers, and it extrapolates: accuracies beyond 100 % and negative seconds do occur.
        answers[:, 1] = np.clip(answers[:, 1], 0, 100)
        answers[:, 0] = np.maximum(answers[:, 0], 1e-3)
        return answers

    def _reference(self, known: Path) -> tuple[float, float]:
        """Best and median accuracy after all epochs; measured once by a wide search where no file tells them."""
        entry = json.loads(known.read_text()).get(self.task) if known.exists() else None
        if entry:
            return entry["best"], entry["median"]
        rng = np.random.default_rng(0)
        # Wide first, then 40 generations around the best fifty with steps that shrink; picked by hand, and not always
        # enough: on task 168908 a method found more (benchmarks/README.md).
        units = rng.random((20_000, len(NAMES)))
        values = self._answers(natural(units), np.full(len(units), EPOCHS))[:, 1]
        median, width = float(np.median(values)), 0.2
        for _ in range(40):
            top = np.argsort(-values)[:50]
            units = np.vstack(
                [units[top], np.clip(np.repeat(units[top], 20, axis=0) + rng.normal(0, width, (1000, 7)), 0, 1)]
            )
            values = self._answers(natural(units), np.full(len(units), EPOCHS))[:, 1]
            width *= 0.9
        return float(values.max()), median


def natural(units: Array, space: Mapping[str, Mapping[str, Any]] = SPACE) -> Array:
    """Rows of the unit cube in the units of the parameters, shape (n, 7)."""
    columns = []
    for column, domain in zip(units.T, space.values(), strict=True):
        low, high = float(domain["min"]), float(domain["max"])
        value = low * (high / low) ** column if domain.get("log") else low + column * (high - low)
        columns.append(np.rint(value) if domain.get("int") else value)
    return np.column_stack(columns)


def drift(task: str) -> Array:
    """How far the best of a task moves in a night, in shares of the original range, shape (7,).

    Slowly, as data change from day to day: 0.03 along each parameter, towards one end or the other.
    """
    return np.asarray(0.03 * np.random.default_rng(int(task)).choice([-1.0, 1.0], len(NAMES)))


def inside(rows: Array, shift: Array) -> Array:
    """The interior variant: each range goes on beyond both of its ends, where the answers turn round smoothly.

    A unit of [0, 1] stands for x of [-1/4, 5/4] of the original range, and x is answered as sin²(πx/2): the original
    ends, where most of the best lie, are turning points inside of the range. A shift of x, shape (7,), moves them.
    """
    columns = []
    for column, moved, domain in zip(rows.T, shift, LOG_SPACE.values(), strict=True):
        low, high = float(domain["min"]), float(domain["max"])
        unit = np.log(column / low) / np.log(high / low) if domain.get("log") else (column - low) / (high - low)
        columns.append(np.sin(np.pi / 2 * (1.5 * unit - 0.25 + moved)) ** 2)
    return natural(np.column_stack(columns), LOG_SPACE)


_SESSIONS: dict[Path, onnxruntime.InferenceSession] = {}


def _session(data: Path) -> onnxruntime.InferenceSession:
    if data not in _SESSIONS:
        options = onnxruntime.SessionOptions()
        # One thread, as for everything else here: the answers are small, and threads would only wait for each other.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = str(data / "lcbench_model.onnx")
        _SESSIONS[data] = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return _SESSIONS[data]
