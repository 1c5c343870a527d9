"""A study that was never trained, written into a store as its driver and workers would have written it."""

import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pegbox.analysis.finalists import choose_finalists
from pegbox.analysis.selection import select_winner
from pegbox.schemas.decision import Continue, Start, Stop
from pegbox.schemas.events import (
    DecisionMade,
    Event,
    MetricsReported,
    RunEnded,
    RunStarted,
    SegmentStarted,
    SegmentTrained,
    SelectionMade,
    StudyOpened,
    TrialEvaluated,
    TrialFailed,
)
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.storage.ingest import ingest
from pegbox.storage.journal_lines import encode_line
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store

RUNGS = (3, 9, 27)
BEGAN = 1_764_000_000.0
SPACE: dict[str, Any] = {
    "lr": {"min": 1e-5, "max": 1e-1, "log": True},
    "batch_size": {"min": 32, "max": 512, "power_of_two": True},
    "units": {"min": 16, "max": 512, "int": True, "log": True},
    "layers": {"min": 1, "max": 5, "int": True},
    "dropout": {"min": 0.0, "max": 0.6},
    "weight_decay": {"min": 1e-6, "max": 1e-1, "log": True, "extra": [0.0]},
    "activation": ["relu", "gelu", "silu", "tanh"],
    "optimizer": ["adamw", "sgd"],
    "momentum": {"min": 0.0, "max": 0.99, "when": {"optimizer": "sgd"}},
    "patience": 5,
}
TRACEBACK = """Traceback (most recent call last):
  File "training/loop.py", line 88, in run_epoch
    loss = criterion(model(batch), target)
RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB (<b>GPU 0</b>; 15.7 GiB total)"""


class Simulation:
    """Four workers, three rungs, one trial after another; every number follows from the seed."""

    def __init__(self, name: str, n_trials: int, seed: int = 0, **changes: Any) -> None:
        self.spec = StudySpec.model_validate(
            {
                "name": name,
                "train": {"kind": "function", "function": "my_project.train:run", "epochs": 27},
                "space": SPACE,
                "objective": {"metric": "val_loss", "goal": "minimize"},
                "search": {"method": "bayes"},
                "fidelity": {"schedule": "asha", "min": 3, "max": 27, "factor": 3},
                "budget": {"trials": n_trials},
                "run": {"workers": 4},
                "finalists": {"top": 5, "seeds": 5},
                "tags": {"team": "vision"},
                **changes,
            }
        )
        self.n_trials = n_trials
        self.with_curves = True
        self._rng = np.random.default_rng(seed)
        self._free = [BEGAN + 2.0] * 4
        self._n_decisions = 0
        self._history = History(spec=self.spec, version=1)

    def events(self) -> Iterator[tuple[float, Event]]:
        """Every event with its time, the driver's in order."""
        yield BEGAN, StudyOpened(study=self.spec.name, spec=self.spec)
        yield BEGAN + 0.1, self._run_started("run-1", "4f1c2ad97b3e", "2.12.0")
        for number in range(self.n_trials):
            yield from self._trial(number)
        yield from self._finalists()

    def _run_started(self, run: str, commit: str, torch: str) -> RunStarted:
        return RunStarted(
            study=self.spec.name, run=run, host="gpu-1", pid=4711, git_commit=commit, git_dirty=False,
            data_fingerprint="9b1d6f0c52aa", versions={"python": "3.12.4", "torch": torch, "pegbox": "0.1.0"},
        )  # fmt: skip

    def _propose(self, number: int) -> dict[str, Any]:
        rng, focus = self._rng, min(0.75, number / 60)
        near = rng.random() < focus
        configuration: dict[str, Any] = {
            "lr": float(10 ** np.clip(rng.normal(-2.9, 0.35) if near else rng.uniform(-5, -1), -5, -1)),
            "batch_size": int(2 ** rng.integers(5, 10)),
            "units": round(2 ** float(np.clip(rng.normal(8.4, 0.5) if near else rng.uniform(4, 9), 4, 9))),
            "layers": int(rng.integers(1, 6)),
            "dropout": float(np.clip(rng.normal(0.2, 0.1) if near else rng.uniform(0, 0.6), 0, 0.6)),
            "weight_decay": 0.0 if rng.random() < 0.1 else float(10 ** rng.uniform(-6, -1)),
            "activation": ["relu", "gelu", "silu", "tanh"][rng.choice(4, p=[0.25, 0.4, 0.25, 0.1])],
            "optimizer": "adamw" if rng.random() < (0.8 if near else 0.5) else "sgd",
            "patience": 5,
        }
        if configuration["optimizer"] == "sgd":
            configuration["momentum"] = float(rng.uniform(0, 0.99))
        return configuration

    def _quality(self, c: dict[str, Any]) -> float:
        """The true loss after the last epoch."""
        loss = 0.19 + 0.022 * (math.log10(c["lr"]) + 2.9) ** 2 + 0.16 * (c["dropout"] - 0.18) ** 2
        loss += (
            0.0035 * (9 - math.log2(c["units"]))
            + {"relu": 0.002, "gelu": 0, "silu": 0.001, "tanh": 0.012}[c["activation"]]
        )
        if c["optimizer"] == "sgd":
            loss += 0.004 + 0.02 * (c["momentum"] - 0.9) ** 2 + 0.004 * (math.log10(c["lr"]) + 1.5) ** 2
        return loss

    def _trial(self, number: int) -> Iterator[tuple[float, Event]]:
        configuration = self._propose(number)
        final = self._quality(configuration) + self._rng.normal(0, 0.004)
        worker = int(np.argmin(self._free))
        at, budget, seconds = self._free[worker], 0, 0.0
        fails = configuration["units"] > 350 and configuration["batch_size"] >= 256 and self._rng.random() < 0.5
        for rung in RUNGS:
            step = (
                Start(configuration=configuration, to_budget=rung)
                if budget == 0
                else Continue(trial=number, to_budget=rung)
            )
            yield at, self._record(
                DecisionMade(
                    study=self.spec.name, number=self._n_decisions, saw=self._history.version,
                    elapsed_seconds=at - BEGAN, decision=step, trial=number, seed=number,
                )
            )  # fmt: skip
            self._n_decisions += 1
            segment = Segment(
                study=self.spec.name, trial=number, configuration=configuration, seed=number, from_budget=budget,
                to_budget=rung, train=self.spec.train, code="c0de",
            )  # fmt: skip
            yield at + 0.01, self._record(SegmentStarted(study=self.spec.name, run="run-1", segment=segment))
            cost = (rung - budget) * (0.15 + configuration["units"] / 600 + 8 / configuration["batch_size"])
            cost *= float(self._rng.uniform(0.9, 1.1))
            if fails:
                at += cost / 2
                kind, message = FailureKind.OUT_OF_MEMORY, "CUDA out of memory: the batch does not fit."
                if self._rng.random() < 0.3:
                    kind, message = FailureKind.DIVERGED, "val_loss is NaN at epoch 2."
                failure = Failure(kind=kind, message=message, traceback=TRACEBACK)
                yield (
                    at,
                    self._record(
                        TrialFailed(study=self.spec.name, trial=number, attempt=1, failure=failure, final=True)
                    ),
                )
                break
            reports = [self._report(number, epoch, final, configuration) for epoch in range(budget + 1, rung + 1)]
            for count, report in enumerate(reports if self.with_curves else ()):
                yield at + cost * (count + 1) / len(reports), report
            at += cost
            seconds += cost
            value = reports[-1].metrics["val_loss"]
            is_hopeless = rung < 27 and value > self._bar(rung)
            state = TrialState.COMPLETED if rung == 27 else TrialState.PAUSED
            trained = TrainedSegment(budget=rung, seconds=cost, worker=f"gpu-1:{4800 + worker}", started_at=at - cost)
            yield at, self._record(
                SegmentTrained(
                    study=self.spec.name, trial=number, attempt=1, from_budget=budget, to_budget=rung, fold=0,
                    seed=number, trained=trained,
                )
            )  # fmt: skip
            metrics = {
                **reports[-1].metrics,
                "latency_ms": 0.4 + configuration["units"] / 300 * configuration["layers"] / 3,
            }
            yield at, self._record(
                TrialEvaluated(
                    study=self.spec.name, trial=number, state=state,
                    evaluation=Evaluation(budget=rung, metrics=metrics, seconds=seconds),
                )
            )  # fmt: skip
            budget = rung
            if is_hopeless:
                yield at, self._record(
                    DecisionMade(
                        study=self.spec.name, number=self._n_decisions, saw=self._history.version,
                        elapsed_seconds=at - BEGAN, decision=Stop(trial=number), trial=number, seed=number,
                    )
                )  # fmt: skip
                self._n_decisions += 1
                break
        self._free[worker] = at + float(self._rng.uniform(0.05, 0.6))

    def _bar(self, rung: int) -> float:
        return {3: 0.44, 9: 0.262}[rung]

    def _report(self, number: int, epoch: int, final: float, configuration: dict[str, Any]) -> MetricsReported:
        speed = 0.22 + 0.05 * math.tanh(math.log10(configuration["lr"]) + 3)
        value = final + (0.62 - final) * math.exp(-speed * epoch) + float(self._rng.normal(0, 0.0025))
        return MetricsReported(
            study=self.spec.name, trial=number, attempt=1, fold=0, seed=number, step=epoch,
            metrics={"val_loss": value, "train_loss": value * 0.93, "val_accuracy": 1 - value * 0.9},
        )  # fmt: skip

    def _finalists(self) -> Iterator[tuple[float, Event]]:
        at = max(self._free)
        for trial in choose_finalists(self._history):
            for seed in range(5):
                value = self._quality(dict(trial.configuration)) + float(self._rng.normal(0, 0.004))
                metrics = {**trial.evaluations[-1].metrics, "val_loss": value, "val_accuracy": 1 - value * 0.9}
                evaluation = Evaluation(budget=27, metrics=metrics, seconds=9.0, replicate=seed)
                at += 2.5
                yield (
                    at,
                    self._record(
                        TrialEvaluated(
                            study=self.spec.name, trial=trial.number, state=trial.state, evaluation=evaluation
                        )
                    ),
                )
        selection = select_winner(self._history)
        tested = selection.model_copy(
            update={"test_metrics": {"test_loss": selection.best.mean + 0.003, "test_accuracy": 0.923}}
        )
        yield at, self._record(SelectionMade(study=self.spec.name, run="run-1", selection=tested))
        yield at + 1, RunEnded(study=self.spec.name, run="run-1", status="completed")

    def _record(self, event: Event) -> Event:
        self._history = self._history.after(event)
        return event


def write_simulation(root: Path, simulation: Simulation) -> StoreLayout:
    """Write the simulated study into a store and publish it."""
    store = open_store(root)
    version = seq = 0
    driver, worker = [], []
    for at, event in simulation.events():
        if isinstance(event, MetricsReported):
            worker.append(encode_line(event, len(worker) + 1, at))
            continue
        version, seq = version + 1, seq + 1
        driver.append(encode_line(event, seq, at, version))
    stem = f"20251124T000000-{{}}-gpu-1-{zlib.crc32(simulation.spec.name.encode()) % 10000}-{version:08x}.jsonl"
    (store.journal / stem.format("worker")).write_bytes(b"".join(worker))
    (store.journal / stem.format("driver")).write_bytes(b"".join(driver))
    ingest(store, wait=True, force=True)
    return store
