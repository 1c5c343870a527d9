"""The search space of an Optuna objective, recorded by running it with a probing trial in a child process.

Each probe is stopped at its first report, or when it has asked for nothing new for a while; choices and small whole
numbers are gone through one by one, so that what is asked for only beside some of them becomes conditional on them.
"""

import importlib
import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pegbox.integrations.draft import Draft
from pegbox.integrations.ranges import RawDomain, number_range

QUIET_SECONDS = 20.0
"""A probe that asks for nothing new for so long is training; picked by hand: imports of large libraries take ten."""
# Picked by hand: each is a process that imports the user's libraries, so that this is minutes already.
MOST_PROBES = 64
# Picked by hand: numbers of layers or blocks are seldom larger, while sizes and seeds are, and decide nothing.
MOST_BRANCHES = 12
"""Values of a whole number up to which each is probed, such as a number of layers."""


@dataclass(frozen=True)
class Asked:
    """One parameter as an objective asked for it, and what the probe answered."""

    name: str
    domain: RawDomain
    branches: tuple[Any, ...]
    """Values worth a probe of their own, the first one first."""
    answer: Any


@dataclass
class Probed:
    """What all probes asked for."""

    paths: list[list[Asked]] = field(default_factory=list)
    unfinished: int = 0
    """Probes that were ended because they began to train."""
    error: str | None = None
    """What the first failing probe died of."""
    is_complete: bool = True


# No Exception, because objectives catch these, to report a failed training as a bad value.
class _ProbeEnded(BaseException):
    """Leaves the objective whatever it catches."""


class ProbingTrial:
    """Answers what an objective asks of its trial, and tells its parent of it."""

    number = 0

    def __init__(self, forced: dict[str, Any], tell: Connection) -> None:
        self._forced, self._tell = forced, tell
        self._known: dict[str, Any] = {}
        self.params = self._known
        self.user_attrs: dict[str, Any] = {}

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """The middle of the range."""
        # In the middle no objective divides by zero or runs out of memory, as it may at the ends.
        middle = (low * high) ** 0.5 if log and low > 0 else (low + high) / 2
        middle = low + round((middle - low) / step) * step if step else middle
        return float(self._ask(name, number_range(float(low), float(high), log=log, step=step), (middle,)))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Each value of a short range in turn, the middle of a long one."""
        values = tuple(range(low, high + 1, step))
        branches = values if len(values) <= MOST_BRANCHES else (values[len(values) // 2],)
        return int(self._ask(name, number_range(low, high, log=log, step=step, whole=True), branches))

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Each choice in turn."""
        return self._ask(name, {"values": list(choices)}, tuple(choices))

    def suggest_uniform(self, name: str, low: float, high: float) -> float:
        """Optuna's older name of `suggest_float`."""
        return self.suggest_float(name, low, high)

    def suggest_loguniform(self, name: str, low: float, high: float) -> float:
        """Optuna's older name of `suggest_float` on a logarithmic scale."""
        return self.suggest_float(name, low, high, log=True)

    def suggest_discrete_uniform(self, name: str, low: float, high: float, q: float) -> float:
        """Optuna's older name of `suggest_float` with a step."""
        return self.suggest_float(name, low, high, step=q)

    def report(self, *_: Any, **__: Any) -> None:
        """Training has begun: everything has been asked for."""
        raise _ProbeEnded

    def should_prune(self) -> bool:
        """Never: the probe ends at its first report."""
        return False

    def set_user_attr(self, key: str, value: Any) -> None:
        """Kept as Optuna does."""
        self.user_attrs[key] = value

    def _ask(self, name: str, domain: RawDomain, branches: tuple[Any, ...]) -> Any:
        if name not in self._known:
            self._known[name] = self._forced.get(name, branches[0])
            self._tell.send(("asked", Asked(name, domain, branches, self._known[name])))
        return self._known[name]


def probe_objective(file: Path, name: str) -> Probed:
    """Run the objective of a Python file with one probing trial after the other.

    Args:
        file: The module.
        name: The function that takes a trial.
    """
    probed, seen = Probed(), set()
    waiting: list[dict[str, Any]] = [{}]
    while waiting and len(probed.paths) < MOST_PROBES:
        forced = waiting.pop(0)
        path = _probe(file, name, forced, probed)
        probed.paths.append(path)
        for further in _branches(path, forced):
            key = tuple(sorted(further.items(), key=lambda one: one[0]))
            # By their text: choices may be lists, which cannot be in a set, and True equals 1.
            if repr(key) not in seen:
                seen.add(repr(key))
                waiting.append(further)
    probed.is_complete = not waiting
    return probed


def _branches(path: list[Asked], forced: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One value changed at a time: a condition on two values at once is met on the way of the first."""
    for asked in path:
        if asked.name not in forced:
            for value in asked.branches[1:]:
                yield {**forced, asked.name: value}


def _probe(file: Path, name: str, forced: dict[str, Any], probed: Probed) -> list[Asked]:
    # A fork would copy locks that threads of the imported libraries hold, and import nothing afresh.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_run_probe, args=(str(file), name, forced, theirs), daemon=True)
    child.start()
    # As long as this process holds the writing end too, the death of the child is no end of file.
    theirs.close()
    path: list[Asked] = []
    try:
        # The clock begins anew with each question: a slow import is no training, silence afterwards is.
        while ours.poll(QUIET_SECONDS):
            kind, content = ours.recv()
            if kind == "asked":
                path.append(content)
            elif kind == "failed" and probed.error is None:
                probed.error = content
            if kind != "asked":
                return path
        probed.unfinished += 1
    except EOFError:
        probed.error = probed.error or "the process ended without a word"
    finally:
        # SIGKILL, because what the objective loads may have a handler of its own for SIGTERM.
        child.kill()
        child.join()
        ours.close()
    return path


def _run_probe(file: str, name: str, forced: dict[str, Any], tell: Connection) -> None:
    # What the objective prints would land in the study file, which goes to stdout.
    sys.stdout = sys.stderr = open("/dev/null", "w")  # noqa: PTH123, SIM115 - for as long as the process lives
    try:
        objective = getattr(import_file(Path(file)), name)
        objective(ProbingTrial(forced, tell))
    except _ProbeEnded:
        pass
    except BaseException as error:  # noqa: BLE001 - also SystemExit: whatever ends the objective is told
        tell.send(("failed", f"{type(error).__name__}: {error}"))
        return
    tell.send(("ended", None))


def import_file(file: Path) -> Any:
    """The module of a Python file; its directory is on the path, as when it is run."""
    # First of all, so that its neighbours are found before installed packages of the same name.
    sys.path.insert(0, str(file.parent.resolve()))
    return importlib.import_module(file.stem)


def space_from_probes(probed: Probed, draft: Draft) -> dict[str, RawDomain]:
    """The space: each parameter once, with the conditions that the probes show."""
    found: dict[str, RawDomain] = {}
    for path in probed.paths:
        for asked in path:
            known = found.setdefault(asked.name, asked.domain)
            if known != asked.domain:
                draft.note(
                    f"The objective also asks for it as {asked.domain}; the first form stands.", "space", asked.name
                )
    answers = [{asked.name: asked.answer for asked in path} for path in probed.paths]
    for name, domain in found.items():
        when = _condition(name, found, answers)
        if when:
            found[name] = {**(domain if isinstance(domain, dict) else {"value": domain}), "when": when}
        elif not all(name in answer for answer in answers):
            draft.note("Not asked for in every trial; write `when` if it depends on another.", "space", name)
    return found


def _condition(name: str, found: dict[str, RawDomain], answers: list[dict[str, Any]]) -> dict[str, Any]:
    """The one parameter, asked for before, whose values decide whether this one is asked for; empty where none does."""
    if all(name in answer for answer in answers):
        return {}
    for parent in found:
        # In the order of asking: what is asked for later cannot have decided.
        if parent == name:
            return {}
        inside = _values(parent, (answer for answer in answers if name in answer))
        outside = _values(parent, (answer for answer in answers if name not in answer))
        if None in inside or not inside or {repr(one) for one in inside} & {repr(one) for one in outside if one}:
            continue
        values = [value for (value,) in inside]  # type: ignore[misc]
        return {parent: values[0] if len(values) == 1 else values}
    return {}


def _values(parent: str, answers: Iterator[dict[str, Any]]) -> list[tuple[Any] | None]:
    """The values of a parent, each once, in a tuple; None stands for where it was not asked for itself."""
    values: dict[str, tuple[Any] | None] = {}
    for answer in answers:
        one = (answer[parent],) if parent in answer else None
        values.setdefault(repr(one), one)
    return list(values.values())
