"""What training does on a GPU: its speed beside a plain loop, stacks, exact continuation, faults, and a shared card.

    python benchmarks/gpu.py [--quick] [--json] [--device cuda|cpu]

Needs `training/`, `execution/` and `schemas/` alone, so that it runs where neither Prefect nor DuckDB is installed.
Without a GPU it says "not run"; `--device cpu` runs the same on the CPU, so that the script itself is known to work.
The ratio of epochs is held to 0.9 of the plain loop; a continuation that is not exact, and a fault that costs another
trial, are missed bars.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
import torch
from figures import Figure, conclude, parser, tell_machine
from torch.nn import functional

from pegbox.execution.pool import WorkerPool
from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.data import PreparedData
from pegbox.schemas.errors import TrialError
from pegbox.schemas.train import TorchTrain
from pegbox.schemas.trial import Segment
from pegbox.training.stacked_trainer import train_together
from pegbox.training.torch_learners import table_learner
from pegbox.training.torch_trainer import TorchTrainer

N_CLASSES, SIDE = 10, 8
"""Classes, and pixels along an image of 8 × 8, which a table and a sequence have as 64 numbers."""
SAME_SPEED = 0.9
"""Least share of the plain loop's epochs per second; both are one run of a few seconds."""


class Case(NamedTuple):
    """One model and size of data."""

    kind: str
    rows: int
    batch_size: int
    epochs: int
    configuration: dict[str, Any]


CASES = (
    Case("mlp", 20_000, 256, 20, {"units": 512, "layers": 3}),
    Case("cnn", 20_000, 256, 10, {"channels": 32}),
    Case("transformer", 5_000, 256, 5, {}),
)
QUICK_CASES = tuple(one._replace(rows=1_000, batch_size=128, epochs=2) for one in CASES)
STACKS, QUICK_STACKS = (1, 4, 16, 64, 256), (1, 4)


def make_data(case: Case) -> Splits:
    rows, is_sequence = case.rows, case.kind == "transformer"
    rng = np.random.default_rng(0)

    def part(n_rows: int) -> Part:
        numeric = rng.standard_normal((n_rows, SIDE * SIDE)).astype(np.float32)
        target = np.abs(numeric[:, 0] * 3).astype(np.int64) % N_CLASSES
        return Part(numeric, np.zeros((n_rows, 0), np.int64), target)

    info = PreparedData(
        path=Path(),
        fingerprint=f"gpu-{rows}-{is_sequence}",
        task="classification",
        n_folds=1,
        n_rows={"train": rows, "valid": rows // 4},
        numeric=tuple(f"x{column}" for column in range(SIDE * SIDE)),
        classes=tuple(map(str, range(N_CLASSES))),
        shape=(SIDE, SIDE) if is_sequence else (1, SIDE, SIDE),
    )
    return Splits(info=info, train=part(rows), valid=part(rows // 4))


def segment_of(case: Case, device: str, *, number: int = 0, **changes: Any) -> Segment:
    return Segment.model_validate(
        {
            "study": "gpu",
            "trial": number,
            "configuration": {"batch_size": case.batch_size, **case.configuration},
            "seed": number,
            "to_budget": case.epochs,
            "train": TorchTrain.model_validate({"kind": case.kind, "epochs": case.epochs, "device": device}),
            "code": "",
            **changes,
        }
    )


def train(segment: Segment, data: Splits, directory: Path) -> Any:
    return TorchTrainer().train(segment, data, directory, lambda step, metrics: None)


def settle(device: str) -> None:
    """Wait for the GPU: its kernels run after the calls that ask for them have come back."""
    if device == "cuda":
        torch.cuda.synchronize()


def plain_speed(case: Case, data: Splits, device: str) -> float:
    """Epochs per second of the loop that anybody writes, on the same model."""
    model = table_learner(segment_of(case, device), data).model
    inputs, target = (torch.tensor(one, device=device) for one in (data.train.numeric, data.train.target))
    seen, truth = (torch.tensor(one, device=device) for one in (data.valid.numeric, data.valid.target))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    settle(device)
    started = time.perf_counter()
    for _ in range(case.epochs):
        model.train()
        order = torch.randperm(len(inputs), device=device)
        for rows in order.split(case.batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(model(inputs[rows]), target[rows]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            outputs = torch.cat([model(rows) for rows in seen.split(1024)])
            functional.cross_entropy(outputs, truth).item()
    settle(device)
    return case.epochs / (time.perf_counter() - started)


def our_speed(case: Case, data: Splits, device: str) -> float:
    """Epochs per second of a whole segment, its checkpoint written too."""
    with tempfile.TemporaryDirectory() as name:
        return case.epochs / float(train(segment_of(case, device), data, Path(name)).seconds)


def compare_loops(cases: tuple[Case, ...], device: str, rounds: int) -> list[Figure]:
    figures = []
    for case in cases:
        data = make_data(case)
        loops: tuple[Callable[..., float], ...] = (plain_speed, our_speed)
        for loop in loops:
            loop(case._replace(epochs=1), data, device)  # compiles kernels and fills caches
        speeds = [[loop(case, data, device) for loop in loops] for _ in range(rounds)]
        plain, ours = (statistics.median(column) for column in zip(*speeds, strict=True))
        print(f"{case.kind:12} plain {plain:8.2f} epochs/s   ours {ours:8.2f}")
        ratio = statistics.median(our / their for their, our in speeds)
        figures.append(Figure(f"{case.kind}, epochs to a plain loop", ratio, SAME_SPEED, at_most=False))
    return figures


def train_all(segments: list[Segment], data: Splits, directory: Path) -> None:
    """As one stack, or alone where there is one."""
    if len(segments) == 1:
        train(segments[0], data, directory)
    else:
        train_together(segments, data, directory, [lambda step, metrics: None] * len(segments))


def compare_stacks(sizes: tuple[int, ...], device: str) -> list[Figure]:
    """Trials per second of stacks; that of one alone is the first row."""
    case, figures = Case("mlp", 1_000, 64, 2, {"units": 64}), []
    data = make_data(case)
    alone = 0.0
    for size in sizes:
        segments = [segment_of(case, device, number=number) for number in range(size)]
        with tempfile.TemporaryDirectory() as name:
            train_all(segments[:2], data, Path(name))  # compiles kernels and fills caches
            settle(device)
            started = time.perf_counter()
            train_all(segments, data, Path(name))
            settle(device)
        speed = size / (time.perf_counter() - started)
        alone = alone or speed
        print(f"stack of {size:4}  {speed:8.2f} trials/s   {speed / alone:6.2f} times one")
        figures.append(Figure(f"stack of {size}, trials to one at a time", speed / alone))
    return figures


def check_continuation(cases: tuple[Case, ...], device: str) -> list[Figure]:
    """Largest difference of a weight between a training in one piece and one that was continued."""
    figures = []
    for case in cases:
        half = case._replace(rows=1_000, epochs=4)
        data = make_data(half)
        with tempfile.TemporaryDirectory() as name:
            whole = train(segment_of(half, device), data, Path(name) / "whole")
            first = train(segment_of(half, device, to_budget=2), data, Path(name) / "parts")
            rest = segment_of(half, device, from_budget=2, checkpoint=first.checkpoint)
            parts = train(rest, data, Path(name) / "parts")
            weights = [torch.load(one.checkpoint, weights_only=True)["model"] for one in (whole, parts)]
        worst = max(float((weights[0][key] - weights[1][key]).abs().max()) for key in weights[0])
        figures.append(Figure(f"{case.kind}, continued: largest difference", worst, 0.0))
    return figures


def use_device(device: str) -> float:
    """What a healthy trial does."""
    return float(torch.ones(64, 64, device=device).matmul(torch.ones(64, 64, device=device))[0, 0])


def run_out_of_memory(device: str) -> None:
    """More than any card, or machine, has."""
    torch.ones(2**50, device=device)


def break_context(device: str) -> None:
    """An index beyond a table: on a GPU an assert of the device, after which its context is lost."""
    table, beyond = torch.zeros(4, device=device), torch.tensor([10], device=device)
    functional.embedding(beyond, table[:, None])
    settle(device)


def check_faults(device: str) -> list[Figure]:
    """Trials that were lost beside the one at fault, and whether each fault was told as what it is."""
    figures = []
    with WorkerPool(1) as pool:
        for name, fault in (("out of memory", run_out_of_memory), ("device-side assert", break_context)):
            told = ""
            try:
                pool.run(fault, device)
            except TrialError as error:
                told = error.failure.kind.value
            lost = sum(pool.run(use_device, device) != 64.0 for _ in range(2))
            print(f"{name}: told as {told or 'nothing'}, {lost} of 2 trials after it lost")
            figures.append(Figure(f"trials lost to another's {name}", float(lost + (not told)), 0.0))
    return figures


def train_once(case: Case, device: str, number: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        return float(train(segment_of(case, device, number=number), make_data(case), Path(name)).seconds)


def share_card(case: Case, device: str) -> list[Figure]:
    """Segments per second of two workers beside one, on one card."""
    speeds = []
    for workers in (1, 2):
        with WorkerPool(workers) as pool:
            pool.warm()
            warm_up = partial(pool.run, train_once, case._replace(epochs=1), device, 0)
            threads = [Thread(target=warm_up) for _ in range(workers)]
            seconds = _together(threads)
            threads = [Thread(target=pool.run, args=(train_once, case, device, number)) for number in range(4)]
            seconds = _together(threads)
            speeds.append(len(threads) / seconds)
    print(f"one worker {speeds[0]:.2f} segments/s, two {speeds[1]:.2f}")
    return [Figure("two workers on one device, to one", speeds[1] / speeds[0])]


def _together(threads: list[Thread]) -> float:
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def main() -> int:
    arguments = parser(__doc__, "small data, two sizes of stacks, one round")
    arguments.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options = arguments.parse_args()
    tell_machine("torch")
    if options.device == "cuda" and not torch.cuda.is_available():
        print("not run: torch sees no GPU here.")
        return 0
    print(torch.cuda.get_device_name() if options.device == "cuda" else "the CPU, which says nothing about a GPU")
    cases, sizes = (QUICK_CASES, QUICK_STACKS) if options.quick else (CASES, STACKS)
    figures = [
        *compare_loops(cases, options.device, 1 if options.quick else 3),
        *compare_stacks(sizes, options.device),
        *check_continuation(cases, options.device),
        *check_faults(options.device),
        *share_card(cases[0], options.device),
    ]
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
