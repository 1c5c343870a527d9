"""Regret of search methods where the best lies inside, values are noisy, losses explode, or parameters are many.

    python benchmarks/problems.py [--quick] [--json] [--methods "bayes,SMAC3,BoTorch"]
        [--environments SMAC3=/envs/smac/bin/python --progress runs.jsonl]

Regret is that of the true loss of the configuration with the best observed one: 0 for the best that is known, 1 for a
median random configuration. Beside it stands the share of a method's later trials that have two or more coordinates
exactly on a bound: the best of these problems lie inside.
"""

import argparse
import json
import os
import sys
import time
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import problem_set
import real_training
from figures import Figure, conclude, parser, tell_machine
from full_peers import UnspeakableSpaceError
from peers import PEERS, available, pairs, record_elsewhere, use_hub
from problem_set import HUGE, Problem, Reference

from pegbox.schemas.base import Configuration
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
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
        value = self._observed(configuration)
        self.seen.append(value)
        if np.isfinite(value):
            return Outcome({"loss": value})
        return Outcome(Failure(kind=FailureKind.DIVERGED, message="It fails there."))

    def _observed(self, configuration: Configuration) -> float:
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
    # By the problem's name too: the first points of two problems are not the same ones.
    spec = study(problem, method, 1000 * seed + zlib.crc32(problem.name.encode()) % 997, n_trials)
    strategy = PEERS[method].build(spec, spec.search_seed) if method in PEERS else strategy_for(spec)
    objective = Objective(problem, seed)
    begin = time.process_time()
    Simulation(strategy, History(spec=spec), objective).run()
    ask_ms = 1000 * (time.process_time() - begin) / n_trials
    losses = {str(count): objective.best_after(count) for count in (*AT, n_trials) if count <= n_trials}
    corners = float(np.mean([_n_bounds(spec, one) >= 2 for one in objective.tried[n_trials // 2 :]]))
    return Run(problem.group, problem.name, method, seed, n_trials, losses, corners, ask_ms)


def _n_bounds(spec: StudySpec, configuration: Configuration) -> int:
    """Coordinates that lie exactly on a bound of a range; lists and short ranges have no inside to speak of."""
    ranges = ((domain, configuration.get(name)) for name, domain in spec.space.parameters.items())
    ends = ((getattr(domain, "min", None), getattr(domain, "max", None), value) for domain, value in ranges)
    return sum(
        value is not None and low is not None and high - low != 19 and value in (low, high) for low, high, value in ends
    )


def runs(options: argparse.Namespace) -> Iterable[Run]:
    known = recorded(options.progress)
    methods = available(options.methods, [method for _, method, _, _ in known])
    for seed in range(options.seeds):
        for problem in options.problems:
            n_trials = min(options.trials, 30) if problem.group == REAL else options.trials
            for method in methods:
                one = known.get((problem.name, method, seed, n_trials)) or attempt(problem, method, seed, n_trials)
                if one is None:
                    continue
                if options.progress and (problem.name, method, seed, n_trials) not in known:
                    with options.progress.open("a") as file:
                        file.write(json.dumps(one._asdict()) + "\n")
                yield one


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


def summary(done: list[Run], known: dict[str, Reference]) -> list[dict[str, Any]]:
    """One row a group and method."""
    rows = []
    for group in dict.fromkeys(one.group for one in done):
        for method in dict.fromkeys(one.method for one in done):
            own = [one for one in done if (one.group, one.method) == (group, method)]
            if not own:
                continue
            row: dict[str, Any] = {"group": group, "method": method, "runs": len(own)}
            for at in own[0].losses:
                regrets = [_regret(one.losses[at], known[one.problem]) for one in own]
                by_seed = [
                    [r for r, one in zip(regrets, own, strict=True) if one.seed == seed]
                    for seed in {o.seed for o in own}
                ]
                means = [float(np.mean(values)) for values in by_seed]
                error = float(np.std(means, ddof=1) / len(means) ** 0.5) if len(means) > 1 else float("nan")
                row[at] = (float(np.mean(regrets)), error, float(np.median(regrets)), max(regrets))
            row["corners"] = float(np.mean([one.corners for one in own]))
            row["ask_ms"] = float(np.mean([one.ask_ms for one in own]))
            rows.append(row)
    return rows


def _regret(loss: float, known: Reference) -> float:
    # At most 2, so that one diverged real training does not speak for all of a group.
    return min((loss - known.best) / (known.median - known.best), 2.0)


def tell(rows: list[dict[str, Any]]) -> None:
    print(f"{'group':16}{'method':14}{'runs':>5}  regret: mean ± error over seeds (median, worst)")
    for row in rows:
        cells = "".join(
            f"  @{at} {mean:.3f} ± {error:.3f} ({median:.3f}, {worst:.2f})"
            for at, (mean, error, median, worst) in ((at, row[at]) for at in row if at.isdigit() and int(at) >= 25)
        )
        print(
            f"{row['group']:16}{row['method']:14}{row['runs']:>5}{cells}  corners {row['corners']:.0%}"
            f"  {row['ask_ms']:.1f} ms"
        )


def parse() -> argparse.Namespace:
    made = parser(__doc__, "one problem of each group, one seed, 25 trials")
    made.add_argument("--methods", default="bayes,Optuna TPE,random", help=f"ours, or of {', '.join(PEERS)}")
    made.add_argument("--groups", help="only these, such as interior,noisy")
    made.add_argument("--seeds", type=int, default=5)
    made.add_argument("--trials", type=int, default=50, help="real trainings take at most 30")
    made.add_argument("--kept", action="store_true", help="the problems on which no constant was chosen")
    made.add_argument(
        "--hub", type=Path, help="a copy of OptunaHub's registry, for Optuna AutoSampler without a network"
    )
    made.add_argument("--environments", type=pairs, default={}, help="PEER=PYTHON,...: run these peers by that Python")
    made.add_argument("--progress", type=Path, help="append each run to this file, and do not repeat what it holds")
    options = made.parse_args()
    if options.hub:
        use_hub(options.hub)
    options.by_name = problems(options.kept)
    groups = options.groups.split(",") if options.groups else None
    options.problems = [one for one in options.by_name.values() if groups is None or one.group in groups]
    options.methods = options.methods.split(",")
    rungs = [method for method in options.methods if method in PEERS and PEERS[method].has_rungs]
    if rungs:
        made.error(f"{rungs[0]} decides how far to train, and these problems have no epochs; see lcbench.py.")
    if options.environments and not options.progress:
        made.error("--environments needs --progress, the file in which all environments write their runs.")
    if options.quick:
        options.seeds, options.trials = 1, 25
        options.problems = list({one.group: one for one in reversed(options.problems)}.values())
    return options


def same_runs(options: argparse.Namespace) -> list[str]:
    """The arguments that choose the same runs in another process."""
    names = ["--seeds", str(options.seeds), "--trials", str(options.trials)]
    flags = [flag for flag, is_set in (("--kept", options.kept), ("--quick", options.quick)) if is_set]
    given = [("--groups", options.groups), ("--hub", options.hub and str(options.hub.absolute()))]
    return [*names, *flags, *(word for name, value in given if value for word in (name, value))]


def main() -> int:
    options = parse()
    if options.environments:
        record_elsewhere(__file__, options.environments, options.progress.absolute(), same_runs(options))
        options.methods += [peer for peer in options.environments if peer not in options.methods]
    tell_machine("optuna", "scikit-learn")
    done = list(runs(options))
    rows = summary(done, references(done, options.by_name))
    tell(rows)
    last = {row["group"]: max((at for at in row if at.isdigit()), key=int) for row in rows}
    figures = [
        Figure(f"regret at {last[row['group']]}, {row['group']}, {row['method']}", row[last[row["group"]]][0])
        for row in rows
    ]
    figures += [Figure(f"asks on two bounds, {row['group']}, {row['method']}", row["corners"]) for row in rows]
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
