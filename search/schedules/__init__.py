"""How far to train: multi-fidelity schedules and early stopping, one rule a file."""
