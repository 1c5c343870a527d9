"""What the explanation of a study says, in the form of the page; computes no statistic."""

from collections.abc import Callable, Sequence

from pegbox.analysis.advice import Advice
from pegbox.analysis.effects import Effect as FoundEffect
from pegbox.analysis.effects import Effects as FoundEffects
from pegbox.analysis.effects import Interaction as FoundInteraction
from pegbox.analysis.importance import Importance
from pegbox.page.analysis_document import (
    TRAINING_TIME,
    AdviceRow,
    Analysis,
    Effect,
    Effects,
    Interaction,
    KnobRow,
    Knobs,
)
from pegbox.page.answer_block import sureness
from pegbox.page.space_axes import axes, value_key
from pegbox.report.explain import explained
from pegbox.report.explanation import Explanation
from pegbox.report.next_steps import next_steps
from pegbox.report.number_format import duration, parameter
from pegbox.report.status import StudyStatus
from pegbox.schemas.base import Value
from pegbox.schemas.domains import AnyDomain, Categorical, Ordinal
from pegbox.schemas.selection import Selection
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.studies import study_names

Analyse = Callable[[HistoryFile, StudySpec, StudyStatus, Selection | None], Analysis]
"""Computes the analysis of a study, or gives an earlier one."""


def analyse(file: HistoryFile, spec: StudySpec, status: StudyStatus, selection: Selection | None) -> Analysis:
    """What the page shows of the explanation, which is computed now where the store keeps none of this history."""
    found = explained(file.store, file, spec)
    return analysis_of(found, spec, status, selection, steps=next_steps(status, found.advice, study_names(file)))


def analysis_of(
    found: Explanation,
    spec: StudySpec,
    status: StudyStatus,
    selection: Selection | None,
    *,
    steps: Sequence[Advice],
    is_older: bool = False,
) -> Analysis:
    """The page's part of an explanation, with today's finalists.

    Args:
        found: The explanation.
        spec: Of the study.
        status: How the study stands now.
        selection: The answer as it is now.
        steps: What to do next, as the answer has it.
        is_older: The history holds something that the explanation does not know.
    """
    shares = {pair.names: pair.share for pair in found.importance.pairs}
    return Analysis(
        state="older" if is_older else "ready",
        note=_note(found, is_older),
        version=found.version,
        sureness=sureness(selection, status.counts.get(TrialState.COMPLETED, 0)),
        knobs=_knobs(found.importance),
        advice=_advice(steps),
        effects=_all_effects(found, spec.space),
        interactions=tuple(_interaction(one, shares[one.names], spec) for one in found.effects.interactions),
    )


def _note(found: Explanation, is_older: bool) -> str:
    said = ["Computed a moment ago, from fewer trials."] if is_older else []
    if found.n_sampled is not None:
        said.append(f"Computed from an even sample of {found.n_sampled:,} trials.")
    if found.n_outside:
        said.append(f"{found.n_outside:,} that the space does not hold any more are left out.")
    return " ".join(said)


def _all_effects(found: Explanation, space: Space) -> tuple[Effects, ...]:
    """On the objectives, and on what training costs; without those that the trials do not allow."""
    # All effects in the order of the first objective, so that a reader finds a parameter at the same place in each.
    order = [row.name for row in found.importance.parameters]
    every = [(one.about, one) for one in (found.effects, *found.further_effects)] + [(TRAINING_TIME, found.costs)]
    return tuple(_effects(name, one, space, order) for name, one in every if one.parameters)


def _effects(name: str, found: FoundEffects, space: Space, order: list[str]) -> Effects:
    shown = {axis.name for axis in axes(space)}
    places = {parameter: place for place, parameter in enumerate(order)}
    rows = sorted(found.parameters, key=lambda one: places.get(one.name, len(places)))
    trend = _cost_trend if found.about == "seconds" else _trend
    return Effects(
        metric=name,
        budget=found.budget,
        rows=tuple(_effect(one, space.parameters[one.name], trend(one)) for one in rows if one.name in shown),
    )


def _knobs(ranked: Importance) -> Knobs:
    return Knobs(
        sentence=ranked.sentence,
        rows=tuple(
            KnobRow(
                name=one.name,
                share=one.total,
                # An interval of an estimate may reach beyond what a share can be; a bar below 0 or above 1 would only
                # puzzle.
                low=max(0.0, one.interval.low),
                high=min(1.0, one.interval.high),
                verdict=one.verdict,
            )
            for one in ranked.parameters
        ),
    )


def _advice(steps: Sequence[Advice]) -> tuple[AdviceRow, ...]:
    return tuple(AdviceRow(text=one.what, evidence=one.evidence, command=one.command) for one in steps)


def _effect(found: FoundEffect, domain: AnyDomain, trend: str) -> Effect:
    points = [(_position(point.value, domain), point) for point in found.average]
    # The space may have lost a level since the explanation was computed; such a point has no place on the axis.
    known = [(at, point) for at, point in points if at is not None]
    return Effect(
        parameter=found.name,
        at=tuple(at for at, _ in known),
        mean=tuple(point.mean if point.n_trials else None for _, point in known),
        low=tuple(point.low if point.n_trials else None for _, point in known),
        high=tuple(point.high if point.n_trials else None for _, point in known),
        trend=trend,
    )


def _trend(found: FoundEffect) -> str:
    """How far the parameter can be moved from the best, in one sentence."""
    near_best = found.near_best
    if near_best is None:
        return "The chosen trial does not use it."
    tolerance, chosen = near_best.tolerance, f"trial {near_best.trial}"
    if tolerance.values:
        every = len(tolerance.values) == len(found.average)
        return (
            "Any value is as good."
            if every
            else f"As good near {chosen}: {', '.join(map(parameter, tolerance.values))}."
        )
    if tolerance.reaches_low_end and tolerance.reaches_high_end:
        return f"Near {chosen}, anywhere in the range is as good."
    if tolerance.low == tolerance.high:
        return f"Near {chosen}, other values than its {parameter(near_best.best)} lose more than the noise."
    return f"Near {chosen}, {parameter(tolerance.low)} to {parameter(tolerance.high)} is as good."


def _cost_trend(found: FoundEffect) -> str:
    """Where training takes least and most, in one sentence; only as far as the bands of the two lie apart."""
    known = [point for point in found.average if point.n_trials]
    if not known:
        return ""
    least, most = min(known, key=lambda point: point.mean), max(known, key=lambda point: point.mean)
    # Bands that overlap would make a trend of what may be noise, so nothing is claimed then.
    if least.high >= most.low:
        return "Makes no difference to the training time that can be seen."
    at = f"from {duration(least.mean)} at {parameter(least.value)} to {duration(most.mean)} at {parameter(most.value)}"
    return f"On average {at}."


def _interaction(found: FoundInteraction, share: float, spec: StudySpec) -> Interaction:
    """The second parameter lies across, the first goes up."""
    first, second = (spec.space.parameters[name] for name in found.names)
    return Interaction(
        x=found.names[1],
        y=found.names[0],
        x_at=tuple(_position(value, second) or 0.0 for value in found.columns),
        y_at=tuple(_position(value, first) or 0.0 for value in found.rows),
        rows=tuple(
            tuple(mean if count else None for mean, count in zip(means, counts, strict=True))
            for means, counts in zip(found.means, found.counts, strict=True)
        ),
        share=share,
    )


def _position(value: Value, domain: AnyDomain) -> float | None:
    """A number, or the position among the values; None for a value that the domain does not list."""
    if isinstance(domain, Categorical | Ordinal):
        keys = [value_key(known) for known in domain.values]
        return float(keys.index(value_key(value))) if value_key(value) in keys else None
    return float(value) if isinstance(value, int | float) else None
