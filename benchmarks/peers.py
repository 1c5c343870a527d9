"""Other people's searches behind the seam of a strategy, by name, with which of them can be run here."""

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from full_peers import (
    AskTell,
    HyperoptPeer,
    SmacPeer,
    UnreachablePeerError,
    auto_sampler,
    hub_package,
    optuna_peer,
)
from gaussian_peers import BoTorchPeer, HeboPeer, TurboPeer
from rung_peers import DehbPeer, OptunaHyperband, RungAskTell, RungPeerStrategy, SmacHyperband, bohb

from pegbox.schemas.decision import Decision, Done, Start
from pegbox.schemas.history import History
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.search.strategy import Strategy


class PeerStrategy:
    """Full trainings by a peer; keeps state, as the peer does."""

    def __init__(self, peer: AskTell) -> None:
        self._peer = peer
        self._open: dict[int, Any] = {}

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        # The peer's own limits are never met: what it may spend is the study's to say, for all alike.
        limit = history.spec.budget.trials
        if limit is not None and len(history.trials) >= limit:
            return Done(reason="All trials have been tried.")
        for number, token in list(self._open.items()):
            trial = history.trials[number]
            if trial.state is TrialState.COMPLETED or trial.state is TrialState.FAILED:
                goal = history.objectives[0]
                value = trial.value(goal.metric)
                # Every peer minimises, so that a maximised metric changes its sign on the way.
                self._peer.tell(token, None if value is None else goal.loss(value))
                del self._open[number]
        configuration, token = self._peer.ask()
        self._open[len(history.trials)] = token
        return Start(configuration=configuration, to_budget=history.spec.full_budget)


class Peer(NamedTuple):
    """A search of another library."""

    needs: tuple[str, ...]
    """The modules that must be installed."""
    build: Callable[[StudySpec, int], Strategy]
    """Of a study and a seed."""
    has_rungs: bool = False
    """True if it decides how far to train; else it trains each configuration to the end."""
    load: Callable[[], Any] | None = None
    """Gets what the packages themselves do not hold; an `UnreachablePeerError` says why it cannot be had."""

    @property
    def why_not(self) -> str | None:
        """Why it cannot be run here; None where it can."""
        missing = next((module for module in self.needs if not find_spec(module)), None)
        if missing:
            return f"the package {missing} is not installed"
        try:
            if self.load:
                self.load()
        except UnreachablePeerError as reason:
            return str(reason)
        return None


def _full(needs: str, build: Callable[[Space, int], AskTell]) -> Peer:
    return Peer((needs,), lambda spec, seed: PeerStrategy(build(spec.space, seed)))


def _rungs(needs: str, build: Callable[[StudySpec, int], RungAskTell]) -> Peer:
    return Peer((needs,), lambda spec, seed: RungPeerStrategy(build(spec, seed)), has_rungs=True)


def _smac(spec: StudySpec, seed: int) -> Strategy:
    if spec.budget.trials is None:
        raise ValueError("SMAC3 is driven here by a number of trials, got a budget without one. Give `trials`.")
    return PeerStrategy(SmacPeer(spec.space, seed, spec.budget.trials))


def _auto_sampler(hub: Path | None) -> Peer:
    driven = _full("optunahub", auto_sampler(hub))
    # It looks for all three as it is loaded.
    needs = ("optunahub", "cmaes", "torch")
    return driven._replace(needs=needs, load=partial(hub_package, "samplers/auto_sampler", hub))


def _no_weights() -> NoReturn:
    raise UnreachablePeerError("the weights of its surrogate lie on figshare.com alone, and it is not driven here")


PEERS: dict[str, Peer] = {
    "Optuna TPE": _full("optuna", optuna_peer("TPESampler")),
    "Optuna GP": _full("optuna", optuna_peer("GPSampler")),
    "Optuna CMA-ES": _full("optuna", optuna_peer("CmaEsSampler")),
    "Optuna NSGA-II": _full("optuna", optuna_peer("NSGAIISampler")),
    "Optuna AutoSampler": _auto_sampler(None),
    "Hyperopt TPE": _full("hyperopt", HyperoptPeer),
    "SMAC3": Peer(("smac",), _smac),
    "BoTorch": _full("botorch", BoTorchPeer),
    "TuRBO (BoTorch)": _full("botorch", TurboPeer),
    "HEBO": _full("hebo", HeboPeer),
    "Optuna TPE+Hyperband": _rungs("optuna", OptunaHyperband),
    "SMAC3+Hyperband": _rungs("smac", SmacHyperband),
    "BOHB": Peer(("hpbandster",), bohb, has_rungs=True),
    "DEHB": _rungs("dehb", DehbPeer),
    # NePS' ifBO asks FT-PFN, a network trained on curves; its package brings the code and not the network.
    "ifBO": Peer((), lambda spec, seed: _no_weights(), has_rungs=True, load=_no_weights),
}
"""Beside them, our own `random+asha` and `random+hyperband` are the algorithms of their papers without a model."""


def use_hub(folder: Path) -> None:
    """Have the peers of OptunaHub loaded from a copy of its registry instead of from the network."""
    PEERS["Optuna AutoSampler"] = _auto_sampler(folder)


def available(methods: Sequence[str], recorded: Sequence[str] = ()) -> list[str]:
    """The methods that can be run here or were recorded elsewhere; says which cannot, and why.

    Args:
        methods: Ours, or names of peers.
        recorded: Methods whose runs are all known, by another environment.
    """
    skipped = {method: PEERS[method].why_not for method in methods if method in PEERS and method not in recorded}
    for method, reason in skipped.items():
        if reason:
            print(f"{method} is skipped: {reason}.", file=sys.stderr)
    return [method for method in methods if not skipped.get(method)]


def pairs(text: str) -> dict[str, str]:
    """`SMAC3=/envs/smac/bin/python,HEBO=...` as a mapping; a type for `argparse`."""
    named = dict(one.partition("=")[::2] for one in text.split(","))
    unknown = [name for name in named if name not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no peer; known: {', '.join(PEERS)}.")
    return named


def record_elsewhere(script: str, environments: Mapping[str, str], progress: Path, arguments: Sequence[str]) -> None:
    """Run a benchmark for each peer that has an environment of its own, appending to the file of runs.

    Some peers want other versions of numpy than pegbox: their environment holds the peer, and pegbox with --no-deps.

    Args:
        script: The benchmark.
        environments: Python of each peer's environment, by the peer's name.
        progress: Where all environments write their runs.
        arguments: Which runs; those that the file holds already are not repeated.

    Raises:
        subprocess.CalledProcessError: One of them failed; what it said stands on the terminal.
    """
    for peer, python in environments.items():
        command = [python, script, "--methods", peer, "--progress", str(progress), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
