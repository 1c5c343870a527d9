"""A small network on handwritten digits, as tutorials write it."""

import os
from pathlib import Path

import optuna
import torch
from sklearn.datasets import load_digits
from torch import nn


def train(trial):
    lr = trial.suggest_float("lr", 1e-3, 1e-1, log=True)
    torch.manual_seed(0)
    images, labels = map(torch.tensor, load_digits(return_X_y=True))
    images = images.float() / 16
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(8):
        for rows in torch.randperm(1400).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            loss = float(nn.functional.cross_entropy(model(images[1400:]), labels[1400:]))
        with Path(os.environ["EPOCHS_LOG"]).open("a") as log:
            log.write(f"{lr} {loss}\n")
        trial.report(loss, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return loss


if __name__ == "__main__":
    study = optuna.create_study(
        study_name="digits",
        storage="sqlite:///optuna.db",
        load_if_exists=True,
        pruner=optuna.pruners.SuccessiveHalvingPruner(1, 2),
    )
    done = study.get_trials(states=(optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED))
    study.optimize(train, n_trials=8 - len(done))
    print(study.best_params)
