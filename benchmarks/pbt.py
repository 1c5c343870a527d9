"""Population based training beside Ray Tune's PBT on equal epochs: a small network on scikit-learn's digits.

python benchmarks/pbt.py [--quick] [--seeds 5] [--methods alone,pbt,pb2,ray] [--json]

All methods train eight members of the same network, by the same code, for as many epochs, and compare them every two.
`alone` replaces nobody: a search of as many epochs. Told is the validation loss of the best member at the end and,
for ours, what its schedule gives when it is trained again from zero on fresh seeds. Ray's lineage is not read. The
seconds are no comparison: ours train in this process, Ray's in a cluster that pauses a member at every comparison.
"""

import copy
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from figures import Figure, conclude, parser, tell_machine
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.nn import functional

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Trial
from pegbox.search.narrowed_space import study_strategy
from pegbox.search.simulation import Outcome, Simulation

SPACE: dict[str, Any] = {
    "lr": {"min": 1e-4, "max": 1.0, "log": True},
    "momentum": {"min": 0.0, "max": 0.99},
    "weight_decay": {"min": 1e-6, "max": 1e-2, "log": True},
    "dropout": {"min": 0.0, "max": 0.6},
}
POPULATION, INTERVAL = 8, 2
METHODS = ("alone", "pbt", "pb2", "ray")
N_FRESH = 3
"""Fresh seeds on which a schedule is trained again."""


class Learner:
    """A perceptron with all that changes while it learns."""

    def __init__(self, seed: int) -> None:
        data, target = load_digits(return_X_y=True)
        parts = train_test_split(data / 16.0, target, test_size=0.4, random_state=0, stratify=target)
        self._x, self._x_valid = (torch.tensor(part, dtype=torch.float32) for part in parts[:2])
        self._y, self._y_valid = (torch.tensor(part) for part in parts[2:])
        torch.manual_seed(seed)
        self._dropout = torch.nn.Dropout(0.0)
        layers = torch.nn.Linear(64, 64), torch.nn.ReLU(), self._dropout, torch.nn.Linear(64, 10)
        self._model = torch.nn.Sequential(*layers)
        self._optimizer = torch.optim.SGD(self._model.parameters(), lr=0.1, momentum=0.5)
        self._order = torch.Generator().manual_seed(seed)

    def train(self, configuration: Configuration, epochs: int) -> float:
        """The validation loss after some more epochs."""
        values = {name: float(value) for name, value in configuration.items()}  # type: ignore[arg-type]
        self._dropout.p = values["dropout"]
        self._optimizer.param_groups[0].update({name: values[name] for name in ("lr", "momentum", "weight_decay")})
        for _ in range(epochs):
            self._model.train()
            for rows in torch.randperm(len(self._x), generator=self._order).split(32):
                loss = functional.cross_entropy(self._model(self._x[rows]), self._y[rows])
                self._optimizer.zero_grad()
                loss.backward()
                self._optimizer.step()
        self._model.eval()
        with torch.no_grad():
            loss = functional.cross_entropy(self._model(self._x_valid), self._y_valid)
        # A member that diverged is the worst one, for each of the peers.
        return min(float(torch.nan_to_num(loss, nan=1e6)), 1e6)

    def state(self) -> dict[str, Any]:
        """What a copy begins with."""
        state = {"model": self._model.state_dict(), "optimizer": self._optimizer.state_dict()}
        return copy.deepcopy(state | {"order": self._order.get_state()})

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self._order.set_state(state["order"])


class Training(Simulation):
    """A study of ours, whose members are trained in this process."""

    def __init__(self, spec: StudySpec) -> None:
        super().__init__(study_strategy(spec), History(spec=spec, version=1), lambda *_: Outcome({}))
        self._states: dict[tuple[int, int], dict[str, Any]] = {}

    def _outcome(self, trial: Trial, to_budget: int) -> Outcome:
        learner = Learner(trial.seed)
        giver = trial.parent if trial.parent is not None and not trial.evaluations else trial.number
        if trial.budget:
            learner.restore(self._states[giver, trial.budget])
        loss = learner.train(trial.configuration, to_budget - trial.budget)
        self._states[trial.number, to_budget] = learner.state()
        return Outcome({"loss": loss})


def ours(method: str, epochs: int, seed: int) -> tuple[float, float]:
    """The best loss at the end, and the mean loss of its schedule on fresh seeds."""
    options: dict[str, Any] = {"population": POPULATION, "interval": INTERVAL, "mutable": list(SPACE)}
    if method == "alone":
        options["burn_in"] = epochs - 1
    spec = StudySpec.model_validate(
        {
            "name": "pbt",
            "train": {"kind": "function", "function": "pbt:train", "epochs": epochs},
            "space": SPACE,
            "objective": {"metric": "loss"},
            "search": {"method": "pbt" if method == "alone" else method, "options": options},
            "budget": {"epochs": POPULATION * epochs},
            "seed": seed,
        }
    )
    best = Training(spec).run().incumbent
    assert best is not None
    fresh = []
    for number in range(N_FRESH):
        learner, begin, loss = Learner(1000 + number), 0, 0.0
        for stage in best.schedule:
            loss, begin = learner.train(stage.configuration, stage.to_budget - begin), stage.to_budget
        fresh.append(loss)
    return best.value("loss") or 0.0, float(np.mean(fresh))


def rays(epochs: int, seed: int) -> float:
    """The best loss at the end of Ray Tune's PBT, one member at a time."""
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    import ray
    from ray import tune

    class Member(tune.Trainable):  # type: ignore[misc]
        def setup(self, config: dict[str, Any]) -> None:
            self.learner = Learner(seed)

        def step(self) -> dict[str, float]:
            return {"loss": self.learner.train(self.config, 1)}

        def save_checkpoint(self, folder: str) -> None:
            torch.save(self.learner.state(), Path(folder) / "state.pt")

        def load_checkpoint(self, folder: str) -> None:
            self.learner.restore(torch.load(Path(folder) / "state.pt", weights_only=True))

        def reset_config(self, config: dict[str, Any]) -> bool:
            return True

    draw = {
        "lr": tune.loguniform(1e-4, 1.0),
        "momentum": tune.uniform(0.0, 0.99),
        "weight_decay": tune.loguniform(1e-6, 1e-2),
        "dropout": tune.uniform(0.0, 0.6),
    }
    np.random.seed(seed)  # noqa: NPY002 - what Ray draws from
    # Its defaults but for the interval: quantiles, factors and resampling are those of ours.
    scheduler = tune.schedulers.PopulationBasedTraining(
        time_attr="training_iteration", perturbation_interval=INTERVAL, hyperparam_mutations=draw, synch=True
    )
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True, logging_level="ERROR")
    with tempfile.TemporaryDirectory() as folder:
        found = tune.Tuner(
            Member,
            param_space=draw,
            tune_config=tune.TuneConfig(
                metric="loss", mode="min", num_samples=POPULATION, scheduler=scheduler, reuse_actors=True
            ),
            run_config=tune.RunConfig(stop={"training_iteration": epochs}, storage_path=folder, verbose=0),
        ).fit()
        losses = [one.metrics["loss"] for one in found if one.metrics and "loss" in one.metrics]
    return float(min(losses))


def main() -> int:
    arguments = parser(__doc__, quick="two seeds of twelve epochs")
    arguments.add_argument("--seeds", type=int, default=5, help="runs of each method")
    arguments.add_argument("--methods", default=",".join(METHODS), help=f"of {', '.join(METHODS)}")
    asked = arguments.parse_args()
    torch.set_num_threads(1)
    epochs, n_seeds = (12, 2) if asked.quick else (30, asked.seeds)
    methods = asked.methods.split(",")
    tell_machine("torch", "ray")
    print(f"{POPULATION} members of {epochs} epochs, compared every {INTERVAL}; {n_seeds} seeds")
    figures = []
    for method in methods:
        started = time.perf_counter()
        found = [
            (rays(epochs, seed), None) if method == "ray" else ours(method, epochs, seed) for seed in range(n_seeds)
        ]
        ends, fresh = [end for end, _ in found], [again for _, again in found if again is not None]
        error = float(np.std(ends)) / n_seeds**0.5
        each = " ".join(f"{end:.4f}" for end in ends)
        seconds = (time.perf_counter() - started) / n_seeds
        print(f"{method:6} {np.mean(ends):.4f} ± {error:.4f}   {each}   {seconds:.0f} s a seed", flush=True)
        figures.append(Figure(f"{method}: loss of the best member", float(np.mean(ends))))
        if fresh:
            figures.append(Figure(f"{method}: its schedule on fresh seeds", float(np.mean(fresh))))
    return conclude(figures, asked.json)


if __name__ == "__main__":
    sys.exit(main())
