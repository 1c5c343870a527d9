"""A Hydra template: everything comes from a configuration, and is overridden as key=value."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from sklearn.datasets import load_diabetes
from sklearn.linear_model import SGDRegressor
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import scale


@dataclass
class Config:
    lr: float = 1e-2
    epochs: int = 4
    resume: str = ""
    keep: str = "model.pkl"


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base=None, config_name="config")
def main(config):
    rows, target = map(scale, load_diabetes(return_X_y=True))
    model = SGDRegressor(learning_rate="constant", eta0=config.lr, random_state=0)
    start = 0
    if config.resume:
        start, model = pickle.loads(Path(config.resume).read_bytes())
    for epoch in range(start, config.epochs):
        model.partial_fit(rows[:300], target[:300])
        loss = mean_squared_error(target[300:], model.predict(rows[300:]))
        print(f"epoch={epoch + 1} val_loss={loss:.4f}", flush=True)
    Path(config.keep).write_bytes(pickle.dumps((config.epochs, model)))


if __name__ == "__main__":
    main()
