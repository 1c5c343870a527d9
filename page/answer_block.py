"""What to run and how sure that is, as the page says it; decides nothing that the selection did not decide."""

from pathlib import Path
from typing import Any

from pegbox.page.answer_document import Answer, FinalistRow, FrontRow, Sureness
from pegbox.page.trial_document import Recipe
from pegbox.report import configuration_formats
from pegbox.report.answer import Answer as FoundAnswer
from pegbox.report.answer_sentences import against_baseline, certainty, seeds_in_words, with_interval
from pegbox.report.number_format import configuration as rounded
from pegbox.report.number_format import metric, uncertain
from pegbox.schemas.base import Configuration
from pegbox.schemas.selection import Finalist, FrontPoint, Selection


def answer(found: FoundAnswer) -> Answer | None:
    """The winner where there is one, otherwise the best that the search saw; None before any trial has a value."""
    if found.trial is None or found.value is None or found.configuration is None:
        return None
    selection, seen = found.selection, found.incumbent
    common = {
        "trial": found.trial,
        "value": found.value,
        "configuration": rounded(found.configuration),
        "recipe": recipe(found.configuration),
    }
    if selection is not None:
        return Answer.model_validate({**common, **_selected(selection)})
    values = list(seen.values.items())[1:] if seen else []
    further = {name: metric(value) for name, value in values}
    return Answer.model_validate(
        {**common, "kind": "incumbent", "text": metric(found.value), "further": further, "reason": found.sentence}
    )


def _selected(selection: Selection) -> dict[str, Any]:
    best, interval = selection.best, selection.best.interval
    return {
        "kind": "selected",
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "text": with_interval(best),
        "further": _further(selection),
        "seeds": seeds_in_words(best),
        "search_value": best.search_value,
        "reason": selection.reason,
        "test_metrics": selection.test_metrics,
        "checkpoint": in_store(selection.checkpoint) if selection.checkpoint else None,
        "baseline": against_baseline(selection),
    }


def _further(selection: Selection) -> dict[str, str]:
    """The winner's other objectives, where there are several."""
    point = next((one for one in selection.front if one.trial == selection.winner), None)
    values = list(point.estimates.items())[1:] if point else []
    # An interval without width comes of one seed alone; a ± of nothing would claim certainty.
    spans = {name: one for name, one in point.intervals.items() if one.low < one.high} if point else {}
    return {
        name: uncertain(value, spans[name].low, spans[name].high) if name in spans else metric(value)
        for name, value in values
    }


def in_store(checkpoint: Path) -> str:
    """Where in its store a checkpoint is: a page that is sent on tells nothing of the machine."""
    return "/".join(checkpoint.parts[-2:])


def recipe(configuration: Configuration) -> Recipe:
    """The configuration in every form."""
    return Recipe(
        # Exact values and not the rounded ones of the table: what is pasted must train the same model.
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
    return Sureness(
        sentence=certainty(selection).replace(" %", "\N{NO-BREAK SPACE}%"),  # its sign never begins a line
        chance_of="P(on the front)" if selection.front else "P(best)",
        level=selection.level,
        finalists=tuple(_row(one, selection) for one in selection.finalists),
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


def _row(finalist: Finalist, selection: Selection) -> FinalistRow:
    interval = finalist.interval
    is_winner, is_tie = finalist.trial == selection.winner, finalist.trial in selection.ties
    return FinalistRow(
        trial=finalist.trial,
        values=finalist.values,
        n_failed=finalist.n_failed,
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
