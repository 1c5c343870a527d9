"""Tells a drift of the inputs (covariate shift) from one of the relation between inputs and target (concept drift)."""

import numpy as np
import numpy.typing as npt

from pegbox.schemas.base import Schema
from pegbox.schemas.raw_inputs import RawInputs
from pegbox.schemas.row_losses import RowLosses

LEVEL = 0.05
"""Of a false word about any of the columns, all together."""
# Both picked by hand: the tests tell apart what matters to no model long before so many rows, and a classifier of them
# takes a second.
MOST_ROWS = 20_000
SMALLEST_MOVE = 0.1
"""A column has moved by at least this much: in standard deviations, or as a share of the rows."""
# Picked by hand: rows that the old data all but lacks cannot be stood in for by the few that it has.
MOST_WEIGHT = 20.0
_Z = 1.96

Floats = npt.NDArray[np.float64]


class MovedColumn(Schema):
    """A column whose values are distributed otherwise than before."""

    name: str
    distance: float
    """Share of the rows that would have to change their value: Kolmogorov's distance of numbers, the total variation of
    categories."""
    shift: float | None = None
    """Of the mean, in standard deviations of before; None of a category."""

    def __str__(self) -> str:
        by = "" if self.shift is None else f"{self.shift:+.2g} standard deviations, "
        return f"{self.name} ({by}{self.distance:.0%} of the rows)"


def moved_columns(before: RawInputs, after: RawInputs) -> tuple[MovedColumn, ...]:
    """The columns of both that moved, the farthest first.

    Tests of Kolmogorov and Smirnov for numbers and of chi square for categories, at 5 % for all columns together.

    Source: Holm 1979; on testing each column for drift: Rabanser, Günnemann & Lipton 2019.
    """
    found = [
        _numbers(name, column, after.numbers[name]) for name, column in before.numbers.items() if name in after.numbers
    ]
    found += [
        _categories(name, column, after.categories[name])
        for name, column in before.categories.items()
        if name in after.categories
    ]
    moved = []
    for place, (p_value, column) in enumerate(sorted(found, key=lambda one: one[0])):
        if p_value > LEVEL / (len(found) - place):
            break
        moved.append(column)
    far = [one for one in moved if max(one.distance, abs(one.shift or 0.0)) >= SMALLEST_MOVE]
    return tuple(sorted(far, key=lambda one: -one.distance))


def _numbers(name: str, before: Floats, after: Floats) -> tuple[float, MovedColumn]:
    from scipy.stats import ks_2samp  # takes a second to load

    tested = ks_2samp(_some(before), _some(after), method="asymp")
    spread = float(before.std()) or 1.0
    shift = float(after.mean() - before.mean()) / spread
    return float(tested.pvalue), MovedColumn(name=name, distance=float(tested.statistic), shift=shift)


def _categories(name: str, before: npt.NDArray[np.str_], after: npt.NDArray[np.str_]) -> tuple[float, MovedColumn]:
    from scipy.stats import chi2_contingency

    levels = np.unique(np.concatenate([before, after]))
    counts = np.array([[(column == level).sum() for level in levels] for column in (before, after)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum()) / 2
    p_value = float(chi2_contingency(counts).pvalue) if len(levels) > 1 else 1.0
    return p_value, MovedColumn(name=name, distance=distance)


def _some(column: Floats) -> Floats:
    return column[:: max(1, len(column) // MOST_ROWS)]


def relation_moved(before: tuple[RawInputs, RowLosses], after: tuple[RawInputs, RowLosses]) -> bool | None:
    """Whether the new inputs leave a part of a rise in the loss unexplained.

    The old rows are weighted so that they look like the new ones: w = p(new | x) / p(old | x), by a classifier of old
    and new that never saw the row. What is lost on them then is what new inputs alone would have brought.

    Args:
        before: Inputs and losses of the validation rows, in one order.
        after: The same, on the data as it is now.

    Returns:
        None where losses are not known row by row, or the old data has hardly a row like the new ones.

    Source: Shimodaira 2000; by a classifier: Bickel, Brückner & Scheffer 2009.
    """
    (old, lost), (new, loses) = before, after
    if (len(old), len(new)) != (len(lost.values), len(loses.values)):
        return None
    weights = _likeness(old, new)
    n_like = float(weights.sum() ** 2 / (weights**2).sum())
    # Both picked by hand: the mean of fewer rows is no yardstick, and where the weights' own mean is far below the 1
    # that it has by definition, the old data lacks what the new consists of.
    if n_like < 20 or weights.mean() < 0.5:
        return None
    expected = float(np.average(lost.values, weights=weights))
    spread = float(np.average((lost.values - expected) ** 2, weights=weights))
    # As in `paired_comparison`: the choice of rows that were learned from adds to the noise of those that are measured.
    variance = spread * (1 / n_like + 1 / lost.n_train) + loses.values.var() * (1 / len(new) + 1 / loses.n_train)
    return bool(loses.values.mean() - expected > _Z * np.sqrt(variance))


def _likeness(old: RawInputs, new: RawInputs) -> Floats:
    """How much more often a row like each of the old ones is among the new, shape (n_old,)."""
    from sklearn.linear_model import LogisticRegression  # takes a second to load
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    rows = np.vstack([_matrix(old, old, new), _matrix(new, old, new)])
    is_new = np.repeat([0, 1], [len(old), len(new)])
    # Squares as well as the numbers: a spread that grew is a move too.
    # Of 30 columns at most, picked by hand: products of more outgrow the rows.
    squares = PolynomialFeatures(2 if rows.shape[1] <= 30 else 1, include_bias=False)
    model = make_pipeline(StandardScaler(), squares, LogisticRegression(C=0.1, max_iter=500))
    share = cross_val_predict(model, rows, is_new, cv=5, method="predict_proba")[: len(old), 1]
    odds: Floats = share / np.maximum(1 - share, 1e-9)
    return np.minimum(odds * len(old) / len(new), MOST_WEIGHT)


def _matrix(inputs: RawInputs, old: RawInputs, new: RawInputs) -> Floats:
    """Numbers, then a column for each category that either has, shape (n_rows, n_columns)."""
    columns = [inputs.numbers[name] for name in old.numbers if name in new.numbers]
    for name in old.categories:
        if name in new.categories:
            levels = np.unique(np.concatenate([old.categories[name], new.categories[name]]))
            columns += [(inputs.categories[name] == level).astype(np.float64) for level in levels]
    return np.stack(columns, axis=1) if columns else np.zeros((len(inputs), 1))
