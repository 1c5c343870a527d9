"""The trials of a study for the page: counted over all, drawn where they are not too many; asks the store's tables."""

from collections.abc import Sequence

from pegbox.page.front_progress import hypervolume_so_far
from pegbox.page.space_axes import positions
from pegbox.page.trial_document import Number
from pegbox.page.trials_document import BestSoFar, RungRow, Trials
from pegbox.schemas.base import Metrics
from pegbox.schemas.competition import Exclusion
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.evaluations import rung_forecasts, rung_values
from pegbox.storage.queries.notes import notes_of, tags_of
from pegbox.storage.queries.progress import drawn_trials, ended_with_values, improvements
from pegbox.storage.queries.trials import n_trials

# Picked by hand; benchmarks/page.py holds a brush over so many to half a second.
MOST_DRAWN = 4000
"""Points that a browser draws and filters without a noticeable pause."""
MOST_TOLD = 200_000
"""Trials that the table and the filters hold, about 20 MB of JSON; picked by hand."""
# Picked by hand: an even sample alone would leave out the best, which are what people look for, and rare failures. Many
# more would draw a dense band where there is none.
MOST_SEARCHED = 10_000
"""Notes that the search looks into; picked by hand."""
MOST_BEST = 20
"""Of the best, and of each state, so many are drawn in any case."""
SHOWN = {Exclusion.BREAKS_CONSTRAINT: "infeasible", Exclusion.OUTSIDE_SPACE: "outside"}
"""How the page calls completed trials that do not compete."""


def draw_trials(file: HistoryFile, spec: StudySpec, most: int = MOST_DRAWN) -> Trials:
    """The trials as columns: all, or the best and an even sample of the others.

    Args:
        file: The store's history.
        spec: Of the study.
        most: How many are drawn at most.
    """
    n_total = n_trials(file, spec.name)
    # A twentieth at most, picked by hand: what is drawn in any case must leave room for the even sample.
    drawn = drawn_trials(file, spec.name, n_best=min(MOST_BEST, most // 20), most=most)
    number = tuple(one.number for one in drawn)
    tags, noted = _noted(file, spec.name)
    messages = dict.fromkeys(one.failure_message for one in drawn if one.failure_message)
    place = {text: at for at, text in enumerate(messages)}
    return Trials(
        n_total=n_total,
        note=_sample_note(len(drawn), n_total),
        number=number,
        state=tuple(one.state for one in drawn),
        budget=tuple(one.budget for one in drawn),
        seconds=tuple(one.seconds for one in drawn),
        finished=tuple(one.finished for one in drawn),
        spent=tuple(one.spent for one in drawn),
        failure=tuple(one.failure_kind or "" for one in drawn),
        message=tuple(place.get(one.failure_message or "") for one in drawn),
        messages=tuple(messages),
        tags=tuple(tuple(tags.get(one, ())) for one in number),
        notes=tuple("\n".join(noted.get(one, ())) for one in number),
        parameters=positions(spec.space, [one.configuration for one in drawn]),
        metrics=_metric_columns([one.metrics for one in drawn]),
        rungs=_rung_columns(file, spec.name, number) if most <= MOST_DRAWN else {},
    )


def all_trials(file: HistoryFile, spec: StudySpec) -> Trials | None:
    """The columns of all trials, for the table and the filters; None where the drawn ones are all."""
    return draw_trials(file, spec, MOST_TOLD) if n_trials(file, spec.name) > MOST_DRAWN else None


def best_so_far(file: HistoryFile, spec: StudySpec) -> BestSoFar:
    """Every improvement among the trials that compete, as the search saw them, in the order in which they ended."""
    steps = improvements(file, spec.name)
    return BestSoFar(
        number=tuple(one.number for one in steps),
        finished=tuple(one.finished for one in steps),
        spent=tuple(one.spent for one in steps),
        value=tuple(one.value for one in steps),
    )


def front_so_far(file: HistoryFile, spec: StudySpec) -> BestSoFar:
    """With several objectives, how the front grew: the share that it covers, as `hypervolume_so_far` measures it."""
    if len(spec.goals) == 1:
        return BestSoFar()
    found = ended_with_values(file, spec.name)
    steps = hypervolume_so_far([one.values for one in found], spec.goals)
    grown = [found[row] for row, _ in steps]
    return BestSoFar(
        number=tuple(one.number for one in grown),
        finished=tuple(one.finished for one in grown),
        spent=tuple(one.spent for one in grown),
        value=tuple(share for _, share in steps),
    )


def rung_rows(file: HistoryFile, spec: StudySpec) -> tuple[RungRow, ...]:
    """How well each rung foretold the last, over all trials that reached it."""
    # A rank correlation of two trials is always 1 or -1.
    return tuple(RungRow(**one.model_dump()) for one in rung_forecasts(file, spec) if one.n_trials >= 3)


def _sample_note(n_drawn: int, n_total: int) -> str:
    if n_drawn == n_total:
        return ""
    return (
        f"{n_drawn:,} of {n_total:,} trials are drawn: the best {MOST_BEST}, {MOST_BEST} of each state, and evenly of "
        "the rest. Counts, progress, rungs, failures and idle time are of all trials."
    )


def _noted(file: HistoryFile, study: str) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Tags and texts by trial."""
    tags: dict[int, list[str]] = {}
    texts: dict[int, list[str]] = {}
    for on in tags_of(file, study):
        if on.trial is not None:
            tags.setdefault(on.trial, []).append(on.tag)
    for note in notes_of(file, study, MOST_SEARCHED):
        if note.trial is not None and note.text:
            texts.setdefault(note.trial, []).append(note.text)
    return tags, texts


def _metric_columns(metrics: Sequence[Metrics]) -> dict[str, tuple[Number, ...]]:
    names = sorted({name for one in metrics for name in one})
    return {name: tuple(one.get(name) for one in metrics) for name in names}


def _rung_columns(file: HistoryFile, study: str, numbers: tuple[int, ...]) -> dict[int, tuple[Number, ...]]:
    values: dict[int, dict[int, float]] = {}
    for one in rung_values(file, study, numbers):
        values.setdefault(one.budget, {})[one.trial] = one.value
    # A resumed study with other rungs leaves budgets that a handful of trials have; a column that is empty but for one
    # trial in a hundred only takes room.
    usual = {budget: found for budget, found in values.items() if len(found) >= max(2, len(numbers) // 100)}
    return {budget: tuple(usual[budget].get(number) for number in numbers) for budget in sorted(usual)}
