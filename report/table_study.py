"""A whole study for a table that somebody wants a model of: what is trained, on what it is judged, for how long."""

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from pegbox.datasets.propose import Proposal, propose
from pegbox.datasets.source_kinds import QUERY
from pegbox.integrations.draft import Draft
from pegbox.report.data_summary import data_warnings
from pegbox.report.number_format import duration, spaced
from pegbox.schemas.data import DataSpec
from pegbox.schemas.plan import FINALISTS_SHARE
from pegbox.schemas.study import LONGEST_NAME
from pegbox.schemas.word_lists import listed
from pegbox.training.resources import available_cores

# Picked by hand, all below; each is written into the study with its reason, where a person changes it.
USUAL_SECONDS = 600.0
"""Of the whole, where nobody says how long it may take."""
TRIALS = 100
"""That end the search of a small table before its time: more find little in a dozen parameters."""
RARE = 0.5
"""Share of a class, as a part of what it would have were all equally frequent, below which it is rare."""
FOREST_BELOW = 200
"""Rows below which leaves of boosted trees hold too few rows; a forest averages over them."""
MOST_CELLS = 200_000_000
"""Of rows times inputs, 800 MB: scikit-learn takes categories as a column for each level, a network as codes."""
CELLS_OF_A_CORE = 2_000_000
"""From which one training gains more from all cores than several trainings side by side."""
MOST_WORKERS = 8
"""Side by side: the search learns less from trials that are on their way."""
MOST_NAMED = 12
"""Reasons that are told for columns being left out, and columns that are named for each."""


BOOSTING = {
    "learning_rate": 0.1,
    "max_iter": 100,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "l2_regularization": 0.0,
    "max_features": 1.0,
}
FOREST = {"min_samples_leaf": 1, "max_samples": 1.0, "n_estimators": 100}
"""Both as scikit-learn has them where nothing is said."""


class Family(NamedTuple):
    """One kind of model, as the study file names it."""

    train: dict[str, Any]
    space: dict[str, Any]
    why: str
    usual: dict[str, Any] | None = None
    """The library's own defaults, which a tuned model has to beat; None where nobody knows good ones."""


def draft_study(spec: DataSpec, seconds: float | None) -> Draft:
    """The study for a table, each decision with its reason beside it.

    Args:
        spec: Source, target and encoding.
        seconds: All of it may take, the answer included; some minutes where it is None.

    Raises:
        DataError: The table cannot be read, or no model can be made of it.
    """
    proposal = propose(spec)
    told = proposal.understanding
    draft = Draft(source=_shown(spec), made_by="pegbox init", name=study_name(spec.source, told.target))
    draft.note("Each decision stands beside its reason; change what you know better, then `pegbox validate`.")
    _write_data(draft, proposal)
    rare = _rare_class(told.class_shares)
    family = array_family(proposal, is_balanced=rare is not None) or _family(proposal, is_balanced=rare is not None)
    draft.train, draft.space = family.train, family.space
    draft.note(f"{_task(proposal)} {family.why}", "train")
    if family.usual is not None:
        draft.search = {"enqueue": [family.usual]}
        draft.note("The defaults of the library go first: the answer says by how much they were beaten.", "search")
    _write_objective(draft, proposal, rare)
    _write_budget(draft, proposal, seconds or USUAL_SECONDS)
    draft.final = "refit"
    draft.note("The winner is trained once more on all rows that are not held out: `pegbox predict`.", "final")
    return draft


def study_name(source: str, target: str) -> str:
    """Of the file and the target, in letters that need no quotes.

    >>> study_name("data/bank churn.csv", "left?"), study_name("images/", "class")
    ('bank-churn-left', 'images-class')
    """
    stem = "table" if QUERY.match(source) else re.split(r"[/\\:]", source.rstrip("/\\"))[-1].split(".")[0]
    words = re.findall(r"[A-Za-z0-9_]+", f"{stem} {target}")
    return "-".join(words)[:LONGEST_NAME] or "table"


def search_seconds(seconds: float | None) -> float:
    """What the search gets of the time for all: the finalists may take half as much again."""
    return round((seconds or USUAL_SECONDS) / (1 + FINALISTS_SHARE), 1)


def _shown(spec: DataSpec) -> str:
    return "an SQL query" if QUERY.match(spec.source) else Path(spec.source).name


def _write_data(draft: Draft, proposal: Proposal) -> None:
    written = proposal.spec.model_dump(mode="json", exclude_defaults=True)
    split = proposal.spec.split
    # Also what is a default: a person who changes the split sees the shares.
    shares = {"test": split.test} if split.folds else {"test": split.test, "valid": split.valid}
    draft.data = {**written, "split": {**shares, **written.get("split", {})}}
    for reason in _reasons(proposal.left_out):
        draft.note(reason, "data", "drop")
    for why in proposal.why_split:
        draft.note(why, "data", "split")
    for warning in data_warnings(proposal.understanding):
        draft.note(f"Look at this: {warning}", "data")


def _reasons(left_out: dict[str, str]) -> list[str]:
    """A sentence for each reason, those of many columns first, in as many lines as a person reads."""
    names: dict[str, list[str]] = {}
    for name, why in left_out.items():
        names.setdefault(why, []).append(repr(name))
    by_number = sorted(names.items(), key=lambda one: -len(one[1]))
    told = [f"{_in_front(those)} {why}." for why, those in by_number[:MOST_NAMED]]
    more = sum(len(those) for _, those in by_number[MOST_NAMED:])
    return [*told, *([f"{more} more columns are left out for reasons such as these."] if more else [])]


def _in_front(names: list[str]) -> str:
    return f"{listed(names, MOST_NAMED)}{':' if len(names) > 1 else ''}"


def _task(proposal: Proposal) -> str:
    told = proposal.understanding
    if told.task == "regression":
        return f"{told.target!r} is a quantity: regression."
    return f"{told.target!r} has {len(told.class_shares)} classes: classification."


def _family(proposal: Proposal, *, is_balanced: bool) -> Family:
    """The one that fits the rows."""
    task, n_rows = proposal.understanding.task, proposal.n_rows
    rows = f"{spaced(n_rows)} rows"
    if n_rows * proposal.n_inputs > MOST_CELLS:
        weights = {"class_weights": "balanced"} if is_balanced else {}
        train = {"kind": "mlp", "task": task, "epochs": 30, "patience": 5}
        why = f"A network: with a column for each category {rows} would not fit the memory, and it takes codes."
        return Family(train, {"preset": "mlp", **weights}, why)
    weights = {"class_weight": "balanced"} if is_balanced else {}
    is_classification = task == "classification"
    if n_rows < FOREST_BELOW:
        name, preset, why = "RandomForest", "random_forest", f"A random forest: it holds its own on {rows}."
        usual = {**FOREST, "max_features": _share_of_columns(proposal.n_inputs) if is_classification else 1.0}
    else:
        name, preset, usual = "HistGradientBoosting", "gradient_boosting", BOOSTING
        why = f"Boosted trees: on {rows} in a table they are hard to beat, and each training takes seconds."
    made = "Classifier" if is_classification else "Regressor"
    train = {"kind": "sklearn", "estimator": f"sklearn.ensemble:{name}{made}", "task": task}
    return Family(train, {"preset": preset, **weights}, why, {**usual, **weights})


def array_family(proposal: Proposal, *, is_balanced: bool) -> Family | None:
    """That of pictures and sequences in files; None for tables."""
    if proposal.shape is None or proposal.example is None:
        return None
    # Without an axis of channels they are grey pictures; with one and two dimensions steps of features.
    is_picture = len(proposal.shape) == 3 or proposal.example.channel_axis is None
    kind, what = ("cnn", "convolutional network: pictures") if is_picture else ("rnn", "recurrent network: sequences")
    weights = {"class_weights": "balanced"} if is_balanced else {}
    train = {"kind": kind, "task": proposal.understanding.task, "epochs": 30, "patience": 5}
    return Family(train, {"preset": kind, **weights}, f"A {what} of {' × '.join(map(str, proposal.shape))}.")


def _share_of_columns(n_inputs: int) -> float:
    """The square root of their number, as scikit-learn has it; at least what the preset begins with."""
    return round(max(0.05, 1 / math.sqrt(n_inputs)), 4)


def _rare_class(shares: dict[str, float]) -> str | None:
    """The rarest class where it is a rare one."""
    if not shares:
        return None
    name, share = min(shares.items(), key=lambda one: one[1])
    return name if share < RARE / len(shares) else None


def _write_objective(draft: Draft, proposal: Proposal, rare: str | None) -> None:
    told = proposal.understanding
    if told.task == "regression":
        draft.objective = {"metric": "val_rmse", "goal": "minimize"}
        draft.note("The error in the units of the target; `val_mae` where a few large errors matter less.", "objective")
    elif rare is None:
        draft.objective = {"metric": "val_accuracy", "goal": "maximize"}
        draft.note("No class is rare. `val_loss`, minimised, where the probabilities matter.", "objective")
    else:
        draft.objective = {"metric": "val_balanced_accuracy", "goal": "maximize"}
        share = told.class_shares[rare]
        draft.note(
            f"The class {rare!r} has {100 * share:.3g} % of the rows, so that a model that never names it is "
            f"{100 - 100 * share:.3g} % accurate. This is the mean of the shares that are found of each class, and "
            "the class weights of the space let each count as much. `val_loss` without them where the probabilities "
            "matter.",
            "objective",
        )


def _write_budget(draft: Draft, proposal: Proposal, seconds: float) -> None:
    cores = available_cores()
    is_small = proposal.n_rows * proposal.n_inputs < CELLS_OF_A_CORE
    draft.budget = {"time": search_seconds(seconds), "trials": TRIALS}
    draft.note(
        f"Seconds, of {duration(seconds)} in all: the finalists on fresh seeds may take half as much again. A small "
        f"table has its {TRIALS} trials before.",
        "budget",
    )
    draft.run = {"workers": min(cores, MOST_WORKERS) if is_small else 1}
    side = "one for each core: a training of this table is too small for several" if is_small else "with all cores"
    draft.note(f"{cores} core{'s' if cores > 1 else ''}; {side}.", "run")
