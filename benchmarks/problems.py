"""Regret of search methods where the best lies inside, values are noisy, losses explode, or parameters are many.

    python benchmarks/problems.py [--quick] [--json] [--methods "bayes,SMAC3,BoTorch"]
        [--environments SMAC3=/envs/smac/bin/python --progress runs.jsonl]

Regret is that of the true loss of the configuration with the best observed one: 0 for the best that is known, 1 for a
median random configuration. `bayes/finalists` ends as a study does, its winner chosen by fresh seeds, of as many
trainings in all. Beside it stands the share of a method's later trials that have two or more coordinates
exactly on a bound: the best of these problems lie inside.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from comparison import Comparison, compared, tell_comparisons
from figures import Figure, conclude, parser, tell_machine
from peers import PEERS, available, pairs, record_elsewhere, use_hub
from problem_runs import REAL, Run, attempt, problems, recorded, references, regret
from problem_set import Problem, Reference

SHOWN = ("25", "30", "50")
"""The counts of trials at which methods are compared."""
BARRED = ("bayes", "bayes/finalists")
"""The methods of ours that bars are for."""


def runs(options: argparse.Namespace) -> Iterable[Run]:
    known = recorded(options.progress)
    if options.recorded:
        asked = {(problem.name, n_trials_of(problem, options)) for problem in options.problems}
        of_these = (one for one in known.values() if (one.problem, one.n_trials) in asked)
        yield from (one for one in of_these if not options.methods or one.method in options.methods)
        return
    methods = available(options.methods, [method for _, method, _, _ in known])
    for seed in range(options.seeds):
        for problem in options.problems:
            n_trials = n_trials_of(problem, options)
            for method in methods:
                one = known.get((problem.name, method, seed, n_trials)) or attempt(problem, method, seed, n_trials)
                if one is None:
                    continue
                if options.progress and (problem.name, method, seed, n_trials) not in known:
                    with options.progress.open("a") as file:
                        file.write(json.dumps(one._asdict()) + "\n")
                yield one


def n_trials_of(problem: Problem, options: argparse.Namespace) -> int:
    return min(options.trials, 30) if problem.group == REAL else options.trials


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
                regrets = [regret(one.losses[at], known[one.problem]) for one in own]
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


def comparisons(done: list[Run], known: dict[str, Reference], own: str) -> list[list[Comparison]]:
    """Of one method with each peer, a list for each group and count of trials."""
    groups = []
    for group in dict.fromkeys(one.group for one in done):
        of = {at for one in done if one.group == group for at in one.losses if at in SHOWN}
        for at in sorted(of, key=int):
            regrets: dict[str, dict[tuple[str, int], float]] = {}
            for one in done:
                if one.group == group and at in one.losses:
                    found = regret(one.losses[at], known[one.problem])
                    regrets.setdefault(one.method, {})[one.problem, one.seed] = found
            peers = {method: runs for method, runs in regrets.items() if method in PEERS}
            groups.append(compared(group, int(at), regrets.get(own, {}), peers))
    return groups


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
    made.add_argument("--methods", help=f"ours, or of {', '.join(PEERS)}; bayes, Optuna TPE and random if left out")
    made.add_argument("--groups", help="only these, such as interior,noisy")
    made.add_argument("--seeds", type=int, default=5)
    made.add_argument("--trials", type=int, default=50, help="real trainings take at most 30")
    made.add_argument("--kept", action="store_true", help="the problems on which no constant was chosen")
    made.add_argument(
        "--hub", type=Path, help="a copy of OptunaHub's registry, for Optuna AutoSampler without a network"
    )
    made.add_argument("--environments", type=pairs, default={}, help="PEER=PYTHON,...: run these peers by that Python")
    made.add_argument("--progress", type=Path, help="append each run to this file, and do not repeat what it holds")
    made.add_argument("--recorded", action="store_true", help="tell of the runs that the file holds, and run nothing")
    options = made.parse_args()
    if options.recorded and not options.progress:
        made.error("--recorded needs --progress, the file that holds the runs.")
    if options.recorded and options.environments:
        made.error("--recorded runs nothing, and --environments says where to run; give one of them.")
    if options.hub:
        use_hub(options.hub)
    options.by_name = problems(options.kept)
    groups = options.groups.split(",") if options.groups else None
    options.problems = [one for one in options.by_name.values() if groups is None or one.group in groups]
    every = [] if options.recorded else ["bayes", "Optuna TPE", "random"]
    options.methods = options.methods.split(",") if options.methods else every
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
    known = references(done, options.by_name)
    rows = summary(done, known)
    tell(rows)
    last = {row["group"]: max((at for at in row if at.isdigit()), key=int) for row in rows}
    figures = [
        Figure(f"regret at {last[row['group']]}, {row['group']}, {row['method']}", row[last[row["group"]]][0])
        for row in rows
    ]
    figures += [Figure(f"asks on two bounds, {row['group']}, {row['method']}", row["corners"]) for row in rows]
    for own in dict.fromkeys(one.method for one in done if one.method not in PEERS):
        # Another method of ours is compared and held to none.
        figures += tell_comparisons(own, comparisons(done, known, own), options.kept and own in BARRED)
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
