"""Peers that train each configuration to the end, driven by ask and tell; no registry.

Those whose models are Gaussian processes over a cube stand in gaussian_peers.py.
"""

import logging
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.domains import Categorical, Float, Integer
from pegbox.schemas.space import Space


class AskTell(Protocol):
    """A library's sampler; losses are made small."""

    def ask(self) -> tuple[Configuration, Any]: ...
    def tell(self, token: Any, loss: float | None) -> None: ...


class UnspeakableSpaceError(Exception):
    """A space that a peer, as it is driven here, cannot be told; the message says which part of it."""


class UnreachablePeerError(Exception):
    """A part of a peer that its packages load from the network, and that cannot be had; the message says which."""


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


def auto_sampler(hub: Path | None) -> Callable[[Space, int], AskTell]:
    """Optuna's AutoSampler, by a copy of OptunaHub's registry or from the network."""
    return lambda space, seed: OptunaPeer(space, hub_package("samplers/auto_sampler", hub).AutoSampler(seed=seed))


@cache
def hub_package(name: str, hub: Path | None) -> Any:
    """A package of OptunaHub.

    Args:
        name: Its path below `package/`.
        hub: A copy of the repository optuna/optunahub-registry; None loads it from GitHub.

    Raises:
        UnreachablePeerError: It is not there, or the network is not.
    """
    import optunahub

    if hub is not None and not (hub / "package" / name).is_dir():
        raise UnreachablePeerError(f"{hub} has no folder package/{name}, which a copy of OptunaHub's registry has")
    try:
        if hub is not None:
            return optunahub.load_local_module(name, registry_root=str(hub / "package"))
        return optunahub.load_module(name)
    except Exception as reason:  # of Git, of GitHub, of the file system or of the package: whatever comes is told
        raise UnreachablePeerError(
            f"OptunaHub's {name} cannot be loaded ({type(reason).__name__}); --hub takes a copy of its registry"
        ) from reason


class SmacPeer:
    """SMAC3 with a random forest, its facade for hyperparameters.

    Told how many trials there are, since a quarter of them, and up to ten a parameter, are its initial design.
    """

    def __init__(self, space: Space, seed: int, n_trials: int) -> None:
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
        self._losses: list[float] = []
        self._failed: list[Any] = []

    def ask(self) -> tuple[Configuration, Any]:
        info = self._facade.ask()
        return plain(info.config), info

    def tell(self, token: Any, loss: float | None) -> None:
        if loss is None:
            self._failed.append(token)
        else:
            self._losses.append(loss)
            self._say(token, loss, is_crash=False)
        # As bad as the worst: SMAC's own infinity is no number that its forest could learn from. So failures wait
        # until there is a worst.
        while self._losses and self._failed:
            self._say(self._failed.pop(), max(self._losses), is_crash=True)

    def _say(self, token: Any, cost: float, is_crash: bool) -> None:
        from smac.runhistory.dataclasses import TrialValue
        from smac.runhistory.enumerations import StatusType

        status = StatusType.CRASHED if is_crash else StatusType.SUCCESS
        self._facade.tell(token, TrialValue(cost=cost, status=status))


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
