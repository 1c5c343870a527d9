"""skorch: one line, `callbacks=[PegboxCallback()]`."""

import torch
from rows import EPOCHS, FEATURES, TARGET
from skorch import NeuralNetClassifier
from skorch.dataset import ValidSplit

from pegbox.integrations.skorch import PegboxCallback


class Net(torch.nn.Module):
    """Two layers."""

    def __init__(self, width=8):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(6, width), torch.nn.ReLU(), torch.nn.Linear(width, 2))

    def forward(self, x):
        """Scores of both classes."""
        return self.layers(x)


def run(lr, width=8):
    """What a trial calls."""
    net = NeuralNetClassifier(
        Net,
        module__width=width,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=lr,
        max_epochs=EPOCHS,
        batch_size=40,
        train_split=ValidSplit(4),
        verbose=0,
        callbacks=[PegboxCallback()],
    )
    net.fit(FEATURES, TARGET)
