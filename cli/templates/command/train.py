"""What is tuned: any program that prints its metrics, here as JSON lines; replace it with yours."""

import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--momentum", type=float, required=True)
options = parser.parse_args()

x, velocity = 2.0, 0.0
for step in range(1, 21):
    velocity = options.momentum * velocity - options.lr * 2.0 * x
    x += velocity
    print(json.dumps({"step": step, "loss": x * x}), flush=True)
