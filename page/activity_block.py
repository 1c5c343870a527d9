"""What happened while a study ran, for the page: learning curves, workers, failures; asks the store's tables."""

from collections import defaultdict

from pegbox.page.activity_document import BandRow, Bar, Curve, Curves, FailureGroup, Timeline
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.curves import CurvePoint, curve_points, n_curves, trials_with_curves
from pegbox.storage.queries.failures import alike_failures
from pegbox.storage.queries.segments import ended_segments, idle_share, n_ended_segments
from pegbox.storage.queries.trial_life import curve_band

# Three bounds on what the document carries, picked by hand: more curves hide each other, more steps are finer than a
# pixel, and more bars are thinner than one, while every point makes a page that is sent by mail heavier.
MOST_CURVES = 150
MOST_STEPS = 200
MOST_BARS = 1500


def draw_curves(file: HistoryFile, spec: StudySpec, always: tuple[int, ...]) -> Curves:
    """Learning curves of the finalists, the best, and an even sample of each outcome.

    Args:
        file: The store's history.
        spec: Of the study.
        always: Trials whose curves are drawn in any case.
    """
    objective = spec.goals[0]
    n_total = n_curves(file, spec.name, objective.metric)
    # The finalists and the best are always among them: a sample without the trial that the answer names would look like
    # a mistake.
    chosen = trials_with_curves(file, spec.name, objective.metric, always, MOST_CURVES)
    points: dict[int, list[CurvePoint]] = defaultdict(list)
    for one in curve_points(file, spec.name, objective.metric, chosen):
        points[one.trial].append(one)
    n_drawn = len(points)
    return Curves(
        metric=objective.metric,
        rungs=spec.rungs[:-1],
        band=_band(file, spec.name, objective.metric),
        n_total=n_total,
        note="" if n_drawn == n_total else f"{n_drawn:,} of {n_total:,} curves are drawn: the best and an even sample.",
        drawn=tuple(_curve(trial, found) for trial, found in sorted(points.items())),
    )


def _band(file: HistoryFile, study: str, metric: str) -> tuple[BandRow, ...]:
    points = curve_band(file, study, metric)
    stride = -(-len(points) // MOST_STEPS)
    return tuple(BandRow(**one.model_dump()) for one in points[::-stride][::-1]) if points else ()


def _curve(trial: int, points: list[CurvePoint]) -> Curve:
    stride = -(-len(points) // MOST_STEPS)
    kept = points[::-stride][::-1]  # from the end, so that the last step is always there
    return Curve(trial=trial, steps=tuple(one.step for one in kept), values=tuple(one.value for one in kept))


def timeline(file: HistoryFile, spec: StudySpec) -> Timeline:
    """The latest segments on their workers, and the share of time in which a worker had none."""
    latest = ended_segments(file, spec.name, MOST_BARS)[::-1]
    n_total = n_ended_segments(file, spec.name)
    idle = idle_share(file, spec.name, spec.run.workers)
    names = sorted({one.worker for one in latest})
    place = {name: position for position, name in enumerate(names)}
    return Timeline(
        workers=tuple(names),
        bars=tuple(
            Bar(worker=place[one.worker], trial=one.trial, start=one.start, end=one.end, state=one.state)
            for one in latest
        ),
        # Clipped, because the clocks of several machines may disagree and make segments of one worker overlap.
        idle_share=None if idle is None else min(1.0, max(0.0, idle)),
        note="" if len(latest) == n_total else f"The latest {len(latest):,} of {n_total:,} segments are drawn.",
    )


def failure_groups(file: HistoryFile, study: str) -> tuple[FailureGroup, ...]:
    """Failures with equal kind and message (numbers aside), the most frequent first."""
    return tuple(
        FailureGroup(
            kind=one.kind,
            message=one.message or "",
            n_trials=one.n_trials,
            trials=one.trials,
            traceback=one.traceback or "",
        )
        for one in alike_failures(file, study)
    )
