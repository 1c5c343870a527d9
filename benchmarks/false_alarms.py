"""How often an incumbent is called worse on data of the same distribution, and how often a real fall is found.

    python benchmarks/false_alarms.py [--quick] [--json] [--pairs 200]

Each pair of data sets is drawn from one distribution, split and trained on as a scheduled study does (60 % to train,
20 % to validate, five seeds), and judged by the functions that judge there. With a fall, classes of the second set's
validation rows are wrong, so many that the mean falls by one standard deviation of a row's loss. Rates come with the
95 % intervals of Clopper and Pearson.
"""

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from figures import Figure, conclude, parser, tell_machine
from scipy.stats import binomtest
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from pegbox.analysis.paired_comparison import Paired, TrialLosses, compare_fixed_models, compare_losses, has_fallen
from pegbox.schemas.row_losses import RowLosses
from pegbox.training.row_losses import rows_of_classes

Make = Callable[[int], Any]
MODELS: dict[str, Make] = {
    "tree": lambda seed: DecisionTreeClassifier(max_depth=5, random_state=seed),
    "forest": lambda seed: RandomForestClassifier(20, random_state=seed),
    "mlp": lambda seed: MLPClassifier((16,), max_iter=60, random_state=seed),
}
ROWS = (400, 4_000, 40_000)
N_SEEDS = 5
METRIC = "accuracy"
STATED = 0.025
LEAST_FOUND = 0.8


@dataclass(frozen=True)
class Rates:
    """Of one model at one size."""

    model: str
    rows: int
    pairs: int
    false_lapses: int
    found: int
    zero_width: int

    def figures(self) -> list[Figure]:
        """Each with its bar; a rate of false alarms is held to what is stated, less the error of counting."""
        least, _ = binomtest(self.false_lapses, self.pairs).proportion_ci()
        name = f"{self.model}, {self.rows} rows"
        return [
            Figure(f"{name}: false alarms, at least", least, STATED),
            Figure(f"{name}: falls found", self.found / self.pairs, LEAST_FOUND, at_most=False),
            Figure(f"{name}: intervals of no width", self.zero_width, 0),
        ]

    def __str__(self) -> str:
        low, high = binomtest(self.false_lapses, self.pairs).proportion_ci()
        return (
            f"{self.model:8} {self.rows:6} rows: lapsed {self.false_lapses}/{self.pairs} "
            f"({low:.1%} to {high:.1%}), a fall found {self.found}/{self.pairs}, no width {self.zero_width}"
        )


def draw(rng: np.random.Generator, n_rows: int) -> tuple[Any, Any]:
    """Three inputs and a class that an interaction decides, with noise."""
    inputs = rng.normal(size=(n_rows, 3))
    score = inputs[:, 0] * inputs[:, 1] + 0.3 * inputs[:, 2] + rng.normal(size=n_rows) * 0.3
    return inputs, (score > 0).astype(np.int64)


@dataclass(frozen=True)
class State:
    """One state of the data, with what a model loses on it."""

    inputs: Any
    target: Any
    models: list[Any]
    losses: TrialLosses


def learned(make: Make, rng: np.random.Generator, n_rows: int) -> State:
    """Data that is drawn and split, and what a model loses on fresh seeds that learned from it."""
    inputs, target = draw(rng, n_rows)
    n_train, n_valid = int(n_rows * 0.6), int(n_rows * 0.2)
    models = [make(seed).fit(inputs[:n_train], target[:n_train]) for seed in range(N_SEEDS)]
    valid = slice(n_train, n_train + n_valid)
    return State(inputs[valid], target[valid], models, losses_of(models, inputs[valid], target[valid], n_train, rng))


def losses_of(models: list[Any], inputs: Any, target: Any, n_train: int, rng: np.random.Generator) -> TrialLosses:
    """What models lose on these rows."""
    name, rows = str(rng.integers(2**62)), {}
    for seed, model in enumerate(models):
        probabilities = np.maximum(model.predict_proba(inputs), 1e-15)
        values = rows_of_classes(METRIC, np.log(probabilities), target)
        assert values is not None
        rows[seed] = RowLosses(-values, len(target), n_train, name)
    return TrialLosses({seed: float(one.values.mean()) for seed, one in rows.items()}, rows)


def judged(first: State, second: State, rng: np.random.Generator) -> tuple[bool, Paired]:
    """Whether the incumbent has fallen, as the scheduled flow judges."""
    n_train = first.losses.rows[0].n_train
    again = losses_of(first.models, second.inputs, second.target, n_train, rng)
    retrained = compare_losses(first.losses, second.losses)
    return has_fallen(retrained, compare_fixed_models(first.losses, again)), retrained


def fallen(state: State, rng: np.random.Generator) -> State:
    """The same rows, with as many wrong classes that a hit's mean falls by its standard deviation."""
    hits = -np.mean([one.values for one in state.losses.rows.values()], axis=0)
    # A share q of flipped classes turns a rate p into p + q (1 - 2 p).
    share = min(1.0, float(hits.std() / max(2 * hits.mean() - 1, 1e-9)))
    target = np.where(rng.random(len(state.target)) < share, 1 - state.target, state.target)
    again = losses_of(state.models, state.inputs, target, state.losses.rows[0].n_train, rng)
    return State(state.inputs, target, state.models, again)


def measure(name: str, n_rows: int, n_pairs: int) -> Rates:
    """Draw pairs, and count."""
    lapsed = found = flat = 0
    for number in range(n_pairs):
        rng = np.random.default_rng([number, n_rows])
        first, second = (learned(MODELS[name], rng, n_rows) for _ in range(2))
        is_lapsed, paired = judged(first, second, rng)
        lapsed += is_lapsed
        flat += paired.interval is None or paired.interval.low == paired.interval.high
        found += judged(first, fallen(second, rng), rng)[0]
    return Rates(name, n_rows, n_pairs, lapsed, found, flat)


def main() -> int:
    """Print a line for each model and size, as it comes."""
    arguments = parser(__doc__, "twenty pairs, no 40,000 rows")
    arguments.add_argument("--pairs", type=int, help="pairs at each size")
    options = arguments.parse_args()
    tell_machine("scikit-learn")
    warnings.simplefilter("ignore", ConvergenceWarning)
    figures = []
    for n_rows in ROWS[:2] if options.quick else ROWS:
        for name in MODELS:
            rates = measure(name, n_rows, options.pairs or (20 if options.quick else 200))
            print(rates, flush=True)
            figures += rates.figures()
    return conclude(figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
