"""What happened while a study ran, for the page: learning curves, workers, failures; asks the store's tables."""

from collections import defaultdict

from pegbox.report.asking import row, rows
from pegbox.report.page_data import Bar, Curve, Curves, FailureGroup, Timeline
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile

MOST_CURVES = 150
MOST_STEPS = 200
MOST_BARS = 1500

_CURVES = """
SELECT count(DISTINCT trial) FROM metrics WHERE study = $study AND name = $metric AND replicate IS NULL
"""

_CURVE_TRIALS = """
SELECT trial FROM (
    SELECT t.number AS trial, t.state,
        row_number() OVER (ORDER BY (t.state <> 'completed'), $sign * t.value NULLS LAST, t.number) AS place,
        row_number() OVER (PARTITION BY t.state ORDER BY hash(t.number)) AS turn
    FROM trials AS t
    WHERE t.study = $study AND t.number IN (
        SELECT DISTINCT trial FROM metrics WHERE study = $study AND name = $metric AND replicate IS NULL
    )
) ORDER BY list_contains($always, trial) DESC, place > 20, turn LIMIT $most
"""

_CURVE_POINTS = """
SELECT trial, step, avg(value) FROM metrics
WHERE study = $study AND name = $metric AND replicate IS NULL AND list_contains($trials, trial)
GROUP BY trial, step ORDER BY trial, step
"""

_SEGMENTS = """
SELECT coalesce(s.worker, ''), s.trial, epoch(s.ended_at) - s.seconds AS start, epoch(s.ended_at),
    CASE WHEN s.replicate IS NOT NULL THEN 'replicate' ELSE t.state END
FROM segments AS s JOIN trials AS t ON t.study = s.study AND t.number = s.trial
WHERE s.study = $study AND s.ended_at IS NOT NULL AND s.seconds IS NOT NULL AND NOT coalesce(s.cached, false)
ORDER BY s.ended_at DESC LIMIT $most
"""

_ENDED = """
SELECT count(*) FROM segments
WHERE study = $study AND ended_at IS NOT NULL AND seconds IS NOT NULL AND NOT coalesce(cached, false)
"""

_IDLE = """
SELECT 1 - sum(busy) / sum(offered) FROM (
    SELECT run, sum(seconds) AS busy, $workers * (max(epoch(ended_at)) - min(epoch(ended_at) - seconds)) AS offered
    FROM segments
    WHERE study = $study AND ended_at IS NOT NULL AND seconds IS NOT NULL AND NOT coalesce(cached, false)
    GROUP BY run
)
"""

_FAILURES = """
SELECT failure_kind, regexp_replace(failure_message, '[0-9]+', '#', 'g') AS pattern, any_value(failure_message),
    count(DISTINCT trial) AS n, list(DISTINCT trial ORDER BY trial)[:8], any_value(failure_traceback)
FROM attempts WHERE study = $study AND failure_kind IS NOT NULL GROUP BY ALL ORDER BY n DESC, 1, 2 LIMIT 50
"""


def draw_curves(file: HistoryFile, spec: StudySpec, always: tuple[int, ...]) -> Curves:
    """Learning curves of the finalists, the best, and an even sample of each outcome.

    Args:
        file: The store's history.
        spec: Of the study.
        always: Trials whose curves are drawn in any case.
    """
    objective = spec.goals[0]
    asked = {
        "study": spec.name,
        "metric": objective.metric,
        "sign": 1 if objective.goal == "minimize" else -1,
        "always": list(always),
        "most": MOST_CURVES,
    }
    (n_total,) = row(file, _CURVES, **asked)
    chosen = [one for (one,) in rows(file, _CURVE_TRIALS, **asked)]
    points: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for trial, step, value in rows(file, _CURVE_POINTS, trials=chosen, **asked):
        points[trial].append((step, value))
    n_drawn = len(points)
    return Curves(
        metric=objective.metric,
        rungs=_rungs(spec),
        n_total=n_total,
        note="" if n_drawn == n_total else f"{n_drawn:,} of {n_total:,} curves are drawn: the best and an even sample.",
        drawn=tuple(_curve(trial, found) for trial, found in sorted(points.items())),
    )


def _curve(trial: int, points: list[tuple[int, float]]) -> Curve:
    stride = -(-len(points) // MOST_STEPS)
    kept = points[::-stride][::-1]  # from the end, so that the last step is always there
    return Curve(trial=trial, steps=tuple(step for step, _ in kept), values=tuple(value for _, value in kept))


def _rungs(spec: StudySpec) -> tuple[int, ...]:
    if spec.fidelity.schedule == "full":
        return ()
    rungs, budget = [], spec.fidelity.min
    while budget < spec.full_budget:
        rungs.append(budget)
        budget *= spec.fidelity.factor
    return tuple(rungs)


def timeline(file: HistoryFile, spec: StudySpec) -> Timeline:
    """The latest segments on their workers, and the share of time in which a worker had none."""
    latest = rows(file, _SEGMENTS, study=spec.name, most=MOST_BARS)[::-1]
    (n_total,) = row(file, _ENDED, study=spec.name)
    (idle,) = row(file, _IDLE, study=spec.name, workers=spec.run.workers)
    names = sorted({one[0] for one in latest})
    place = {name: position for position, name in enumerate(names)}
    return Timeline(
        workers=tuple(names),
        bars=tuple(
            Bar(worker=place[worker], trial=trial, start=start, end=end, state=state)
            for worker, trial, start, end, state in latest
        ),
        idle_share=None if idle is None else min(1.0, max(0.0, idle)),
        note="" if len(latest) == n_total else f"The latest {len(latest):,} of {n_total:,} segments are drawn.",
    )


def failure_groups(file: HistoryFile, study: str) -> tuple[FailureGroup, ...]:
    """Failures with equal kind and message (numbers aside), the most frequent first."""
    return tuple(
        FailureGroup(kind=kind, message=message or "", n_trials=count, trials=tuple(trials), traceback=traceback or "")
        for kind, _, message, count, trials, traceback in rows(file, _FAILURES, study=study)
    )
