"""Permutation importance of the columns of a source: a number goes with its indicator of being missing."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from pegbox.schemas.arrays import Part
from pegbox.schemas.diagnostics import ColumnImportance
from pegbox.schemas.preprocessing import Preprocessing
from pegbox.schemas.selection import Interval

Floats = npt.NDArray[np.float64]

# Picked by hand: a forest of 100 trees answers a million rows in about ten seconds of one core.
MOST_ANSWERS = 1_000_000
"""Rows that the model is asked about in all; wide tables are shuffled fewer times, over fewer rows."""
MOST_REPEATS = 5
"""As scikit-learn's `permutation_importance` has it where nothing is said."""
FEWEST_ROWS = 200
MOST_COLUMNS = 20
"""That are told."""
LEVEL = 0.95
"""Of all intervals together: of two thousand columns of noise a hundred would else seem to matter."""


def column_importance(how: Preprocessing, part: Part, losses: Callable[[Part], Floats]) -> tuple[ColumnImportance, ...]:
    """By how much the loss of each row rises where a column is shuffled, with the interval over the rows.

    Args:
        losses: Of each row of such inputs, shape (n_rows,).

    Returns:
        The most important columns first.

    Source: Breiman 2001, section 10; the interval is that of a mean of paired differences, and holds for
    all columns at once (Dunn 1961).
    """
    rows, repeats = _effort(len(how.columns), len(part))
    # Bonferroni's correction of Student's quantile.
    quantile = float(t.ppf(1 - (1 - LEVEL) / (2 * len(how.columns)), max(rows - 1, 1)))
    shown = Part(part.numeric[:rows], part.categorical[:rows], part.target[:rows])
    before, rng = losses(shown), np.random.default_rng(0)
    found = []
    for name in how.columns:
        rise = np.zeros(rows)
        for _ in range(repeats):
            rise += (losses(_shuffled(how, shown, name, rng.permutation(rows))) - before) / repeats
        mean = float(rise.mean())
        half = quantile * float(rise.std(ddof=1)) / rows**0.5 if rows > 1 else 0.0
        interval = Interval(low=mean - half, high=mean + half, level=LEVEL)
        found.append(ColumnImportance(column=name, loss=mean, interval=interval))
    return tuple(sorted(found, key=lambda one: -one.loss)[:MOST_COLUMNS])


def _effort(n_columns: int, n_rows: int) -> tuple[int, int]:
    """Rows, and how often each column is shuffled."""
    repeats = max(1, min(MOST_REPEATS, MOST_ANSWERS // (n_columns * n_rows)))
    return min(n_rows, max(FEWEST_ROWS, MOST_ANSWERS // (n_columns * repeats))), repeats


def _shuffled(how: Preprocessing, part: Part, name: str, order: npt.NDArray[np.intp]) -> Part:
    """The rows with one column of the source in another order."""
    numeric, categorical = part.numeric.copy(), part.categorical.copy()
    names = [feature.name for feature in how.numeric]
    if name in names:
        place = names.index(name)
        # The indicator is the same column of the source: shuffled alone it would give the value away.
        places = [place, *(len(names) + i for i, gap in enumerate(how.gaps) if gap == place)]
        numeric[:, places] = part.numeric[order][:, places]
    elif name in (texts := [one.name for one in how.texts]):
        first = len(how.means) + sum(one.width for one in how.texts[: texts.index(name)])
        width = how.texts[texts.index(name)].width
        numeric[:, first : first + width] = part.numeric[order, first : first + width]
    else:
        place = [feature.name for feature in how.categorical].index(name)
        categorical[:, place] = part.categorical[order, place]
    return Part(numeric, categorical, part.target)
