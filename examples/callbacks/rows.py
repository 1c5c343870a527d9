"""Rows that all the examples here learn from."""

import numpy as np

FEATURES = np.random.default_rng(0).standard_normal((160, 6)).astype(np.float32)
TARGET = (FEATURES[:, 0] - FEATURES[:, 1] > 0).astype(np.int64)
TRAIN, VALID = slice(0, 120), slice(120, 160)
EPOCHS = 4
"""Of the study, `train: {epochs: 4}`; boosting calls them rounds."""
