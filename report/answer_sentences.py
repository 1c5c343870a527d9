"""The answer of a study in a sentence or two that claim no more than was measured; decides nothing."""

from pegbox.report.incumbent import BrokenConstraint
from pegbox.report.number_format import metric, percent, uncertain
from pegbox.report.status import StudyStatus
from pegbox.schemas.base import Metrics
from pegbox.schemas.selection import Finalist, FrontPoint, Interval, Selection
from pegbox.schemas.trial import TrialState


def verdict(status: StudyStatus, selection: Selection | None) -> str:
    """What to run and how sure that is or, where that cannot be said, why not."""
    if selection is not None:
        return _front_winner(selection) if selection.front else _winner(selection)
    seen = status.incumbent
    if seen is None:
        return why_nothing(status)
    if status.front is None:
        return (
            f"Trial {seen.trial} has the best {status.metric} that the search saw, {metric(seen.value)}. "
            "It was picked by that value, so that it is optimistic."
        )
    front = len(status.front.trials)
    place = f"is the knee of a front of {front} trials" if front > 1 else "is the best in every objective"
    return (
        f"Trial {seen.trial} {place} that the search saw, with {values_in_words(seen.values)}. It was "
        "picked by these values, so that they are optimistic."
    )


def why_nothing(status: StudyStatus) -> str:
    """Why no trial can be named."""
    completed, failed = (status.counts.get(state, 0) for state in (TrialState.COMPLETED, TrialState.FAILED))
    if completed and (broken := [one for one in status.constraints if one.n_broken]):
        return " ".join(["No trial keeps every constraint.", *(_broken(one, completed) for one in broken)])
    if completed:
        return f"No trial has a value of {_names(status)}."
    n_trials = sum(status.counts.values())
    if failed and failed == n_trials:
        kinds = ", ".join(f"{count} {kind.value.replace('_', ' ')}" for kind, count in status.failures.items())
        return f"No trial has a value: {_all_of(failed)} failed ({kinds})."
    so_far = ", ".join(f"{count} {state.value}" for state, count in status.counts.items())
    return f"No trial has a value yet: {so_far}." if so_far else "No trial has a value yet: none has begun."


def certainty(selection: Selection) -> str:
    """How far the finalists can be told apart, in one or two sentences."""
    if selection.front:
        return _certainty_of_front(selection)
    winner, n_finalists = selection.winner, len(selection.finalists)
    chance = selection.best.probability_best
    if chance is None:
        which = "finalist" if n_finalists == 1 else "finalist that keeps the constraints"
        return f"Trial {winner} is the only {which}: there was no other to compare it with."
    # One seed each: a probability would rest on no spread that was measured.
    if all(one.interval is None for one in selection.finalists):
        return "Nothing is known of the spread over fresh seeds: the order of the finalists may be luck."
    first = f"Trial {winner} is the best of {n_finalists} finalists with probability {percent(chance)}."
    if not selection.ties:
        return f"{first} Each other is worse than it with a probability of at least {percent(selection.level)}."
    names = ", ".join(map(str, selection.ties))
    trials = f"trial {names} cannot" if len(selection.ties) == 1 else f"trials {names} cannot"
    return f"{first} At {percent(selection.level)} {trials} be told from it."


def _certainty_of_front(selection: Selection) -> str:
    """Of several objectives: a finalist is on the front where no other is as good in all of them."""
    chance, n_front = selection.best.probability_best, len(selection.front)
    if chance is None:
        return f"Trial {selection.winner} is the only finalist that may win: there was no other to compare it with."
    first = f"With probability {percent(chance)} no other finalist beats trial {selection.winner} in every objective."
    if n_front == 1:
        return f"{first} It stands alone on the front."
    others = "one other trades" if n_front == 2 else f"{n_front - 1} others trade"
    return f"{first} It is the knee of the front; {others} the objectives in another way."


def seeds_in_words(finalist: Finalist) -> str:
    """On how many fresh seeds a finalist was measured, and how many failed.

    >>> seeds_in_words(Finalist(trial=1, configuration={}, search_value=1, values=(1,), n_failed=2, mean=1))
    '1 fresh seed, 2 more failed'
    """
    count = len(finalist.values)
    failed = f", {finalist.n_failed} more failed" if finalist.n_failed else ""
    return f"{count} fresh seed{'' if count == 1 else 's'}{failed}"


def with_interval(finalist: Finalist) -> str:
    """The expected value of a finalist, with its interval where there is one."""
    return _with(finalist.expected, finalist.interval)


def point_with_interval(point: FrontPoint, name: str) -> str:
    """The expected value of one objective at a point of the front, with its interval where there is one."""
    return _with(point.estimates[name], point.intervals.get(name))


def against_baseline(selection: Selection) -> str | None:
    """Whether the winner beats the configuration that the user gave; None where none was given."""
    if selection.baseline is None:
        return None
    if selection.baseline == selection.winner:
        return f"Nothing beat the configuration that you gave (trial {selection.baseline}) beyond noise."
    # A difference of single runs has no interval, and a bare number would read as a result.
    if selection.gain is None:
        return f"One seed cannot say whether it beats the configuration that you gave (trial {selection.baseline})."
    return f"Against the configuration that you gave (trial {selection.baseline}): {gain_in_words(selection.gain)}."


def gain_in_words(gain: Interval) -> str:
    """`better by 0.10 to 0.30`, with the interval's ends in units of the metric."""
    amount = f"{metric(abs(gain.low), 2)} to {metric(abs(gain.high), 2)}"
    if gain.low > 0:
        return f"better by {amount}"
    if gain.high < 0:
        return f"worse by {metric(-gain.high, 2)} to {metric(-gain.low, 2)}"
    return f"no difference is shown, between {metric(-gain.low, 2)} worse and {metric(gain.high, 2)} better"


def values_in_words(values: Metrics) -> str:
    """`val_loss 0.2031 and seconds 12.40`."""
    *first, last = (f"{name} {metric(value)}" for name, value in values.items())
    return f"{', '.join(first)} and {last}" if first else last


def _winner(selection: Selection) -> str:
    best = selection.best
    level = f"{100 * best.interval.level:.0f} % interval, " if best.interval else ""
    value = f"{selection.metric} {with_interval(best)} ({level}{seeds_in_words(best)})"
    return f"Run trial {selection.winner}: {value}. {selection.reason}"


def _front_winner(selection: Selection) -> str:
    point = next(one for one in selection.front if one.trial == selection.winner)
    values = ", ".join(f"{name} {point_with_interval(point, name)}" for name in point.estimates)
    return f"Run trial {selection.winner}: {values}. {selection.reason}"


def _broken(one: BrokenConstraint, n_completed: int) -> str:
    """Of a constraint that completed trials break."""
    who = f"{one.n_broken} of {n_completed} completed trials" if one.n_broken < n_completed else _all_of(n_completed)
    nearest = "none reported it" if one.nearest is None else f"the nearest has {metric(one.nearest)}"
    verb = "breaks" if one.n_broken == 1 else "break"
    return f"{who[0].upper()}{who[1:]} {verb} {one.metric} {one.limit}; {nearest}."


def _all_of(count: int) -> str:
    return "the only trial" if count == 1 else f"all {count} trials"


def _names(status: StudyStatus) -> str:
    return " and ".join(goal.metric for goal in status.objectives)


def _with(value: float, interval: Interval | None) -> str:
    return uncertain(value, interval.low, interval.high) if interval else metric(value)
