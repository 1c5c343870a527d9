"""A small network on handwritten digits, as tutorials write it."""

import os
import tempfile
from pathlib import Path

import torch
from ray import tune
from sklearn.datasets import load_digits
from torch import nn


def train(config):
    lr = config["lr"]
    torch.manual_seed(0)
    images, labels = map(torch.tensor, load_digits(return_X_y=True))
    images = images.float() / 16
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    start = 0
    if checkpoint := tune.get_checkpoint():
        with checkpoint.as_directory() as folder:
            kept = torch.load(Path(folder) / "kept.pt")
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        start = kept["epoch"]
    for epoch in range(start, 8):
        for rows in torch.randperm(1400).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            loss = float(nn.functional.cross_entropy(model(images[1400:]), labels[1400:]))
        with Path(os.environ["EPOCHS_LOG"]).open("a") as log:
            log.write(f"{lr} {loss}\n")
        with tempfile.TemporaryDirectory() as folder:
            kept = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch + 1}
            torch.save(kept, Path(folder) / "kept.pt")
            tune.report({"val_loss": loss}, checkpoint=tune.Checkpoint.from_directory(folder))


if __name__ == "__main__":
    place = Path("results").absolute()
    if tune.Tuner.can_restore(str(place / "digits")):
        tuner = tune.Tuner.restore(str(place / "digits"), train, resume_unfinished=True)
    else:
        tuner = tune.Tuner(
            train,
            param_space={"lr": tune.loguniform(1e-3, 1e-1)},
            tune_config=tune.TuneConfig(
                metric="val_loss",
                mode="min",
                num_samples=8,
                max_concurrent_trials=1,
                scheduler=tune.schedulers.ASHAScheduler(max_t=8, grace_period=1, reduction_factor=2),
            ),
            run_config=tune.RunConfig(name="digits", storage_path=str(place)),
        )
    print(tuner.fit().get_best_result().config)
