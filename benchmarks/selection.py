"""Is the stated interval honest, and is the selection better than taking the best observed value?

Simulates whole studies: a search sees each configuration once, with noise; the finalists are trained on fresh seeds by
successive elimination; a winner is selected. The true values are known, so that coverage and regret can be counted.

    python benchmarks/selection.py [--quick] [--json] [--studies 400]
"""

import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import sqrt

import numpy as np
from figures import Figure, conclude, parser, tell_machine

from pegbox.analysis.elimination import next_replicates
from pegbox.analysis.selection import select_winner
from pegbox.schemas.history import History
from pegbox.schemas.selection import RowNoise
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState

# Picked by hand: a study of an evening.
N_TRIALS = 60


LEAST_COVERAGE = 0.9
"""Of intervals that claim 95 %: what 40 studies can tell apart from it; 400 are within a percent."""


@dataclass(frozen=True)
class Scenario:
    """How noisy training is, in units of the spread of the true values over the space."""

    name: str
    noise: float
    seed_effect: float = 0.0
    """Standard deviation of what a seed does to all configurations alike."""
    uneven: float = 0.0
    """Standard deviation of the logarithm of the noise over configurations."""
    rows: float = 0.0
    """Standard deviation of what the rows do to each configuration, in the search and on every fresh seed alike, so
    that no seed shows it; they do twice as much to all configurations alike."""


SCENARIOS = (
    Scenario("little noise", 0.05),
    Scenario("noise", 0.3),
    Scenario("much noise", 1.0),
    Scenario("shared seeds", 0.3, seed_effect=0.3),
    Scenario("uneven noise", 0.3, uneven=0.7),
    Scenario("rows alone", 0.0, rows=0.1),
    Scenario("rows and noise", 0.1, rows=0.1),
)


@dataclass(frozen=True)
class Outcome:
    """What one simulated study came to; losses in units of the spread of the true values."""

    covered: bool
    width: float
    probability_best: float
    is_best: bool
    regret: float
    naive_regret: float
    naive_optimism: float
    optimism: float
    n_replicates: int


def simulate(scenario: Scenario, number: int) -> Outcome:
    """Run one study of a smooth random function of four parameters."""
    rng = np.random.default_rng([number, *scenario.name.encode()])
    points = rng.random((N_TRIALS, 4))
    truth = _random_function(points, rng)
    # Lognormal, because a spread cannot be negative, and some configurations are unstable by a factor and not by an
    # amount.
    noise = scenario.noise * np.exp(scenario.uneven * rng.standard_normal(N_TRIALS))
    # One draw for each fresh seed: what it does to all finalists alike cancels in their differences.
    shared = scenario.seed_effect * rng.standard_normal(100)
    on_rows = truth + scenario.rows * (rng.standard_normal(N_TRIALS) + 2 * rng.standard_normal())
    observed = on_rows + noise * rng.standard_normal(N_TRIALS) + scenario.seed_effect * rng.standard_normal(N_TRIALS)
    history = _history(points, observed)
    n_replicates = 0
    while missing := next_replicates(history):
        pairs = [(one.trial, one.replicate or 0) for one in missing]
        n_replicates += len(pairs)
        values = [
            (trial, seed, on_rows[trial] + shared[seed] + noise[trial] * rng.standard_normal()) for trial, seed in pairs
        ]
        history = with_replicates(history, values)
    selection = select_winner(history, _row_noise(history, scenario.rows))
    winner, finalist, naive = selection.winner, selection.best, int(observed.argmin())
    finalists = [one.trial for one in selection.finalists]
    assert finalist.interval is not None
    assert finalist.estimate is not None
    return Outcome(
        covered=finalist.interval.low <= truth[winner] <= finalist.interval.high,
        width=finalist.interval.high - finalist.interval.low,
        probability_best=finalist.probability_best,
        is_best=bool(truth[winner] == truth[finalists].min()),
        regret=float(truth[winner] - truth.min()),
        naive_regret=float(truth[naive] - truth.min()),
        naive_optimism=float(truth[naive] - observed[naive]),
        optimism=float(truth[winner] - finalist.estimate),
        n_replicates=n_replicates,
    )


def summarise(scenario: str, outcomes: list[Outcome]) -> dict[str, object]:
    """Means over the studies of a scenario, with the standard error of the coverage."""
    means = {key: float(np.mean([getattr(one, key) for one in outcomes])) for key in asdict(outcomes[0])}
    coverage = means.pop("covered")
    # Of a binomial share.
    error = sqrt(coverage * (1 - coverage) / len(outcomes))
    return {"scenario": scenario, "studies": len(outcomes), "coverage": coverage, "coverage_error": error, **means}


def _random_function(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A quadratic bowl with a random minimum and a few waves, scaled to standard deviation 1."""
    weights, centre = rng.exponential(size=4), rng.random(4)
    frequencies, phases = rng.normal(0, 4, (8, 4)), rng.uniform(0, 6.3, 8)
    values = ((points - centre) ** 2) @ weights + 0.1 * np.sin(points @ frequencies.T + phases).sum(axis=1)
    return (values - values.mean()) / values.std()


def _history(points: np.ndarray, observed: np.ndarray) -> History:
    spec = StudySpec.model_validate(
        {
            "name": "simulated",
            "train": {"kind": "function", "function": "simulated:train"},
            "space": {f"x{dim}": {"min": 0.0, "max": 1.0} for dim in range(4)},
            "objective": {"metric": "loss"},
            "budget": {"trials": len(points)},
        }
    )
    trials = tuple(
        Trial(
            number=number,
            seed=number,
            configuration={f"x{dim}": float(value) for dim, value in enumerate(point)},
            state=TrialState.COMPLETED,
            budget=1,
            evaluations=(Evaluation(budget=1, metrics={"loss": float(observed[number])}, seconds=1.0),),
        )
        for number, point in enumerate(points)
    )
    return History(spec=spec, trials=trials)


def _row_noise(history: History, own: float) -> RowNoise | None:
    """As many rows would tell it; None where the rows are no noise."""
    finalists = tuple(trial.number for trial in history.trials if trial.replicates)
    covariance = own**2 * (np.eye(len(finalists)) + 4)
    return RowNoise(trials=finalists, n_rows=1000, covariance=tuple(map(tuple, covariance))) if own else None


def with_replicates(history: History, values: Iterable[tuple[int, int, float]]) -> History:
    """The history after fresh seeds of finalists: trial, seed and loss of each."""
    trials = list(history.trials)
    for trial, seed, value in values:
        one = Evaluation(budget=1, metrics={"loss": float(value)}, seconds=1.0, replicate=seed)
        trials[trial] = trials[trial].model_copy(update={"replicates": (*trials[trial].replicates, one)})
    return History(spec=history.spec, trials=tuple(trials))


def main() -> int:
    """Print a table, and how often the winner's interval holds its true mean."""
    made = parser(__doc__, "40 studies over all scenarios")
    made.add_argument("--studies", type=int, default=400, help="simulated studies over all scenarios")
    arguments = made.parse_args()
    tell_machine("scipy")
    each = max(1, (40 if arguments.quick else arguments.studies) // len(SCENARIOS))
    rows, every = [], []
    for scenario in SCENARIOS:
        outcomes = [simulate(scenario, number) for number in range(each)]
        every += outcomes
        rows.append(summarise(scenario.name, outcomes))
    rows.append(summarise("all", every))
    _print_table(rows)
    total = rows[-1]
    figures = [
        Figure("coverage of the winner's 95 % interval", float(str(total["coverage"])), LEAST_COVERAGE, at_most=False),
        Figure("regret, ratio to best observed", float(str(total["regret"])) / float(str(total["naive_regret"])), 1.0),
    ]
    return conclude(figures, arguments.json)


def _print_table(rows: list[dict[str, object]]) -> None:
    print("regret and optimism: of the selection, and of the best observed value; in units of the true values' spread")
    print("scenario       studies  coverage      P(best)  is best    regret         optimism     replicates")
    for row in rows:
        print(
            f"{row['scenario']:14} {row['studies']:7}  {row['coverage']:.3f}±{row['coverage_error']:.3f}"
            f"  {row['probability_best']:7.2f}  {row['is_best']:7.2f}"
            f"  {row['regret']:.3f}, {row['naive_regret']:.3f}"
            f"  {row['optimism']:+.3f}, {row['naive_optimism']:+.3f}  {row['n_replicates']:6.1f}"
        )


if __name__ == "__main__":
    sys.exit(main())
