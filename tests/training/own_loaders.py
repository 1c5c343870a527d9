"""Data sets and loaders as people write them, good and bad, for `train.loaders`."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset


def _rows(n_rows=96, *, is_regression=False):
    x = torch.randn(n_rows, 4, generator=torch.Generator().manual_seed(0))
    signal = x[:, 0] - x[:, 1]
    return TensorDataset(x, signal[:, None] if is_regression else (signal > 0).long())


def data_sets():
    return _rows(), _rows(48)


def numbers():
    return {"train": _rows(is_regression=True), "valid": _rows(48, is_regression=True)}


def cut(batch_size=32, shuffled_by=3):
    own = torch.Generator().manual_seed(shuffled_by)
    return DataLoader(_rows(), batch_size, shuffle=True, generator=own), DataLoader(_rows(48), 48)


def fixed():
    return DataLoader(_rows(), 32, shuffle=True), DataLoader(_rows(48), 48)


class Sentences(Dataset):
    """Token ids of many lengths."""

    def __len__(self):
        return 64

    def __getitem__(self, place):
        drawn = torch.Generator().manual_seed(place)
        ids = torch.randint(0, 20, (3 + place % 5,), generator=drawn)
        return {"input_ids": ids, "labels": int(ids[0] >= 10)}


def padded(batch):
    ids = nn.utils.rnn.pad_sequence([one["input_ids"] for one in batch], batch_first=True)
    return {"input_ids": ids, "mask": ids > 0, "labels": torch.tensor([one["labels"] for one in batch])}


def sentences(batch_size):
    return {
        part: DataLoader(Sentences(), batch_size, shuffle=part == "train", collate_fn=padded)
        for part in ("train", "valid")
    }


class Stream(IterableDataset):
    def __iter__(self):
        return iter(_rows(64))


def stream():
    return Stream(), Stream()


def three():
    return _rows(), _rows(), _rows()


def lone():
    return _rows()


def used_up():
    return iter([1]), _rows()


def nothing_to_learn():
    return TensorDataset(torch.ones(8, 4)), TensorDataset(torch.ones(8, 4))


def empty():
    return _rows(), DataLoader(TensorDataset(torch.ones(0, 4), torch.ones(0)), 4)


class Linear(nn.Module):
    def __init__(self, n_outputs=2, width=8):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, width), nn.Dropout(0.2), nn.ReLU(), nn.Linear(width, n_outputs))

    def forward(self, x):
        return self.layers(x)


class Reader(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.words = nn.Embedding(20, width)
        self.last = nn.Linear(width, 2)

    def forward(self, input_ids, mask):
        vectors = self.words(input_ids) * mask[:, :, None]
        return self.last(vectors[:, 0] + 0 * vectors.sum(dim=1))


class TwoHeads(Linear):
    def forward(self, x):
        return {"scores": super().forward(x), "size": x.norm(dim=1)}


def both_heads(outputs, target):
    return nn.functional.cross_entropy(outputs["scores"], target) + 0.01 * outputs["size"].mean()
