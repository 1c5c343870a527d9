"""Lightning: one line, `fit(trainer, ...)` in place of `trainer.fit(...)`."""

import torch
from lightning.pytorch import LightningModule, Trainer
from rows import EPOCHS, FEATURES, TARGET, TRAIN, VALID
from torch.utils.data import DataLoader, TensorDataset

from pegbox.integrations.lightning import fit


class Net(LightningModule):
    """Two layers."""

    def __init__(self, lr, width):
        super().__init__()
        self.lr = lr
        self.layers = torch.nn.Sequential(torch.nn.Linear(6, width), torch.nn.ReLU(), torch.nn.Linear(width, 2))

    def training_step(self, batch, _):
        """Cross-entropy of a batch."""
        loss = torch.nn.functional.cross_entropy(self.layers(batch[0]), batch[1])
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, _):
        """The same, on rows that are not trained on."""
        self.log("val_loss", torch.nn.functional.cross_entropy(self.layers(batch[0]), batch[1]))

    def configure_optimizers(self):
        """Adam, slowing down."""
        optimizer = torch.optim.Adam(self.parameters(), self.lr)
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)]


def run(lr, width=8, **trainer):
    """What a trial calls."""
    rows = TensorDataset(torch.from_numpy(FEATURES), torch.from_numpy(TARGET))
    train = DataLoader(torch.utils.data.Subset(rows, range(TRAIN.start, TRAIN.stop)), 32)
    valid = DataLoader(torch.utils.data.Subset(rows, range(VALID.start, VALID.stop)), 40)
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    fit(Trainer(max_epochs=EPOCHS, accelerator="cpu", **quiet, **trainer), Net(lr, width), train, valid)
