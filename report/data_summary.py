"""What a study's data was taken for, in a few lines, and what a model that needs no tuning reaches on it."""

import json
import math
from collections.abc import Sequence

from pegbox.analysis.advice import Advice
from pegbox.analysis.advised_commands import branch
from pegbox.datasets.prepared import open_prepared, read_understanding, write_understanding
from pegbox.report.number_format import metric, number, spaced
from pegbox.schemas.base import Metrics
from pegbox.schemas.data import PreparedData
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.understanding import ColumnKind, DataUnderstanding, Leak
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.runs import last_run

MOST_COLUMNS = 12
"""Of one kind that are named."""
# Bounds on what is told of wide or dirty data, picked by hand: the story is to be read before a run, in one screen.
MOST_CLASSES = 6
MOST_WARNINGS = 8
_USUAL = ("accuracy", "balanced_accuracy", "rmse", "r2")
"""Metrics of the baselines that are told beside the study's own, as far as they were measured."""

Lines = list[tuple[str, str]]
"""Each with the word that it begins with, empty where it goes on."""


def understand_prepared(data: PreparedData) -> DataUnderstanding | None:
    """What prepared data was taken for, with baselines, which are measured once and kept beside it."""
    understood = read_understanding(data.path)
    # Measured once for each prepared data: content-addressed, so that the same data never has other baselines.
    if understood is None or understood.baselines:
        return understood
    from pegbox.training.baselines import measure_baselines  # loads scipy, which one who only reads can do without

    understood = understood.model_copy(update={"baselines": measure_baselines(open_prepared(data, 0))})
    write_understanding(data.path, understood)
    return understood


def data_lines(understood: DataUnderstanding, spec: StudySpec) -> Lines:
    """The data in a few lines, warnings not included."""
    return [
        ("rows", _rows(understood)),
        *(("" if i else "columns", line) for i, line in enumerate(_columns(understood.columns))),
        ("target", _target(understood)),
        *([("baselines", _baselines(understood, spec))] if understood.baselines else []),
    ]


def data_warnings(understood: DataUnderstanding) -> tuple[str, ...]:
    """What is worth a look before a night is spent on it."""
    told = (*map(leak_sentence, understood.leaks), *understood.warnings)
    more = len(told) - MOST_WARNINGS
    return (*told[:MOST_WARNINGS], f"and {more} more of the kind") if more > 0 else told


def leak_sentence(leak: Leak) -> str:
    """A suspected leak, with what speaks for it and the remedy."""
    return f"{leak_evidence(leak)} Add it to data.drop if it is not known when a prediction is asked for."


def leak_evidence(leak: Leak) -> str:
    """What speaks for a leak."""
    of_what = "of the rows" if leak.baseline else "of the variance"
    without = f", {metric(leak.baseline, 3)} without it" if leak.baseline else ""
    return f"{leak.column!r} alone tells the target ({metric(leak.score, 3)} {of_what}{without}): a suspected leak."


def recorded_understanding(store: StoreLayout, file: HistoryFile, study: str) -> DataUnderstanding | None:
    """What the data of a study's last run was taken for; None where it had none, or it is gone from the store."""
    last = last_run(file, study)
    if last is None or last.data_fingerprint is None:
        return None
    return read_understanding(store.data / last.data_fingerprint)


def data_advice(understood: DataUnderstanding | None, history: History) -> tuple[Advice, ...]:
    """Advice to try without the columns that give the target away by themselves."""
    if understood is None or history.spec.data is None or not understood.leaks:
        return ()
    names = [leak.column for leak in understood.leaks]
    drop = json.dumps([*history.spec.data.drop, *names], ensure_ascii=False)
    it = "it" if len(names) == 1 else "them"
    return (
        Advice(
            kind="leak",
            what=f"Ask whether {' and '.join(map(repr, names))} can be known when a prediction is asked for, and tune "
            f"without {it} if not.",
            evidence=" ".join(leak_evidence(leak) for leak in understood.leaks),
            command=branch(history, f"data.drop={drop}"),
        ),
    )


def _rows(understood: DataUnderstanding) -> str:
    sizes = understood.n_rows
    total = sum(sizes.values())
    names = {"train": "training", "valid": "validation", "test": "test"}
    parts = ", ".join(f"{spaced(sizes[part])} {names[part]}" for part in names if part in sizes)
    folds = f" in each of {understood.n_folds} folds" if understood.n_folds > 1 else ""
    left = f"; {spaced(understood.n_dropped)} left out: no {understood.target!r}" if understood.n_dropped else ""
    return f"{spaced(total)}: {parts}{folds}{left}"


def _columns(columns: Sequence[ColumnKind]) -> list[str]:
    kinds: dict[str, list[str]] = {}
    for column in columns:
        kinds.setdefault(column.kind, []).append(_column(column))
    return [f"{len(named)} {_plural(kind, len(named))}: {_listed(named)}" for kind, named in kinds.items()]


def _column(column: ColumnKind) -> str:
    told = [column.told] if column.told else []
    if column.kind == "category":
        more = ", …" if column.n_levels > len(column.levels) else ""
        told.insert(0, f"{spaced(column.n_levels)} levels: {', '.join(column.levels)}{more}")
    if column.n_missing and column.kind != "left out":
        told.append(f"{spaced(column.n_missing)} missing")
    name = column.name if column.name.isprintable() and column.name else repr(column.name)
    return f"{name} ({'; '.join(told)})" if told else name


def _plural(kind: str, count: int) -> str:
    plurals = {"number": "numbers", "date": "dates", "category": "categories"}
    return plurals.get(kind, kind) if count > 1 else kind


def _listed(named: list[str]) -> str:
    more = len(named) - MOST_COLUMNS
    return ", ".join([*named[:MOST_COLUMNS], *([f"and {more} more"] if more > 0 else [])])


def _target(understood: DataUnderstanding) -> str:
    told = f" ({understood.target_told})" if understood.target_told else ""
    if extent := understood.target_range:
        # As many digits as show the differences: a meter reads 20,000,003 and 20,000,005.
        largest = max(abs(extent.min), abs(extent.max), extent.std)
        # At most 15, which a float of 64 bits holds for certain.
        digits = min(15, 4 + math.floor(math.log10(largest / extent.std))) if extent.std else 4
        low, high, mean = (number(value, digits) for value in (extent.min, extent.max, extent.mean))
        return f"{understood.target}{told}, a number: {low} to {high}, mean {mean}, deviation {number(extent.std)}"
    shares = [f"{name} {100 * share:.1f} %" for name, share in understood.class_shares.items()]
    more = [f"and {len(shares) - MOST_CLASSES} more"] if len(shares) > MOST_CLASSES else []
    return f"{understood.target}{told}, {len(shares)} classes: {', '.join([*shares[:MOST_CLASSES], *more])}"


def _baselines(understood: DataUnderstanding, spec: StudySpec) -> str:
    wanted = [goal.metric.removeprefix("val_") for goal in spec.goals]
    names = dict.fromkeys((*wanted, *_USUAL))
    return "; ".join(f"{one.name}: {_values(one.metrics, list(names))}" for one in understood.baselines)


def _values(metrics: Metrics, names: list[str]) -> str:
    # Three, so that the line of all baselines stays one line; picked by hand.
    shown = [name for name in names if name in metrics][:3]
    return ", ".join(f"{name} {metric(metrics[name])}" for name in shown)
