"""Peers that train each configuration to the end: one class for each library, driven by ask and tell; no registry."""

import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.domains import Categorical, Float, Integer
from pegbox.schemas.space import Space
from pegbox.search.samplers.sobol import SobolSequence
from pegbox.search.space.encoding import SpaceEncoding


class AskTell(Protocol):
    """A library's sampler; losses are made small."""

    def ask(self) -> tuple[Configuration, Any]: ...
    def tell(self, token: Any, loss: float | None) -> None: ...


class UnspeakableSpaceError(Exception):
    """A space that a peer, as it is driven here, cannot be told; the message says which part of it."""


class OptunaPeer:
    def __init__(self, space: Space, sampler: Any) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        self._failed = optuna.trial.TrialState.FAIL
        self._study = optuna.create_study(sampler=sampler)
        self._space = {name: distribution(domain) for name, domain in space.parameters.items()}

    def ask(self) -> tuple[Configuration, Any]:
        trial = self._study.ask(self._space)
        return trial.params, trial

    def tell(self, token: Any, loss: float | None) -> None:
        self._study.tell(token, loss, state=self._failed if loss is None else None)


class HyperoptPeer:
    def __init__(self, space: Space, seed: int) -> None:
        import hyperopt

        self._hyperopt, self._space = hyperopt, space
        self._trials = hyperopt.Trials()
        expressions = {name: _expression(name, domain) for name, domain in space.parameters.items()}
        # Driven below `fmin`, which calls the objective itself and knows no ask and tell.
        self._domain = hyperopt.base.Domain(lambda configuration: 0.0, expressions)
        self._rng = np.random.default_rng(seed)

    def ask(self) -> tuple[Configuration, Any]:
        ids = self._trials.new_trial_ids(1)
        self._trials.refresh()
        seed = int(self._rng.integers(2**31 - 1))
        self._trials.insert_trial_docs(self._hyperopt.tpe.suggest(ids, self._domain, self._trials, seed))
        self._trials.refresh()
        document = self._trials._dynamic_trials[-1]
        values = {name: document["misc"]["vals"][name][0] for name in self._space.parameters}
        return {name: natural(domain, values[name]) for name, domain in self._space.parameters.items()}, document

    def tell(self, token: Any, loss: float | None) -> None:
        token["state"] = self._hyperopt.JOB_STATE_DONE
        token["result"] = {"status": "fail"} if loss is None else {"loss": loss, "status": "ok"}
        self._trials.refresh()


def natural(domain: Any, value: float) -> Any:
    if isinstance(domain, Categorical):
        return domain.values[int(value)]  # Hyperopt tells a choice by its number
    # Clipped, because floats at the very end of a range may be rounded beyond it.
    return int(np.clip(round(value), domain.min, domain.max)) if isinstance(domain, Integer) else float(value)


def distribution(domain: Any) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(domain, Float):
        return FloatDistribution(domain.min, domain.max, log=domain.log)
    if isinstance(domain, Integer) and not domain.power_of_two:
        return IntDistribution(domain.min, domain.max, log=domain.log)
    values = (
        [2**k for k in range(64) if domain.min <= 2**k <= domain.max] if isinstance(domain, Integer) else domain.values
    )
    return CategoricalDistribution(list(values))


def _expression(name: str, domain: Any) -> Any:
    from hyperopt import hp

    if isinstance(domain, Categorical):
        return hp.choice(name, list(domain.values))
    if isinstance(domain, Float):
        return (
            hp.loguniform(name, np.log(domain.min), np.log(domain.max))
            if domain.log
            else hp.uniform(name, domain.min, domain.max)
        )
    # Almost half a step beyond, so that rounding gives the ends the same probability as the others, and never more than
    # them.
    low, high = domain.min - 0.499, domain.max + 0.499
    return hp.qloguniform(name, np.log(low), np.log(high), 1) if domain.log else hp.quniform(name, low, high, 1)


def optuna_peer(sampler: str, **arguments: Any) -> Callable[[Space, int], AskTell]:
    def build(space: Space, seed: int) -> AskTell:
        import optuna

        return OptunaPeer(space, getattr(optuna.samplers, sampler)(seed=seed, **arguments))

    return build


class SmacPeer:
    """SMAC3 with a random forest, its facade for hyperparameters."""

    def __init__(self, space: Space, seed: int, n_trials: int = 500) -> None:
        import smac

        logging.disable(logging.WARNING)
        scenario = smac.Scenario(
            config_space(space, seed),
            deterministic=True,
            n_trials=n_trials,
            seed=seed,
            output_directory=Path(tempfile.mkdtemp()),
        )
        self._facade = smac.HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False
        )

    def ask(self) -> tuple[Configuration, Any]:
        info = self._facade.ask()
        return plain(info.config), info

    def tell(self, token: Any, loss: float | None) -> None:
        from smac.runhistory.dataclasses import TrialValue
        from smac.runhistory.enumerations import StatusType

        status = StatusType.CRASHED if loss is None else StatusType.SUCCESS
        self._facade.tell(token, TrialValue(cost=np.inf if loss is None else loss, status=status))


class BoTorchPeer:
    """BoTorch's single-task process with noisy expected improvement, after 10 points of a Sobol sequence."""

    # Picked by hand: somewhat more than LCBench has dimensions.
    N_INITIAL = 10

    def __init__(self, space: Space, seed: int) -> None:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._torch = torch
        self._encoding = SpaceEncoding(space)
        if any(axis.n_values is not None and not axis.is_ordered for axis in self._encoding.axes):
            raise UnspeakableSpaceError("BoTorch is driven here on ordered parameters only.")
        self._initial = SobolSequence(self._encoding.n_dims, seed)
        self._n_asked = 0
        self._points: list[Any] = []
        self._losses: list[float] = []
        self._pending: list[Any] = []

    def ask(self) -> tuple[Configuration, Any]:
        is_initial = self._n_asked < self.N_INITIAL or len(self._losses) < 3
        point = self._initial.point(self._n_asked) if is_initial else self._best()
        self._n_asked += 1
        snapped = self._encoding.snap(point[None])[0]
        self._pending.append(snapped)
        return self._encoding.decode(snapped), snapped

    def tell(self, token: Any, loss: float | None) -> None:
        self._pending = [point for point in self._pending if point is not token]
        if loss is not None:
            self._points.append(token)
            self._losses.append(loss)

    def _best(self) -> Any:
        from botorch.acquisition.logei import qLogNoisyExpectedImprovement
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from botorch.models.transforms import Standardize
        from botorch.optim import optimize_acqf
        from gpytorch.mlls import ExactMarginalLogLikelihood

        torch = self._torch
        points = torch.tensor(np.array(self._points))
        values = -torch.tensor(self._losses, dtype=torch.double)[:, None]
        model = SingleTaskGP(points, values, outcome_transform=Standardize(1))
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        pending = torch.tensor(np.array(self._pending)) if self._pending else None
        # The logarithm, as its authors advise (Ament et al. 2023): plain expected improvement is flat where it is tiny.
        improvement = qLogNoisyExpectedImprovement(model, points, X_pending=pending, prune_baseline=True)
        bounds = torch.tensor([[0.0] * points.shape[1], [1.0] * points.shape[1]], dtype=torch.double)
        # Restarts, samples and iterations are picked by hand: more of them find little and make each ask longer.
        found, _ = optimize_acqf(improvement, bounds, q=1, num_restarts=4, raw_samples=256, options={"maxiter": 60})
        return found[0].numpy()


def config_space(space: Space, seed: int) -> Any:
    """A space for SMAC, DEHB and BOHB; its conditions are left out, as they are for Optuna: nothing is asked of values
    that do not count."""
    import ConfigSpace

    converted = ConfigSpace.ConfigurationSpace(seed=seed)
    for name, domain in space.parameters.items():
        if isinstance(domain, Categorical):
            converted.add(ConfigSpace.CategoricalHyperparameter(name, list(domain.values)))
            continue
        if isinstance(domain, Float):
            kind = ConfigSpace.UniformFloatHyperparameter
        elif isinstance(domain, Integer) and not domain.power_of_two:
            kind = ConfigSpace.UniformIntegerHyperparameter
        else:
            raise UnspeakableSpaceError(f"{name} is no range and no list; this peer is driven on those only.")
        converted.add(kind(name, domain.min, domain.max, log=domain.log))
    return converted


def plain(config: Any) -> Configuration:
    """A configuration of ConfigSpace with Python's own numbers."""
    return {name: value.item() if hasattr(value, "item") else value for name, value in dict(config).items()}
