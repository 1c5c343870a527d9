"""`budget.whole`: what is kept for the end of a study, and the finalists' round that fits; by the history alone."""

from pegbox.schemas.families import FAMILY
from pegbox.schemas.history import History
from pegbox.schemas.plan import FINALISTS_SHARE, ROUNDS, TRAINED_AGAIN, FinalistsRound

# Measured, 28 November 2026, two cores with other work beside: 3 s for the model's card, 3 to publish and to let go.
END_SECONDS = 6.0
"""That the end takes where its trainings take nothing: the card, the page, and what is recorded."""


def finalists_round(history: History) -> FinalistsRound:
    """How many finalists there are, and how many fresh seeds each has; known once the search is over.

    Fewer of what the study leaves open where the whole time would not do: judged when the search ended, so that a round
    that is broken off goes on as it began.
    """
    planned, whole, ended = planned_round(history), history.spec.budget.whole, history.search_seconds
    if whole is None or ended is None or history.spec.finalists.is_whole:
        return planned
    left = whole - ended - model_seconds(history)
    smaller = (one for one in ROUNDS if one.top <= planned.top and one.seeds <= planned.seeds)
    fitting = next((one for one in smaller if round_seconds(history, one) <= left), ROUNDS[-1])
    asked = history.spec.finalists
    return FinalistsRound(asked.top or fitting.top, asked.seeds or fitting.seeds)


def planned_round(history: History) -> FinalistsRound:
    """The round that the search pays for, whatever time is left.

    The search counts by epochs, in trainings of the length that completed trials had: patience may end them early.
    """
    epochs = sum(trial.budget for trial in history.trials)
    lengths = [trial.budget for trial in history.completed] or [history.spec.full_budget]
    return history.spec.finalists.after(epochs * len(lengths) / sum(lengths))


def kept_seconds(history: History) -> float:
    """Of `budget.whole`, what is kept for everything after the search: trials that run, finalists, the model."""
    whole = history.spec.budget.whole or 0.0
    model = model_seconds(history)
    # No more than their share of what is left for trainings; the round becomes smaller where that does not do.
    most = max(whole - model, 0.0) * FINALISTS_SHARE / (1 + FINALISTS_SHARE)
    return _running_seconds(history) + min(round_seconds(history, planned_round(history)), most) + model


def round_seconds(history: History, size: FinalistsRound) -> float:
    """What a finalists' round takes, at what the best trials took."""
    each = _seconds(history)[: size.top]
    return max(size.seeds * sum(each) / history.spec.run.workers, *each, 0.0)


def model_seconds(history: History) -> float:
    """What the end takes once the winner is known: trained again on more rows, looked at, written."""
    spec = history.spec
    if spec.final not in TRAINED_AGAIN or spec.data is None:
        return END_SECONDS
    split = spec.data.split
    folds = split.folds or 1
    not_held_out = 1 - split.test
    learned = not_held_out * (1 - 1 / folds) if split.folds else not_held_out - split.valid
    rows = [not_held_out, *([1.0] if spec.final == "all" and split.test else [])]
    # In proportion to the rows; the longer of the two that are likeliest to win.
    longest = max(_seconds(history)[:2], default=0.0) / folds
    together = max(rows) if spec.run.workers > 1 else sum(rows)
    return END_SECONDS + longest * together / learned


def _running_seconds(history: History) -> float:
    """Until what runs, or begins now, has ended: a usual training, or the longest of a family of which one runs."""
    longest: dict[object, float] = {}
    for trial in history.competing:
        family = trial.configuration.get(FAMILY)
        longest[family] = max(longest.get(family, 0.0), trial.evaluations[-1].seconds)
    running = [longest.get(trial.configuration.get(FAMILY), 0.0) for trial in history.running]
    return max(sum(_seconds(history)) / max(len(history.competing), 1), *running, 0.0)


def _seconds(history: History) -> list[float]:
    """Of training, of the trials that compete, best first; the folds of one are added up."""
    goal = history.objectives[0]
    ranked = sorted(history.competing, key=lambda trial: goal.loss(trial.value(goal.metric) or 0.0))
    return [trial.evaluations[-1].seconds for trial in ranked]
