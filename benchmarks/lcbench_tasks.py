"""LCBench as functions: what a network would reach at an epoch, answered by the surrogate of YAHPO Gym."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

Array = npt.NDArray[np.float64]

EPOCHS = 52
DEV = ("3945", "34539", "126026", "146212", "167149", "167168", "167190", "168330", "168908", "189866")
"""Tasks to develop on; all others are kept for judging."""
SPACE = {
    "batch_size": {"min": 16, "max": 512, "int": True, "log": True},
    "learning_rate": {"min": 1e-4, "max": 1e-1, "log": True},
    "momentum": {"min": 0.1, "max": 0.99},
    "weight_decay": {"min": 1e-5, "max": 1e-1},
    "num_layers": {"min": 1, "max": 5, "int": True},
    "max_units": {"min": 64, "max": 1024, "int": True, "log": True},
    "max_dropout": {"min": 0.0, "max": 1.0},
}
NAMES = tuple(SPACE)


class LCBench:
    """One OpenML task.

    Source: Zimmer et al. 2021 (LCBench); Pfisterer et al. 2022 (the surrogate).
    """

    def __init__(self, data: Path, task: str, interior: bool = False) -> None:
        self.task = task
        self._session = _session(data)
        self._code = json.loads((data / "lcbench_encoding.json").read_text())["OpenML_task_id"][task]
        self._interior = interior
        self._input_names = [entry.name for entry in self._session.get_inputs()]
        self.best, self.median = self._reference(data / "lcbench_best.json")

    def curve(self, configuration: dict[str, float]) -> tuple[Array, Array]:
        """Validation accuracy in percent at epochs 1..52, and the seconds from the start to there; shapes (52,)."""
        row = np.array([configuration[name] for name in NAMES], dtype=float)
        answers = self._answers(np.repeat(row[None], EPOCHS, axis=0), np.arange(1, EPOCHS + 1))
        return answers[:, 1], np.maximum.accumulate(answers[:, 0])

    def regret(self, accuracy: float) -> float:
        """0 for the best that is known, 1 for a median random configuration."""
        return (self.best - accuracy) / (self.best - self.median)

    def _answers(self, rows: Array, epochs: Array) -> Array:
        numbers = np.empty((len(rows), 8), dtype=np.float32)
        numbers[:, 0], numbers[:, 1:] = epochs, inside(rows) if self._interior else rows
        codes = np.full((len(rows), 1), self._code, dtype=np.int32)
        names = self._input_names
        answers = np.asarray(self._session.run(None, {names[0]: codes, names[1]: numbers})[0], dtype=float)
        answers[:, 1] = np.clip(answers[:, 1], 0, 100)
        answers[:, 0] = np.maximum(answers[:, 0], 1e-3)
        return answers

    def _reference(self, known: Path) -> tuple[float, float]:
        """Best and median accuracy after all epochs; measured once by a wide search where no file tells them."""
        if known.exists():
            entry = json.loads(known.read_text())[self.task]
            return entry["best"], entry["median"]
        rng = np.random.default_rng(0)
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


def natural(units: Array) -> Array:
    """Rows of the unit cube in the units of the parameters, shape (n, 7)."""
    columns = []
    for column, domain in zip(units.T, SPACE.values(), strict=True):
        low, high = float(domain["min"]), float(domain["max"])
        value = low * (high / low) ** column if domain.get("log") else low + column * (high - low)
        columns.append(np.rint(value) if domain.get("int") else value)
    return np.column_stack(columns)


def inside(rows: Array) -> Array:
    """The interior variant: what is beyond 3/4 of a range is answered as its mirror image, so no best lies at a bound.

    The ranges are walked from 0 to 1 as 0.25 -> 0 ... -> 1 -> 0.75: each end of the original is an interior point.
    """
    folded = []
    for column, domain in zip(rows.T, SPACE.values(), strict=True):
        low, high, log = float(domain["min"]), float(domain["max"]), bool(domain.get("log"))
        unit = np.log(column / low) / np.log(high / low) if log else (column - low) / (high - low)
        unit = np.clip(np.abs(unit * 1.5 - 0.25), 0, None)
        unit = np.where(unit > 1, 2 - unit, unit)
        value = low * (high / low) ** unit if log else low + unit * (high - low)
        folded.append(np.rint(value) if domain.get("int") else value)
    return np.column_stack(folded)


_SESSIONS: dict[Path, onnxruntime.InferenceSession] = {}


def _session(data: Path) -> onnxruntime.InferenceSession:
    if data not in _SESSIONS:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = str(data / "lcbench_model.onnx")
        _SESSIONS[data] = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return _SESSIONS[data]
