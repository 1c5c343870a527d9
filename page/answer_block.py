"""What to run and how sure that is, as the page says it; decides nothing that the selection did not decide."""

from pathlib import Path

from pegbox.page.document import Answer, FinalistRow, FrontRow, Recipe, Sureness
from pegbox.report import configuration_formats
from pegbox.report.answer_sentences import against_baseline
from pegbox.report.incumbent import Incumbent
from pegbox.report.number_format import configuration as rounded
from pegbox.report.number_format import metric, uncertain
from pegbox.report.number_format import percent as plain_percent
from pegbox.schemas.base import Configuration
from pegbox.schemas.selection import Finalist, FrontPoint, Selection


def answer(selection: Selection | None, incumbent: Incumbent | None) -> Answer | None:
    """The winner where there is one, otherwise the best that the search saw; None before any trial has a value."""
    if selection is not None:
        return _selected(selection)
    if incumbent is None:
        return None
    return Answer(
        kind="incumbent",
        trial=incumbent.trial,
        value=incumbent.value,
        text=metric(incumbent.value),
        further={name: metric(value) for name, value in list(incumbent.values.items())[1:]},
        reason="The best value that the search has seen. It is optimistic: no trial was trained again on fresh seeds.",
        configuration=rounded(incumbent.configuration),
        recipe=recipe(incumbent.configuration),
    )


def _selected(selection: Selection) -> Answer:
    best = selection.best
    value = best.expected
    interval = best.interval
    return Answer(
        kind="selected",
        trial=selection.winner,
        value=value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        text=uncertain(value, interval.low, interval.high) if interval else metric(value),
        further=_further(selection),
        n_seeds=len(best.values),
        search_value=best.search_value,
        reason=selection.reason,
        configuration=rounded(selection.configuration),
        recipe=recipe(selection.configuration),
        test_metrics=selection.test_metrics,
        checkpoint=_in_store(selection.checkpoint) if selection.checkpoint else None,
        baseline=against_baseline(selection),
    )


def _further(selection: Selection) -> dict[str, str]:
    """The winner's other objectives, where there are several."""
    point = next((one for one in selection.front if one.trial == selection.winner), None)
    values = list(point.estimates.items())[1:] if point else []
    spans = {name: one for name, one in point.intervals.items() if one.low < one.high} if point else {}
    return {
        name: uncertain(value, spans[name].low, spans[name].high) if name in spans else metric(value)
        for name, value in values
    }


def _in_store(checkpoint: Path) -> str:
    """Where in its store a checkpoint is: a page that is sent on tells nothing of the machine."""
    return "/".join(checkpoint.parts[-2:])


def recipe(configuration: Configuration) -> Recipe:
    """The configuration in every form."""
    return Recipe(
        yaml=configuration_formats.as_yaml(configuration),
        cli=configuration_formats.as_arguments(configuration),
        python=configuration_formats.as_python(configuration),
        json_text=configuration_formats.as_json(configuration),
    )


def sureness(selection: Selection | None, n_comparable: int) -> Sureness:
    """The finalists, and in one sentence how far they can be told apart.

    Args:
        selection: Who won; None as long as nobody has.
        n_comparable: Trials at the full budget.
    """
    if selection is None:
        return Sureness(sentence=_unsure(n_comparable))
    finalists = selection.finalists
    level = next((one.interval.level for one in finalists if one.interval), 0.95)
    return Sureness(
        sentence=_front_sentence(selection) if selection.front else _sentence(selection, level),
        chance_of="P(on the front)" if selection.front else "P(best)",
        level=level,
        finalists=tuple(_row(one, selection) for one in finalists),
        front=tuple(_front_row(one, selection) for one in selection.front),
    )


def _unsure(n_comparable: int) -> str:
    if n_comparable == 0:
        return "No trial has reached the full budget yet, so nothing can be said."
    plural = "trial has" if n_comparable == 1 else "trials have"
    return (
        f"{n_comparable} {plural} reached the full budget. The best are trained again on fresh seeds when the search "
        "ends; until then nobody knows how much of the best value is luck."
    )


def _sentence(selection: Selection, level: float) -> str:
    finalists = selection.finalists
    if len(finalists) == 1:
        return f"Trial {selection.winner} is the only finalist; {len(selection.best.values)} fresh seeds measured it."
    if all(one.interval is None for one in finalists):
        return "Each finalist has one fresh seed, which says nothing about its spread: the order may be luck."
    chance = percent(selection.best.probability_best)
    first = f"Trial {selection.winner} is the best of {len(finalists)} finalists with probability {chance}."
    n_ties = len(selection.ties)
    if n_ties == 0:
        return f"{first} No other comes near it."
    others = "One other" if n_ties == 1 else f"{n_ties} others"
    return f"{first} {others} cannot be told from it at {percent(level)}."


def _front_sentence(selection: Selection) -> str:
    """Of several objectives: a finalist is on the front where no other is as good in all of them."""
    chance = percent(selection.best.probability_best)
    n_front = len(selection.front)
    first = f"With probability {chance} no other finalist beats trial {selection.winner} in every objective."
    if n_front == 1:
        return f"{first} It stands alone on the front."
    others = "one other trades" if n_front == 2 else f"{n_front - 1} others trade"
    return f"{first} It is the knee of the front; {others} the objectives in another way."


def percent(share: float | None) -> str:
    """A share whose sign never begins a line of its own."""
    return plain_percent(share).replace(" ", "\N{NO-BREAK SPACE}")


def _row(finalist: Finalist, selection: Selection) -> FinalistRow:
    interval = finalist.interval
    is_winner, is_tie = finalist.trial == selection.winner, finalist.trial in selection.ties
    return FinalistRow(
        trial=finalist.trial,
        values=finalist.values,
        estimate=finalist.expected,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        search_value=finalist.search_value,
        probability_best=finalist.probability_best,
        role="winner" if is_winner else "tie" if is_tie else "behind",
    )


def _front_row(point: FrontPoint, selection: Selection) -> FrontRow:
    intervals = [point.intervals.get(name) for name in point.estimates]
    return FrontRow(
        trial=point.trial,
        estimates=tuple(point.estimates.values()),
        low=tuple(one.low if one else None for one in intervals),
        high=tuple(one.high if one else None for one in intervals),
        probability=point.probability,
        is_knee=point.trial == selection.winner,
    )
