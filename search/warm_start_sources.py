"""Warm start: which earlier studies a study learns from, and whether it can; what it learns lives in `model`."""

from collections.abc import Sequence

from pegbox.schemas.errors import Problem, StudyError, suggest
from pegbox.schemas.study import StudySpec
from pegbox.schemas.warm_start import EarlierStudy, PastStudy
from pegbox.search.auto_method import choose_method

LEARNERS = ("bayes", "freeze_thaw")
FEWEST_TRIALS = 5
"""Completed trials that an earlier study needs to be listened to. Picked by hand: fewer give a model that is all prior,
whose mean would be believed as if it were knowledge."""
MOST_EARLIER = 16
"""Studies that `auto` and `own` take, the latest. Picked by hand: each is fitted before the first decision and asked at
every candidate of every later one."""
FOR_DATA = "@"
"""Parts the name of a scheduled study from the state of the data that it was tuned on: `NAME@4f1d22aa`."""
PATH = ("search", "warm_start")


def is_warm_started(spec: StudySpec) -> bool:
    """True if the study is to learn from earlier ones, should there be any."""
    asked = spec.search.warm_start
    is_asked = FOR_DATA in spec.name if asked == "own" else asked != "none"
    return is_asked and _why_not(spec) is None


def check_warm_start(spec: StudySpec) -> tuple[Problem, ...]:
    """What is wrong with the studies that are asked for; the store is not looked at."""
    asked = spec.search.warm_start
    if asked in {"none", "own"}:
        return ()
    reason = _why_not(spec)
    if reason:
        return (Problem(f"{reason} Leave warm_start out.", PATH),)
    if isinstance(asked, tuple) and spec.name in asked:
        return (Problem(f"{spec.name!r} is this study itself. Name others, or take `auto`.", PATH),)
    return ()


def choose_warm_start(spec: StudySpec, past: Sequence[PastStudy]) -> tuple[EarlierStudy, ...]:
    """The studies to learn from: those that are named, else the latest that fit.

    Args:
        spec: The study that learns.
        past: All studies of the store, the latest first.

    Raises:
        StudyError: A study is named that is not there, or from which nothing can be learnt.
    """
    asked = spec.search.warm_start
    if isinstance(asked, tuple):
        return tuple(_named(name, spec, past).pinned for name in dict.fromkeys(asked))
    fitting = [one for one in past if one.spec.name != spec.name and not _misfit(spec, one)]
    if asked == "own":
        own = spec.name.rpartition(FOR_DATA)[0]
        fitting = [one for one in fitting if one.spec.name.rpartition(FOR_DATA)[0] == own]
    return tuple(one.pinned for one in fitting[:MOST_EARLIER])


def _named(name: str, spec: StudySpec, past: Sequence[PastStudy]) -> PastStudy:
    found = next((one for one in past if one.spec.name == name), None)
    if found is None:
        known = [one.spec.name for one in past if one.spec.name != spec.name]
        message = f"The store holds no study {name!r} to learn from. {suggest(name, known)}"
        raise StudyError(Problem(message, PATH), source=spec.name)
    reason = _misfit(spec, found)
    if reason:
        message = f"Nothing can be learnt from study {name!r}: {reason}. Leave it out."
        raise StudyError(Problem(message, PATH), source=spec.name)
    return found


def _misfit(spec: StudySpec, past: PastStudy) -> str | None:
    """Why one study cannot warm-start another, as half a sentence; None where it can."""
    if len(past.spec.goals) != 1:
        return f"it has {len(past.spec.goals)} objectives"
    old, new = past.spec.goals[0], spec.goals[0]
    if (old.metric, old.goal) != (new.metric, new.goal):
        return f"it was to {old.goal} {old.metric}, this one is to {new.goal} {new.metric}"
    if past.spec.train.kind != spec.train.kind:
        return f"it trains a {past.spec.train.kind}, this one a {spec.train.kind}"
    # Half by hand: with fewer in common what differed between the trials is mostly not what is searched here.
    ours, theirs = set(spec.space.parameters), set(past.spec.space.parameters)
    if 2 * len(ours & theirs) < len(ours):
        return f"it shares {len(ours & theirs)} of the {len(ours)} parameters, at least half are needed"
    if past.n_completed < FEWEST_TRIALS:
        return f"it has {past.n_completed} completed trials, at least {FEWEST_TRIALS} are needed"
    return None


def _why_not(spec: StudySpec) -> str | None:
    """Why the search cannot learn from others, in one sentence; None where it can."""
    method = choose_method(spec).method
    if method not in LEARNERS:
        return f"{method} learns nothing from earlier studies; {' and '.join(LEARNERS)} do."
    if spec.space.sum:
        return "Earlier studies cannot teach about parameters that share a sum."
    if len(spec.goals) > 1:
        return f"Earlier studies teach one objective, and this study has {len(spec.goals)}."
    return None
