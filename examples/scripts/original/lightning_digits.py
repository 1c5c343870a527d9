"""Lightning: the module that its own introduction has, on handwritten digits."""

import argparse

import lightning
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Digits(lightning.LightningModule):
    def __init__(self, lr):
        super().__init__()
        self.lr = lr
        self.layers = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def training_step(self, batch, index):
        images, labels = batch
        return nn.functional.cross_entropy(self.layers(images), labels)

    def validation_step(self, batch, index):
        images, labels = batch
        self.log("val_loss", nn.functional.cross_entropy(self.layers(images), labels))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-2)
args = parser.parse_args()

lightning.seed_everything(0)
images, labels = map(torch.tensor, load_digits(return_X_y=True))
rows = TensorDataset(images.float() / 16, labels)
train = DataLoader(torch.utils.data.Subset(rows, range(1400)), batch_size=64, shuffle=True)
valid = DataLoader(torch.utils.data.Subset(rows, range(1400, 1797)), batch_size=64)
trainer = lightning.Trainer(max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False)
trainer.fit(Digits(args.lr), train, valid)
