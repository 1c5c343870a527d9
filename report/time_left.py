"""How long a study will still take: what is left to be trained, at the pace of what was trained; reads no store."""

from collections.abc import Sequence

from pegbox.analysis.elimination import FIRST_SEEDS
from pegbox.report.progress import Activity, Tally
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState


def seconds_left(spec: StudySpec, tally: Tally, running: Sequence[Activity] = ()) -> float | None:
    """Seconds until the study is over, finalists included; None before there is a pace, or where no limit tells.

    A result (a target, stagnation) may end it earlier, and a schedule may continue trials after the last has begun.

    Args:
        spec: Of the study.
        tally: Of its trials.
        running: The segments that are trained now.
    """
    # Nothing is guessed before the first trial: a number that jumps by a factor of ten is worse than none.
    if not tally.tried or not tally.trained_seconds or not tally.elapsed_seconds:
        return None
    done = tally.trained_seconds + sum(one.seconds or 0.0 for one in running)
    pace = tally.elapsed_seconds / done  # of the clock, for a second of training: idle workers and waits are in it
    search = 0.0 if tally.search_end is not None else _search_left(spec, tally, running, pace)
    return None if search is None else search + pace * _finalists_left(spec, tally, running)


def planned_replicates(spec: StudySpec, tally: Tally, running: Sequence[Activity] = ()) -> int:
    """Fresh seeds of the finalists' round: those that were begun, and at most so many more.

    Every finalist gets the first seeds at once, and clear losers no more: once a later seed has begun, the earlier ones
    are complete, and it is planned for no more finalists than got the one before it.
    """
    # At most so many: how many clear losers elimination will leave cannot be known before their seeds are trained.
    top, seeds = spec.finalists.after(tally.n_trainings)
    contenders = min(top, tally.counts.get(TrialState.COMPLETED, 0))
    begun = _begun(tally, running)
    last = max((seed for seed in begun if seed >= FIRST_SEEDS), default=-1)
    planned = 0
    for seed in range(max([seeds, *(one + 1 for one in begun)])):
        contenders = begun.get(seed, 0) if seed < last else max(contenders, begun.get(seed, 0))
        planned += contenders
    return planned


def _begun(tally: Tally, running: Sequence[Activity]) -> dict[int, int]:
    """Which fresh seed to how many finalists got it."""
    busy = {one.trial_seed for one in running}  # once, however many folds
    begun = {one.replicate: one.n_settled for one in tally.seed_rounds}
    for replicate in (one.replicate for one in busy if one.replicate is not None):
        begun[replicate] = begun.get(replicate, 0) + 1
    return begun


def _search_left(spec: StudySpec, tally: Tally, running: Sequence[Activity], pace: float) -> float | None:
    """Seconds until the limit that is met first; None where the study sets none that counts training."""
    limits = spec.budget
    per_epoch = tally.search_seconds / max(1, tally.epochs)
    lefts = []
    if limits.trials is not None:
        not_begun = max(0, limits.trials - tally.n_trials) * tally.search_seconds / tally.tried
        begun = sum(max(0, one.to_budget - one.step) for one in running if one.replicate is None) * per_epoch
        lefts.append(pace * (not_begun + begun))
    if limits.epochs is not None:
        lefts.append(pace * max(0, limits.epochs - tally.epochs) * per_epoch)
    if limits.cost is not None and tally.cost > 0:
        lefts.append(pace * max(0.0, limits.cost - tally.cost) * tally.search_seconds / tally.cost)
    if limits.search_seconds is not None:
        lefts.append(max(0.0, limits.search_seconds - tally.elapsed_seconds))
    # The limit that is met first ends the search, so that the least of them is what is left.
    return min(lefts, default=None)


def _finalists_left(spec: StudySpec, tally: Tally, running: Sequence[Activity]) -> float:
    """Seconds of training that the finalists' round still takes."""
    each = tally.mean_seconds or spec.full_budget * tally.search_seconds / max(1, tally.epochs)
    busy = [one.seconds or 0.0 for one in running if one.replicate is not None]
    # Both counted in seeds, of which one in training is neither done nor waiting.
    waiting = planned_replicates(spec, tally, running) - tally.n_replicates - len(busy)
    return max(0, waiting) * each + sum(max(0.0, each - seconds) for seconds in busy)
