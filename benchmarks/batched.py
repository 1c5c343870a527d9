"""Trials per second of networks that train together in one process, beside the same trials one after another.

    python benchmarks/batched.py [--quick] [--json] [--models 32] [--flow]

Both use one thread, as a worker does beside others, so the ratio is what a worker gains; all trials of a row have one
shape and their own learning rate, decay, dropout and seed. The goal is 3 or more at up to 64 units and batches of
32 to 64; where the ratio is below 1, training together does not pay. `--flow` runs a whole study on two workers
instead, with `run.batch: auto` and without, from the first trial to the last one of the search.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from figures import Figure, conclude, parser, tell_machine
from training import Case, make_data  # noqa: TID251 - the benchmark beside this one, not the room

from pegbox.schemas.arrays import Splits
from pegbox.schemas.train import TorchTrain
from pegbox.schemas.trial import Segment
from pegbox.storage.history_file import open_history
from pegbox.training.stacked_trainer import train_together
from pegbox.training.torch_trainer import TorchTrainer


class Row(NamedTuple):
    """One shape of network."""

    units: int
    batch_size: int


ROWS = tuple(Row(units, batch_size) for units in (16, 32, 64, 128, 256) for batch_size in (32, 64))
QUICK_ROWS = (Row(32, 32), Row(64, 32))
EPOCHS, N_TRAINING_ROWS = 2, 1_000


def make_segments(row: Row, n_models: int) -> list[Segment]:
    rng = np.random.default_rng(0)
    return [
        Segment(
            study="benchmark",
            trial=number,
            configuration={
                "units": row.units,
                "batch_size": row.batch_size,
                "lr": float(10 ** rng.uniform(-4, -2)),
                "weight_decay": float(10 ** rng.uniform(-5, -2)),
                "dropout": float(rng.uniform(0.0, 0.5)),
            },
            seed=number,
            to_budget=EPOCHS,
            train=TorchTrain(kind="mlp", epochs=EPOCHS),
            code="",
        )
        for number in range(n_models)
    ]


def alone(segments: list[Segment], data: Splits, directory: Path) -> None:
    for segment in segments:
        TorchTrainer().train(segment, data, directory, lambda step, metrics: None)


def together(segments: list[Segment], data: Splits, directory: Path) -> None:
    train_together(segments, data, directory, [lambda step, metrics: None] * len(segments))


def compare(row: Row, n_models: int, rounds: int) -> dict[str, float]:
    data, segments = make_data(Case(N_TRAINING_ROWS, row.batch_size, row.units, EPOCHS)), make_segments(row, n_models)
    speeds: dict[str, list[float]] = {"alone": [], "together": []}
    with tempfile.TemporaryDirectory() as name:
        # Once of each before the clock runs: the first call loads, compiles and fills caches.
        alone(segments[:1], data, Path(name))
        together(segments[:2], data, Path(name))
        for _ in range(rounds):
            for loop in (alone, together):
                # CPU time: both run on one thread, and a busy machine must not decide which is faster.
                started = time.process_time()
                loop(segments, data, Path(name))
                speeds[loop.__name__].append(n_models / (time.process_time() - started))
    ratios = [both / one for both, one in zip(speeds["together"], speeds["alone"], strict=True)]
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    return {**row._asdict(), **medians, "ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}


STUDY = """
name: batched
data: {{source: "sklearn:digits", target: target, split: {{test: 0.2, valid: 0.2}}}}
train: {{kind: mlp, task: classification, epochs: 20}}
space:
  lr: {{min: 1e-4, max: 1e-1, log: true}}
  units: {{min: 16, max: 64, int: true}}
  dropout: {{min: 0.0, max: 0.4}}
  batch_size: 32
objective: {{metric: val_loss}}
search: {{method: random}}
budget: {{trials: {trials}}}
run: {{workers: 2, threads: 1{batch}}}
finalists: {{top: 1, seeds: 1}}
"""


def of_flow(trials: int, batch: str) -> float:
    """Trials per second of a whole study; its start and its end are not counted."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "study.yaml").write_text(STUDY.format(trials=trials, batch=batch))
        command = [str(Path(sys.executable).with_name("pegbox")), "run", "study.yaml"]
        done = subprocess.run(command, cwd=name, env=dict(os.environ), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"pegbox run failed with exit code {done.returncode}:\n{done.stderr}")
        with open_history(Path(name) / ".pegbox") as history:
            # By the recorded segments and not by the command's time, which has the start of Prefect and of the workers
            # in it.
            query = "SELECT epoch(max(ended_at) - min(started_at)) FROM segments WHERE replicate IS NULL"
            return trials / float(history.sql(query).fetchall()[0][0])


def compare_flows(trials: int) -> None:
    together, alone = of_flow(trials, ", batch: auto"), of_flow(trials, "")
    print(f"whole studies of {trials} trials of 16 to 64 units on two workers, trials per second:")
    print(f"batch: auto {together:6.2f}   alone {alone:6.2f}   ratio {together / alone:5.2f}")


def main() -> int:
    arguments = parser(__doc__, "two shapes, two rounds")
    arguments.add_argument("--models", type=int, default=32)
    arguments.add_argument("--flow", action="store_true", help="whole studies of 128 trials (32 with --quick)")
    options = arguments.parse_args()
    tell_machine("torch")
    if options.flow:
        compare_flows(32 if options.quick else 128)
        return 0
    torch.set_num_threads(1)
    rounds = 2 if options.quick else 3
    rows = [compare(row, options.models, rounds) for row in (QUICK_ROWS if options.quick else ROWS)]
    print(f"trials per second of CPU, {options.models} trials of two layers, median of {rounds} rounds")
    print(f"{'units':>6} {'batch':>6} {'alone':>8} {'together':>9} {'ratio':>6}  (lowest to highest)")
    for row in rows:
        print(
            f"{row['units']:6.0f} {row['batch_size']:6.0f} {row['alone']:8.2f} {row['together']:9.2f} "
            f"{row['ratio']:6.2f}  ({row['low']:.2f} to {row['high']:.2f})"
        )
    figures = [
        Figure(f"stack of {row['units']:.0f} units, batch {row['batch_size']:.0f}, to single", row["ratio"], 3, False)
        for row in rows
    ]
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
