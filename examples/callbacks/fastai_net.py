"""fastai: one argument, `cbs=PegboxCallback()`, of `fit` or `fit_one_cycle`."""

import fastai.callback.schedule  # noqa: F401 - gives a learner `fit_one_cycle`
import torch
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.metrics import accuracy
from rows import EPOCHS, FEATURES, TARGET, TRAIN, VALID

from pegbox.integrations.fastai import PegboxCallback


def run(lr, width=8):
    """What a trial calls."""
    rows = list(zip(torch.tensor(FEATURES), torch.tensor(TARGET), strict=True))
    loaders = DataLoaders(DataLoader(rows[TRAIN], 40), DataLoader(rows[VALID], 40))
    net = torch.nn.Sequential(torch.nn.Linear(6, width), torch.nn.ReLU(), torch.nn.Linear(width, 2))
    learn = Learner(loaders, net, loss_func=torch.nn.CrossEntropyLoss(), metrics=accuracy)
    learn.fit_one_cycle(EPOCHS, lr, cbs=PegboxCallback())
