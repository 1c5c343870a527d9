"""Keras 3 on torch: one line, `callbacks=[PegboxCallback()]`."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when Keras is imported

import keras
from rows import EPOCHS, FEATURES, TARGET, TRAIN, VALID

from pegbox.integrations.keras import PegboxCallback


def run(lr, width=8):
    """What a trial calls."""
    model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(width, "relu"), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(lr), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rows = FEATURES[TRAIN], TARGET[TRAIN]
    valid = FEATURES[VALID], TARGET[VALID]
    model.fit(*rows, 40, EPOCHS, verbose=0, shuffle=False, validation_data=valid, callbacks=[PegboxCallback()])
