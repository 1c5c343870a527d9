"""The training of the documents' study: a curve that falls towards what the parameters deserve."""

import math
import random


def run(lr, units, optimizer, trial, momentum=0.0):
    noise = random.Random(trial.seed)
    floor = 0.1 + 0.05 * (math.log10(lr) + 2.5) ** 2 + 4 / units + 0.1 * (momentum - 0.9) ** 2
    floor += 0.02 * (optimizer == "sgd") + noise.gauss(0.0, 0.005)
    for step in range(trial.from_budget + 1, trial.budget + 1):
        trial.report(step, val_loss=floor + 1 / (1 + step), val_accuracy=1 - floor, parameters=64 * units)
