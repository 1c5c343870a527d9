"""Peers that decide how far to train: one class for each library, all on the rungs of the study; no registry."""

import logging
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol

import numpy as np
from full_peers import config_space, distribution, plain

from pegbox.schemas.base import Configuration
from pegbox.schemas.decision import Continue, Decision, Done, Start, Wait
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search import limits
from pegbox.search.budgeted import BudgetedStrategy
from pegbox.search.composed import ComposedPlanner
from pegbox.search.objectives import losses_of
from pegbox.search.schedules.halving import HalvingSchedule
from pegbox.search.space.encoding import SpaceEncoding
from pegbox.search.strategy import Strategy


class Job(NamedTuple):
    """What a library wants evaluated, and its own word for it."""

    configuration: Configuration
    budget: int
    token: Any


class RungAskTell(Protocol):
    """A library that says how far each configuration is trained; losses are made small."""

    def ask(self) -> Job: ...
    def tell(self, job: Job, loss: float) -> None: ...


class RungPeerStrategy:
    """A peer's jobs as trials; a configuration that comes again goes on from where it was trained to."""

    def __init__(self, peer: RungAskTell) -> None:
        self._peer = peer
        self._encoding: SpaceEncoding | None = None
        self._open: dict[int, Job] = {}
        self._numbers: dict[Any, int] = {}

    def next(self, history: History, rng: np.random.Generator) -> Decision:
        self._tell(history)
        while True:
            job = self._peer.ask()
            number = self._numbers.get(self._key(history, job))
            if number is None or history.trials[number].budget < job.budget:
                return self._step(history, job, number)
            self._peer.tell(job, self._loss(history, number, job.budget))

    def _step(self, history: History, job: Job, number: int | None) -> Decision:
        if number in self._open:
            raise RuntimeError(f"The peer asks for trial {number} while it runs.")
        step: Start | Continue
        if number is None:
            number = len(history.trials)
            step = Start(configuration=job.configuration, to_budget=job.budget)
        else:
            step = Continue(trial=number, to_budget=job.budget)
        # Asked of the house's own rule, so that a peer may not spend an epoch more.
        if limits.overdraw(history, step):
            return Wait() if history.running else Done(reason="The epochs are spent.")
        self._open[number] = job
        self._numbers[self._key(history, job)] = number
        return step

    def _tell(self, history: History) -> None:
        for number, job in list(self._open.items()):
            if history.trials[number].budget >= job.budget:
                self._peer.tell(job, self._loss(history, number, job.budget))
                del self._open[number]

    def _key(self, history: History, job: Job) -> Any:
        self._encoding = self._encoding or SpaceEncoding(history.space)
        return self._encoding.key(job.configuration)

    def _loss(self, history: History, number: int, budget: int) -> float:
        """At the highest rung that the trial was evaluated at, up to the budget."""
        reached = [one.budget for one in history.trials[number].evaluations if one.budget <= budget]
        losses = losses_of(history.trials[number], history.objectives, reached[-1])
        assert losses is not None
        return losses[0]


class OptunaHyperband:
    """TPE with Optuna's pruner; between the rungs it prunes nothing, so trials are shown to it at rungs only."""

    def __init__(self, spec: StudySpec, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._rungs = spec.rungs
        # The rungs of the study, or the peer would be compared at other budgets than ours.
        pruner = optuna.pruners.HyperbandPruner(
            min_resource=self._rungs[0], max_resource=self._rungs[-1], reduction_factor=spec.fidelity.factor
        )
        self._pruned = optuna.trial.TrialState.PRUNED
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=pruner)
        self._space = {name: distribution(domain) for name, domain in spec.space.parameters.items()}
        self._climbing: list[Job] = []

    def ask(self) -> Job:
        if self._climbing:
            return self._climbing.pop(0)
        trial = self._study.ask(self._space)
        return Job(trial.params, self._rungs[0], trial)

    def tell(self, job: Job, loss: float) -> None:
        job.token.report(loss, job.budget)
        if job.budget == self._rungs[-1]:
            self._study.tell(job.token, loss)
        elif job.token.should_prune():
            self._study.tell(job.token, state=self._pruned)
        else:
            self._climbing.append(job._replace(budget=self._rungs[self._rungs.index(job.budget) + 1]))


class DehbPeer:
    """Differential evolution over the brackets of Hyperband."""

    def __init__(self, spec: StudySpec, seed: int) -> None:
        from dehb import DEHB
        from loguru import logger

        # DEHB logs each job to stderr by loguru, which the standard logging cannot silence.
        logger.remove()
        rungs = spec.rungs
        self._dehb = DEHB(
            f=None,
            cs=config_space(spec.space, seed),
            min_fidelity=rungs[0],
            max_fidelity=rungs[-1],
            eta=spec.fidelity.factor,
            n_workers=1,
            seed=seed,
            output_path=tempfile.mkdtemp(),
            save_freq="end",
        )

    def ask(self) -> Job:
        job = self._dehb.ask()
        return Job(plain(job["config"]), round(float(job["fidelity"])), job)

    def tell(self, job: Job, loss: float) -> None:
        self._dehb.tell(job.token, {"fitness": loss, "cost": float(job.budget)})


class SmacHyperband:
    """SMAC3's facade for several fidelities: a random forest and Hyperband."""

    def __init__(self, spec: StudySpec, seed: int) -> None:
        import smac

        logging.disable(logging.WARNING)
        rungs = spec.rungs
        scenario = smac.Scenario(
            config_space(spec.space, seed),
            deterministic=True,
            # About as many rungs of trials as there will be: a quarter of them is its initial design. SMAC itself
            # ends nothing here, the epochs do.
            n_trials=max(1, round(spec.trainings_by_epochs * len(rungs))),
            min_budget=rungs[0],
            max_budget=rungs[-1],
            seed=seed,
            output_directory=Path(tempfile.mkdtemp()),
        )
        facade = smac.MultiFidelityFacade
        self._facade = facade(
            scenario,
            lambda config, seed=0, budget=0: 0.0,
            intensifier=facade.get_intensifier(scenario, eta=spec.fidelity.factor),
            overwrite=True,
            logging_level=False,
        )

    def ask(self) -> Job:
        info = self._facade.ask()
        return Job(plain(info.config), round(float(info.budget)), info)

    def tell(self, job: Job, loss: float) -> None:
        from smac.runhistory.dataclasses import TrialValue

        self._facade.tell(job.token, TrialValue(cost=loss))


class BohbSampler:
    """The kernel densities of hpbandster's BOHB; its Hyperband runs on our brackets, which are the same."""

    def __init__(self, spec: StudySpec, seed: int) -> None:
        from hpbandster.optimizers.config_generators.bohb import BOHB

        logging.disable(logging.WARNING)
        warnings.simplefilter("ignore", FutureWarning)
        np.random.seed(seed)  # noqa: NPY002 - hpbandster draws from the global generator
        self._generator = BOHB(config_space(spec.space, seed))
        self._full = spec.full_budget
        self._told: set[tuple[int, int]] = set()

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        for trial in history.trials:
            for evaluation in trial.evaluations:
                self._tell(history, trial.number, evaluation.budget)
        return [self._generator.get_config(self._full)[0] for _ in range(count)]

    def _tell(self, history: History, number: int, budget: int) -> None:
        if (number, budget) in self._told:
            return
        self._told.add((number, budget))
        trial = history.trials[number]
        losses = losses_of(trial, history.objectives, budget)
        assert losses is not None
        self._generator.new_result(
            SimpleNamespace(
                kwargs={"budget": float(budget), "config": dict(trial.configuration)},
                result={"loss": losses[0]},
                exception=None,
            )
        )


def bohb(spec: StudySpec, seed: int) -> Strategy:
    """BOHB: Hyperband whose configurations come from kernel densities."""
    planner = ComposedPlanner(BohbSampler(spec, seed), HalvingSchedule.hyperband(spec))
    return BudgetedStrategy(SpaceEncoding(spec.space), planner)
