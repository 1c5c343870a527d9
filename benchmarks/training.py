"""Epochs per second of the training loop, beside the plainest hand-written torch loop and skorch, on the same model.

    python benchmarks/training.py [--quick] [--json] [--threads 1]

Each round runs all three one after another, so that a busy machine slows all of them; the ratio is the median over
rounds of ours / plain. The goal is 0.95 or more, and less than a millisecond for what an epoch costs beside its steps.
skorch is passed over where it is not installed.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from figures import Figure, conclude, parser, tell_machine
from torch import nn
from torch.nn import functional

from pegbox.schemas.arrays import Part, Splits
from pegbox.schemas.data import PreparedData
from pegbox.schemas.train import TorchTrain
from pegbox.schemas.trial import Segment
from pegbox.training.torch_trainer import TorchTrainer

N_FEATURES, N_CLASSES = 20, 10


class Case(NamedTuple):
    """One size of data and model."""

    rows: int
    batch_size: int
    units: int
    epochs: int
    optimizer: str = "adamw"


CASES = (
    Case(1_000, 32, 32, 20),
    Case(1_000, 32, 32, 20, "sgd"),
    Case(5_000, 64, 256, 8),
    Case(5_000, 64, 256, 8, "sgd"),
    Case(20_000, 256, 512, 2),
)
QUICK_CASES = (Case(1_000, 32, 32, 5), Case(2_000, 64, 256, 3, "sgd"))


def make_data(case: Case) -> Splits:
    rng = np.random.default_rng(0)

    def part(n_rows: int) -> Part:
        numeric = rng.standard_normal((n_rows, N_FEATURES)).astype(np.float32)
        target = np.abs(numeric[:, 0] * 3).astype(np.int64) % N_CLASSES
        return Part(numeric, np.zeros((n_rows, 0), np.int64), target)

    sizes = {"train": case.rows, "valid": case.rows // 4}
    info = PreparedData(
        path=Path(),
        fingerprint=f"benchmark-{case.rows}",
        task="classification",
        n_folds=1,
        n_rows=sizes,
        numeric=tuple(f"x{column}" for column in range(N_FEATURES)),
        classes=tuple(map(str, range(N_CLASSES))),
    )
    return Splits(info=info, train=part(sizes["train"]), valid=part(sizes["valid"]))


def make_model(case: Case) -> nn.Module:
    return nn.Sequential(
        nn.Linear(N_FEATURES, case.units),
        nn.ReLU(),
        nn.Linear(case.units, case.units),
        nn.ReLU(),
        nn.Linear(case.units, N_CLASSES),
    )


def plain(case: Case, data: Splits) -> float:
    """The loop that anybody writes: index a batch, step, and measure the validation part after each epoch."""
    inputs, target = torch.tensor(data.train.numeric), torch.tensor(data.train.target)
    valid_inputs, valid_target = torch.tensor(data.valid.numeric), torch.tensor(data.valid.target)
    model = make_model(case)
    optimizer: torch.optim.Optimizer
    if case.optimizer == "adamw":
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    started = time.perf_counter()
    for _ in range(case.epochs):
        model.train()
        total = 0.0
        order = torch.randperm(len(inputs))
        for start in range(0, len(inputs), case.batch_size):
            rows = order[start : start + case.batch_size]
            loss = functional.cross_entropy(model(inputs[rows]), target[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        model.eval()
        with torch.no_grad():
            outputs = model(valid_inputs)
            functional.cross_entropy(outputs, valid_target).item()
            (outputs.argmax(dim=1) == valid_target).float().mean().item()
    return case.epochs / (time.perf_counter() - started)


def ours(case: Case, data: Splits) -> float:
    """A whole segment as a worker trains it, its checkpoint written too."""
    segment = Segment(
        study="benchmark",
        trial=0,
        configuration={"batch_size": case.batch_size, "units": case.units, "optimizer": case.optimizer},
        seed=0,
        to_budget=case.epochs,
        train=TorchTrain(kind="mlp", epochs=case.epochs),
        code="",
    )
    with tempfile.TemporaryDirectory() as directory:
        trained = TorchTrainer().train(segment, data, Path(directory), lambda step, metrics: None)
    return case.epochs / trained.seconds


def skorch(case: Case, data: Splits) -> float:
    from skorch import NeuralNetClassifier
    from skorch.dataset import Dataset
    from skorch.helper import predefined_split

    net = NeuralNetClassifier(
        make_model(case),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW if case.optimizer == "adamw" else torch.optim.SGD,
        lr=1e-3,
        batch_size=case.batch_size,
        max_epochs=case.epochs,
        iterator_train__shuffle=True,
        train_split=predefined_split(Dataset(data.valid.numeric, data.valid.target)),
        verbose=0,
        **({} if case.optimizer == "adamw" else {"optimizer__momentum": 0.9}),
    )
    net.initialize()
    started = time.perf_counter()
    net.partial_fit(data.train.numeric, data.train.target)
    return case.epochs / (time.perf_counter() - started)


def compare(case: Case, rounds: int) -> dict[str, float | str | None]:
    data = make_data(case)
    loops: dict[str, Callable[[Case, Splits], float]] = {"plain": plain, "ours": ours}
    if find_spec("skorch"):
        loops["skorch"] = skorch
    for loop in loops.values():
        # Once of each before the clock runs: the first call loads and compiles.
        loop(case._replace(epochs=1), data)
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(rounds):
        for name, loop in loops.items():
            speeds[name].append(loop(case, data))
    # Round by round, so that both of a ratio saw the same machine.
    ratios = [our / their for our, their in zip(speeds["ours"], speeds["plain"], strict=True)]
    return {
        "case": f"{case.rows} rows, batch {case.batch_size}, {case.units} units, {case.optimizer}",
        **{name: statistics.median(values) for name, values in speeds.items()},
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
    }


def epoch_overhead_ms(rounds: int) -> float:
    """What an epoch costs beside its steps: an epoch of one step on eight rows, less the step itself."""
    # One step an epoch: whatever an epoch costs beside it is seen best where there is least to train.
    case = Case(rows=8, batch_size=8, units=8, epochs=200)
    data = make_data(case)
    ours(case, data)
    model, inputs, target = make_model(case), torch.tensor(data.train.numeric), torch.tensor(data.train.target)
    # Fused, as the training loop has it; another kernel would count as overhead.
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    differences = []
    for _ in range(rounds):
        started = time.process_time()  # CPU time: a busy machine must not look like overhead
        ours(case, data)
        epoch = (time.process_time() - started) / case.epochs
        started = time.process_time()
        for _ in range(case.epochs):
            optimizer.zero_grad()
            functional.cross_entropy(model(inputs), target).backward()
            optimizer.step()
        differences.append(epoch - (time.process_time() - started) / case.epochs)
    return 1000 * statistics.median(differences)


def main() -> int:
    arguments = parser(__doc__, "two small cases, three rounds")
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    tell_machine("torch", "skorch")
    torch.set_num_threads(options.threads)
    rounds = 3 if options.quick else 7
    rows = [compare(case, rounds) for case in (QUICK_CASES if options.quick else CASES)]
    overhead = epoch_overhead_ms(rounds)
    print(f"epochs per second, median of {rounds} rounds, {options.threads} thread(s)")
    print(f"{'':44} {'plain':>8} {'ours':>8} {'skorch':>8} {'ours/plain':>12}  (lowest to highest)")
    for row in rows:
        skorch_speed = f"{row['skorch']:8.1f}" if "skorch" in row else f"{'-':>8}"
        print(
            f"{row['case']:44} {row['plain']:8.1f} {row['ours']:8.1f} {skorch_speed} {row['ratio']:12.2f}  "
            f"({row['ratio_low']:.2f} to {row['ratio_high']:.2f})"
        )
    figures = [
        *(Figure(f"epochs a second, {row['case']}, to plain", row["ratio"], 1.0, at_most=False) for row in rows),
        Figure("an epoch beside its steps, ms", overhead),
    ]
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
