"""An RL loop: REINFORCE on a corridor whose end is worth a reward; no library but numpy."""

import argparse

import numpy as np

import pegbox

LENGTH, STEPS = 6, 30

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.5)
parser.add_argument("--epochs", type=int, default=4)
args = parser.parse_args()

rng = np.random.default_rng(0)
preferences = np.zeros((LENGTH, 2))


def episode():
    """Walk until the end or the last step; gives what was done where, and the discounted reward."""
    place, path = 0, []
    for step in range(STEPS):
        odds = np.exp(preferences[place])
        action = int(rng.random() < odds[1] / odds.sum())
        path.append((place, action, odds / odds.sum()))
        place = max(0, place + (1 if action else -1))
        if place == LENGTH - 1:
            return path, 0.95**step
    return path, 0.0


trial = pegbox.current_trial()
if trial and trial.resume_dir:
    preferences = np.load(trial.resume_dir / "preferences.npy")
for epoch in range(trial.from_budget if trial else 0, args.epochs):
    rewards = []
    for _ in range(50):
        path, reward = episode()
        rewards.append(reward)
        for place, action, odds in path:
            preferences[place] += args.lr * (reward - 0.3) * (np.eye(2)[action] - odds)
    print(f"epoch={epoch + 1} reward={np.mean(rewards):.4f}", flush=True)
if trial:
    np.save(trial.checkpoint_dir / "preferences.npy", preferences)
