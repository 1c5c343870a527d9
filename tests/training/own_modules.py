"""Modules, losses and metrics as people write them, good and bad, for the kind `torch`."""

import random
import time

import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, n_features, n_classes, width=8, dropout=0.2):
        super().__init__()
        self.first = nn.Linear(n_features, width)
        self.norm = nn.BatchNorm1d(width)
        self.drop = nn.Dropout(dropout)
        self.last = nn.Linear(width, n_classes)
        self.activation = lambda x: torch.relu(x) + 0

    def forward(self, x):
        return self.last(self.drop(self.activation(self.norm(self.first(x)))))


class Noisy(Net):
    """Augments with all three streams of random numbers, while it trains."""

    def forward(self, x):
        if self.training:
            legacy = float(np.random.rand())  # noqa: NPY002 - what people write
            x = x + 0.01 * random.random() + 0.01 * legacy + 0.01 * torch.randn_like(x)
        return super().forward(x)


def number(width, input_shape):
    """A factory; one number a row, without a second dimension."""
    return nn.Sequential(nn.Linear(input_shape[0], width), nn.ReLU(), nn.Linear(width, 1), nn.Flatten(0))


def lazy(n_classes, width):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(width), nn.ReLU(), nn.LazyLinear(n_classes))


def convolution(input_shape, n_classes, width):
    channels, height, breadth = input_shape
    layers = nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(width * height * breadth, n_classes))


class Coded(nn.Module):
    def __init__(self, n_features, cardinalities, n_classes):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, 4) for size in cardinalities)
        self.last = nn.Linear(n_features + 4 * len(cardinalities), n_classes)

    def forward(self, x, codes):
        vectors = [embedding(codes[:, place]) for place, embedding in enumerate(self.embeddings)]
        return self.last(torch.cat([x, *vectors], dim=1))


class Anything(nn.Module):
    def __init__(self, **settings):
        super().__init__()
        self.last = nn.Linear(6, settings["units"])

    def forward(self, x):
        return self.last(x)[:, :2]


class Frozen(Net):
    """Its first layer is not trained."""

    def __init__(self, n_features, n_classes, width):
        super().__init__(n_features, n_classes, width, dropout=0.0)
        self.first.requires_grad_(requires_grad=False)


class Branching(Net):
    def forward(self, x):
        return super().forward(x) if x.sum() > 0 else super().forward(-x)


class Unused(Net):
    def __init__(self, n_features, n_classes, width=8, dropout=0.0):
        super().__init__(n_features, n_classes, width, dropout)
        self.spare = nn.Linear(1, 1)


class Remembering(nn.Module):
    """Sets a buffer anew instead of changing it in place."""

    def __init__(self, n_features, n_classes, width):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, width), nn.Linear(width, n_classes)
        self.register_buffer("mean", torch.zeros(n_features))

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + x.mean(dim=0)
        return self.last(torch.relu(self.first(x - self.mean)))


class Double(Net):
    def __init__(self, n_features, n_classes, width=8, dropout=0.0):
        super().__init__(n_features, n_classes, width, dropout)
        self.last.double()


class Rated(Net):
    """Takes what is the loop's as well."""

    def __init__(self, n_features, n_classes, lr, width=8, dropout=0.0):
        super().__init__(n_features, n_classes, width, dropout)


class Tuple(Net):
    def forward(self, x):
        return super().forward(x), x


class Mapping(Net):
    def forward(self, x):
        return {"logits": super().forward(x), "hidden": x}


class Wide(Net):
    def forward(self, x):
        return torch.cat([super().forward(x)] * 2, dim=1)


class Fewer(Net):
    def forward(self, x):
        return super().forward(x)[:1]


class Codes(Net):
    def forward(self, x):
        return super().forward(x).long()


class Chance(Net):
    def forward(self, x):
        return super().forward(x) + torch.rand(1)


class Clock(Net):
    def forward(self, x):
        return super().forward(x) * (time.perf_counter_ns() % 1_000_003)


class Counting(Net):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * self.calls


class Weightless(nn.Module):
    def forward(self, x):
        return x[:, :2]


class ShapeOfTheDay(nn.Module):
    """Another network each time that it is made."""

    made = 0

    def __init__(self, n_features, n_classes):
        super().__init__()
        type(self).made += 1
        self.last = nn.Linear(n_features, n_classes + self.made)
        self.n_classes = n_classes

    def forward(self, x):
        return self.last(x)[:, : self.n_classes]


def no_module(n_features):
    return lambda x: x


MADE = nn.Linear(6, 2)


def focal(outputs, target, gamma=2.0):
    log_p = torch.log_softmax(outputs, dim=1)[torch.arange(len(target)), target]
    return -((1 - log_p.exp()) ** gamma * log_p).mean()


def rows(outputs, target):
    return nn.functional.cross_entropy(outputs, target, reduction="none")


def detached(outputs, target):
    return nn.functional.cross_entropy(outputs.detach(), target)


class Learning(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, outputs, target):
        return nn.functional.cross_entropy(outputs * self.scale, target)


def share_right(outputs, target):
    return (outputs.argmax(dim=1) == target).float().mean()


def worst(outputs, target):
    return (outputs - target).abs().max()


def no_number(outputs, target):
    return outputs


def breaks(outputs, target):
    raise KeyError("alas")
