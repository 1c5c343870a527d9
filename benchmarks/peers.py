"""Other people's searches behind the seam of a strategy, by name, with which of them can be run here."""

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from full_peers import AskTell, BoTorchPeer, HyperoptPeer, SmacPeer, optuna_peer
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

    needs: str
    """The module that must be installed."""
    build: Callable[[StudySpec, int], Strategy]
    """Of a study and a seed."""
    has_rungs: bool = False
    """True if it decides how far to train; else it trains each configuration to the end."""

    @property
    def why_not(self) -> str | None:
        """Why it cannot be run here; None where it can."""
        return None if find_spec(self.needs) else f"the package {self.needs} is not installed"


def _full(needs: str, build: Callable[[Space, int], AskTell]) -> Peer:
    return Peer(needs, lambda spec, seed: PeerStrategy(build(spec.space, seed)))


def _rungs(needs: str, build: Callable[[StudySpec, int], RungAskTell]) -> Peer:
    return Peer(needs, lambda spec, seed: RungPeerStrategy(build(spec, seed)), has_rungs=True)


PEERS: dict[str, Peer] = {
    "Optuna TPE": _full("optuna", optuna_peer("TPESampler")),
    "Optuna GP": _full("optuna", optuna_peer("GPSampler")),
    "Optuna CMA-ES": _full("optuna", optuna_peer("CmaEsSampler")),
    "Optuna NSGA-II": _full("optuna", optuna_peer("NSGAIISampler")),
    "Hyperopt TPE": _full("hyperopt", HyperoptPeer),
    "SMAC3": _full("smac", SmacPeer),
    "BoTorch": _full("botorch", BoTorchPeer),
    "Optuna TPE+Hyperband": _rungs("optuna", OptunaHyperband),
    "SMAC3+Hyperband": _rungs("smac", SmacHyperband),
    "BOHB": Peer("hpbandster", bohb, has_rungs=True),
    "DEHB": _rungs("dehb", DehbPeer),
}
"""Beside them, our own `random+asha` and `random+hyperband` are the algorithms of their papers without a model."""


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
