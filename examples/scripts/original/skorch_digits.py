"""skorch: a torch module with scikit-learn's manners."""

import argparse

import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-2)
args = parser.parse_args()

torch.manual_seed(0)
images, labels = load_digits(return_X_y=True)
net = NeuralNetClassifier(
    nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)),
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=args.lr,
    max_epochs=4,
    verbose=0,
)
net.fit((images / 16).astype("float32"), labels)
