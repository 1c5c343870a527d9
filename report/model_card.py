"""The card of a model in sentences, the same on the terminal and in markdown; computes nothing."""

from collections.abc import Iterator

from pegbox.report.number_format import metric, percent
from pegbox.schemas.diagnostics import Calibration, ColumnImportance, Confusion, ModelDiagnostics, Residuals, WorseSlice
from pegbox.schemas.model import ModelCard

# Picked by hand: what a reader takes in at a glance; all of them stand in the JSON.
MOST_COLUMNS = 5
MOST_CONFUSED = 3


def card_lines(card: ModelCard) -> Iterator[tuple[str, str]]:
    """What there is to say, each with the word that it stands under."""
    yield "model", card.title
    if card.diagnostics is not None:
        yield from _diagnosed(card.diagnostics)
    for limit in card.limits:
        yield "limit", limit


def _diagnosed(found: ModelDiagnostics) -> Iterator[tuple[str, str]]:
    yield "asked", f"{found.told}: {found.n_rows:,} rows"
    if found.confusion is not None:
        yield "confused", _confused(found.confusion)
    if found.residuals is not None:
        yield "residuals", _residuals(found.residuals)
    if found.calibration is not None:
        yield "calibration", _calibration(found.calibration)
    if (held := found.coverage) is not None:
        yield (
            "interval",
            f"the truth lies within ± {metric(held.half_width)} of the prediction in {percent(held.covered)} of "
            f"{held.n_rows:,} rows (asked for: {percent(held.level)})",
        )
    for one in found.slices:
        yield "worse", _worse(one, found.error)
    if found.n_slices and not found.slices:
        yield "worse", f"nowhere beyond noise, of {found.n_slices} slices of the columns"
    if found.importance:
        yield "columns", _important(found.importance, found.loss)


def _confused(confusion: Confusion) -> str:
    names = confusion.classes
    pairs = [
        (count, names[true], names[said])
        for true, counts in enumerate(confusion.counts)
        for said, count in enumerate(counts)
        if count and true != said
    ]
    if not pairs:
        return "no class was taken for another"
    told = [
        f"{true!r} for {said!r} {'once' if count == 1 else f'{count:,} times'}"
        for count, true, said in sorted(pairs, reverse=True)
    ]
    return ", ".join(told[:MOST_CONFUSED])


def _residuals(residuals: Residuals) -> str:
    low, high = residuals.quantiles["5%"], residuals.quantiles["95%"]
    return (
        f"off by {metric(residuals.absolute_mean)} on average, the truth less the prediction {metric(residuals.mean)}; "
        f"nine of ten lie between {metric(low)} and {metric(high)}"
    )


def _calibration(found: Calibration) -> str:
    # The rows that say nothing of direction are few: the mean over all bins tells whether it is too sure.
    n_rows = sum(one.n_rows for one in found.bins)
    over = sum(one.n_rows * (one.said - one.came_true) for one in found.bins) / n_rows
    leaning = "too sure" if over > 0 else "too unsure"
    return (
        f"probabilities are off by {percent(found.expected_error)} on average, on the whole {leaning} by "
        f"{percent(abs(over))}; Brier score {metric(found.brier)}"
    )


def _worse(one: WorseSlice, error: str) -> str:
    return (
        f"where {one.column!r} {one.told}: {error} {metric(one.value)}, elsewhere {metric(one.elsewhere)} "
        f"({one.n_rows:,} rows, p {metric(one.p_value)})"
    )


def _important(columns: tuple[ColumnImportance, ...], loss: str) -> str:
    told = [
        f"{one.column!r} {metric(one.loss)} ({metric(one.interval.low)} to {metric(one.interval.high)})"
        for one in columns[:MOST_COLUMNS]
        if one.interval.low > 0
    ]
    if not told:
        return f"no column alone is missed beyond noise ({loss})"
    return f"without its order the {loss} rises by: {', '.join(told)}"
