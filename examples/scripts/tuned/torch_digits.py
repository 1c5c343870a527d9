"""Plain torch: a small network on handwritten digits, as tutorials write it."""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn

import pegbox

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-2)
parser.add_argument("--epochs", type=int, default=4)
args = parser.parse_args()

torch.manual_seed(0)
images, labels = map(torch.tensor, load_digits(return_X_y=True))
images = images.float() / 16
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)

trial = pegbox.current_trial()
if trial and trial.resume_dir:
    kept = torch.load(trial.resume_dir / "kept.pt")
    model.load_state_dict(kept["model"])
    optimizer.load_state_dict(kept["optimizer"])
for epoch in range(trial.from_budget if trial else 0, args.epochs):
    for rows in torch.randperm(1400).split(64):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[rows]), labels[rows]).backward()
        optimizer.step()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(model(images[1400:]), labels[1400:])
    print(f"epoch={epoch + 1} val_loss={loss:.4f}")
if trial:
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, trial.checkpoint_dir / "kept.pt")
