"""A small network on handwritten digits, as tutorials write it."""

import os
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import pegbox


@pegbox.objective(
    space={"lr": pegbox.Float(1e-3, 1e-1, log=True)},
    objective={"metric": "val_loss"},
    train={"epochs": 8},
    fidelity={"schedule": "asha", "min": 1, "factor": 2},
    budget={"trials": 8},
    run={"workers": 1},
    finalists={"top": 1, "seeds": 1},
)
def train(lr, trial):
    torch.manual_seed(0)
    images, labels = map(torch.tensor, load_digits(return_X_y=True))
    images = images.float() / 16
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    if kept := trial.load_checkpoint():
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
    for epoch in range(trial.from_budget, trial.budget):
        for rows in torch.randperm(1400).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            loss = float(nn.functional.cross_entropy(model(images[1400:]), labels[1400:]))
        with Path(os.environ["EPOCHS_LOG"]).open("a") as log:
            log.write(f"{lr} {loss}\n")
        trial.report(epoch + 1, val_loss=loss)
    trial.save_checkpoint({"model": model.state_dict(), "optimizer": optimizer.state_dict()})


if __name__ == "__main__":
    train.run()
    print(train.study.best["params"])
