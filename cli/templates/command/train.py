"""What is tuned: any program that prints its metrics, here as JSON lines; replace it with yours."""

import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--momentum", type=float, required=True)
parser.add_argument("--steps", type=int, default=20)
parser.add_argument("--nesterov", action="store_true")
options = parser.parse_args()

x, velocity = 2.0, 0.0
for step in range(1, options.steps + 1):
    ahead = options.momentum * velocity if options.nesterov else 0.0
    velocity = options.momentum * velocity - options.lr * 2.0 * (x + ahead)
    x += velocity
    print(json.dumps({"step": step, "loss": x * x}), flush=True)
