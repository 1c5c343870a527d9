"""Other people's samplers behind the seam of a strategy, driven by ask and tell as their own loops would."""

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.decision import Decision, Done, Start
from pegbox.schemas.history import History
from pegbox.schemas.space import Float, Integer, Space
from pegbox.schemas.trial import TrialState


class AskTell(Protocol):
    """A library's sampler; losses are made small."""

    def ask(self) -> tuple[Configuration, Any]: ...
    def tell(self, token: Any, loss: float | None) -> None: ...


class PeerStrategy:
    """Full trainings by a peer; keeps state, as the peer does."""

    def __init__(self, peer: AskTell) -> None:
        self._peer = peer
        self._open: dict[int, Any] = {}

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        limit = history.spec.budget.trials
        if limit is not None and len(history.trials) >= limit:
            return Done(reason="All trials have been tried.")
        for number, token in list(self._open.items()):
            trial = history.trials[number]
            if trial.state is TrialState.COMPLETED or trial.state is TrialState.FAILED:
                goal = history.objectives[0]
                value = trial.value(goal.metric)
                self._peer.tell(token, None if value is None else goal.loss(value))
                del self._open[number]
        configuration, token = self._peer.ask()
        self._open[len(history.trials)] = token
        return Start(configuration=configuration, to_budget=history.spec.full_budget)


class OptunaPeer:
    def __init__(self, space: Space, sampler: Any) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        self._failed = optuna.trial.TrialState.FAIL
        self._study = optuna.create_study(sampler=sampler)
        self._space = {name: _distribution(domain) for name, domain in space.parameters.items()}

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
        return {name: _natural(domain, values[name]) for name, domain in self._space.parameters.items()}, document

    def tell(self, token: Any, loss: float | None) -> None:
        token["state"] = self._hyperopt.JOB_STATE_DONE
        token["result"] = {"status": "fail"} if loss is None else {"loss": loss, "status": "ok"}
        self._trials.refresh()


def _natural(domain: Any, value: float) -> float:
    return int(np.clip(round(value), domain.min, domain.max)) if isinstance(domain, Integer) else float(value)


def _distribution(domain: Any) -> Any:
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

    if isinstance(domain, Float):
        return (
            hp.loguniform(name, np.log(domain.min), np.log(domain.max))
            if domain.log
            else hp.uniform(name, domain.min, domain.max)
        )
    low, high = domain.min - 0.499, domain.max + 0.499
    return hp.qloguniform(name, np.log(low), np.log(high), 1) if domain.log else hp.quniform(name, low, high, 1)


def _optuna(sampler: str, **arguments: Any) -> Callable[[Space, int], AskTell]:
    def build(space: Space, seed: int) -> AskTell:
        import optuna

        return OptunaPeer(space, getattr(optuna.samplers, sampler)(seed=seed, **arguments))

    return build


PEERS: dict[str, Callable[[Space, int], AskTell]] = {
    "Optuna TPE": _optuna("TPESampler"),
    "Optuna GP": _optuna("GPSampler"),
    "Optuna CMA-ES": _optuna("CmaEsSampler"),
    "Optuna NSGA-II": _optuna("NSGAIISampler"),
    "Hyperopt TPE": HyperoptPeer,
}
