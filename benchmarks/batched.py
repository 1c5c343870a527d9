"""Trials per second of networks that train together in one process, beside the same trials one after another.

    python benchmarks/batched.py [--quick] [--json] [--models 32]

Both use one thread, as a worker does beside others, so the ratio is what a worker gains; all trials of a row have one
shape and their own learning rate, decay, dropout and seed. The goal is 3 or more at up to 64 units and batches of
32 to 64; where the ratio is below 1, training together does not pay.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from training import Case, make_data  # noqa: TID251 - the benchmark beside this one, not the room

from pegbox.schemas.arrays import Splits
from pegbox.schemas.train import TorchTrain
from pegbox.schemas.trial import Segment
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
        alone(segments[:1], data, Path(name))
        together(segments[:2], data, Path(name))
        for _ in range(rounds):
            for loop in (alone, together):
                started = time.process_time()
                loop(segments, data, Path(name))
                speeds[loop.__name__].append(n_models / (time.process_time() - started))
    ratios = [both / one for both, one in zip(speeds["together"], speeds["alone"], strict=True)]
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    return {**row._asdict(), **medians, "ratio": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two shapes, two rounds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--models", type=int, default=32)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rounds = 2 if options.quick else 3
    rows = [compare(row, options.models, rounds) for row in (QUICK_ROWS if options.quick else ROWS)]
    if options.json:
        print(json.dumps({"models": options.models, "rounds": rounds, "shapes": rows}))
        return
    print(f"trials per second of CPU, {options.models} trials of two layers, median of {rounds} rounds")
    print(f"{'units':>6} {'batch':>6} {'alone':>8} {'together':>9} {'ratio':>6}  (lowest to highest)")
    for row in rows:
        print(
            f"{row['units']:6.0f} {row['batch_size']:6.0f} {row['alone']:8.2f} {row['together']:9.2f} "
            f"{row['ratio']:6.2f}  ({row['low']:.2f} to {row['high']:.2f})"
        )


if __name__ == "__main__":
    main()
