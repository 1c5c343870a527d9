"""One method on one of the problems with one seed, and what its regret is measured against; no table, no arguments."""

import json
import sys
import time
import zlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import problem_set
import real_training
from full_peers import UnspeakableSpaceError
from peers import PEERS
from problem_set import HUGE, Problem, Reference
from selection import with_replicates

from pegbox.analysis.elimination import next_replicates
from pegbox.analysis.selection import select_winner
from pegbox.schemas.base import Configuration
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.plan import FinalistsSpec
from pegbox.schemas.study import StudySpec
from pegbox.search.methods import strategy_for
from pegbox.search.simulation import Outcome, Simulation

AT = (10, 25, 30, 50, 100)
N_JUDGED = 6
"""Fresh seeds whose mean is the true loss of a real training."""
N_REFERENCE = 60
"""Random configurations among which a real training's best and median are looked for."""
REAL = "real"


class Run(NamedTuple):
    """One method on one problem with one seed."""

    group: str
    problem: str
    method: str
    seed: int
    n_trials: int
    losses: dict[str, float]
    """True loss of the configuration with the best observed one, by how many trials were seen."""
    corners: float
    """Share of the later half of the trials with two or more coordinates exactly on a bound."""
    ask_ms: float


class Objective:
    """What a method sees, and what the truth is."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.seen: list[float] = []
        self.tried: list[Configuration] = []
        self._problem = problem
        self._noise = problem.noise * (reference(problem).median - reference(problem).best) if problem.noise else 0.0
        self._rng = np.random.default_rng([seed, 77])

    def __call__(self, configuration: Configuration, from_budget: int, to_budget: int) -> Outcome:
        self.tried.append(dict(configuration))
        value = self.observed(configuration)
        self.seen.append(value)
        if np.isfinite(value):
            return Outcome({"loss": value})
        return Outcome(Failure(kind=FailureKind.DIVERGED, message="It fails there."))

    def observed(self, configuration: Configuration) -> float:
        """A loss as one training gives it; NaN where it fails."""
        problem, rng = self._problem, self._rng
        if problem.group == REAL:
            return real_training.trained(problem.name, configuration, 1000 + int(rng.integers(10**9)))
        if problem.fails and problem.fails(configuration):
            return float("nan")
        if problem.explodes and problem.explodes(configuration):
            return float(HUGE * rng.random())
        if problem.explodes and rng.random() < problem_set.ACCIDENTS:
            return HUGE
        return problem.true(configuration) + self._noise * float(rng.normal())

    def best_after(self, count: int) -> float:
        """True loss of the configuration that looks best after so many trials."""
        seen = np.nan_to_num(np.array(self.seen[:count]), nan=np.inf)
        return self._problem.true(self.tried[int(np.argmin(seen))])


def real_loss(name: str, configuration: Configuration) -> float:
    """The mean over fresh seeds; the largest that is counted where one diverges."""
    # 50, far above what guessing gives: a mean of a diverged loss of 1e30 would tell of nothing else.
    losses = [real_training.trained(name, configuration, seed) for seed in range(N_JUDGED)]
    return float(np.mean(np.minimum(np.nan_to_num(losses, nan=50.0), 50.0)))


def problems(is_kept: bool) -> dict[str, Problem]:
    names = real_training.KEPT if is_kept else real_training.DEVELOPMENT
    real = {
        name: Problem(REAL, name, real_training.SPACE, lambda one, name=name: real_loss(name, one)) for name in names
    }
    return (problem_set.KEPT if is_kept else problem_set.DEVELOPMENT) | real


@cache
def real_reference(name: str) -> Reference:
    spec = study(Problem(REAL, name, real_training.SPACE, lambda one: 0.0), "random", 0, N_REFERENCE)
    history = Simulation(strategy_for(spec), History(spec=spec), lambda *_: Outcome({"loss": 0.0})).run()
    losses = [real_loss(name, trial.configuration) for trial in history.trials]
    return Reference(min(losses), float(np.median(losses)))


def reference(problem: Problem) -> Reference:
    return real_reference(problem.name) if problem.group == REAL else problem_set.reference(problem.name)


def study(problem: Problem, method: str, seed: int, n_trials: int) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "problems",
            "train": {"kind": "function", "function": "problems:train"},
            "space": problem.space,
            "objective": {"metric": "loss"},
            "search": {"method": "random" if method in PEERS else method, "seed": seed},
            "budget": {"trials": n_trials},
        }
    )


def run(problem: Problem, method: str, seed: int, n_trials: int) -> Run:
    """One run; `METHOD/finalists` ends as a study does, of as many trainings in all."""
    sampler, _, ending = method.partition("/")
    n_searched = n_trials_before_finalists(n_trials) if ending == "finalists" else n_trials
    # By the problem's name too: the first points of two problems are not the same ones.
    spec = study(problem, sampler, 1000 * seed + zlib.crc32(problem.name.encode()) % 997, n_searched)
    strategy = PEERS[method].build(spec, spec.search_seed) if method in PEERS else strategy_for(spec)
    objective = Objective(problem, seed)
    begin = time.process_time()
    history = Simulation(strategy, History(spec=spec), objective).run()
    ask_ms = 1000 * (time.process_time() - begin) / n_searched
    losses = {str(count): objective.best_after(count) for count in (*AT, n_trials) if count <= n_searched}
    if n_searched < n_trials:
        losses = {str(n_trials): problem.true(winner(history, objective))}
    corners = float(np.mean([_n_bounds(spec, one) >= 2 for one in objective.tried[n_searched // 2 :]]))
    return Run(problem.group, problem.name, method, seed, n_trials, losses, corners, ask_ms)


def n_trials_before_finalists(n_trainings: int) -> int:
    """How many a search may have where its trainings and those of its finalists are so many together."""

    def together(n_trials: int) -> int:
        top, seeds = FinalistsSpec().after(n_trials)
        return n_trials + top * seeds

    return max(count for count in range(1, n_trainings) if together(count) <= n_trainings)


def winner(history: History, objective: Objective) -> Configuration:
    """Of the finalists, each trained on fresh seeds, as a study does it."""
    while missing := next_replicates(history):
        values = ((one, objective.observed(history.trials[one.trial].configuration)) for one in missing)
        # The worst there is for a seed that failed, so that its finalist does not win by it.
        history = with_replicates(
            history, [(one.trial, one.replicate or 0, value if np.isfinite(value) else HUGE) for one, value in values]
        )
    return dict(history.trials[select_winner(history).winner].configuration)


def _n_bounds(spec: StudySpec, configuration: Configuration) -> int:
    """Coordinates that lie exactly on a bound of a range; lists and short ranges have no inside to speak of."""
    ranges = ((domain, configuration.get(name)) for name, domain in spec.space.parameters.items())
    ends = ((getattr(domain, "min", None), getattr(domain, "max", None), value) for domain, value in ranges)
    return sum(
        value is not None and low is not None and high - low != 19 and value in (low, high) for low, high, value in ends
    )


def attempt(problem: Problem, method: str, seed: int, n_trials: int) -> Run | None:
    """The run; None where the peer is not installed here, or cannot be told the space, which is said once."""
    if method in PEERS and PEERS[method].why_not:
        return None
    try:
        return run(problem, method, seed, n_trials)
    except UnspeakableSpaceError as reason:
        if seed == 0:
            print(f"{method} is skipped on {problem.name}: {reason}", file=sys.stderr)
        return None


def recorded(path: Path | None) -> dict[tuple[str, str, int, int], Run]:
    if path is None or not path.exists():
        return {}
    known = [Run(**json.loads(line)) for line in path.read_text().splitlines()]
    return {(one.problem, one.method, one.seed, one.n_trials): one for one in known}


def references(done: list[Run], by_name: dict[str, Problem]) -> dict[str, Reference]:
    """Of each problem; a run that found more than was known moves the best, so that no regret is below 0."""
    found = {}
    for name in dict.fromkeys(one.problem for one in done):
        best, median = reference(by_name[name])
        found[name] = Reference(min(best, *(min(one.losses.values()) for one in done if one.problem == name)), median)
    return found


def regret(loss: float, known: Reference) -> float:
    # At most 2, so that one diverged real training does not speak for all of a group.
    return min((loss - known.best) / (known.median - known.best), 2.0)
