"""A whole study for a table that somebody wants a model of: what is trained, on what it is judged, for how long."""

import re
import unicodedata
from pathlib import Path

from pegbox.datasets.propose import Proposal, propose
from pegbox.datasets.source_kinds import QUERY
from pegbox.integrations.draft import Draft
from pegbox.report.data_summary import data_warnings
from pegbox.report.number_format import duration, spaced
from pegbox.report.table_families import Table, families_for, first_configurations, space_of_families
from pegbox.schemas.data import DataSpec
from pegbox.schemas.study import LONGEST_NAME
from pegbox.schemas.word_lists import listed
from pegbox.training.resources import available_cores

# Picked by hand, all below; each is written into the study with its reason, where a person changes it.
USUAL_SECONDS = 600.0
"""Of the whole, where nobody says how long it may take."""
SEARCH_SHARE = 0.5
"""Of the whole time, for which a training is made to fit: start, finalists and model take the rest of a minute, and
less of an hour."""
TRIALS = 100
"""That end the search of a small table before its time: more find little in a dozen parameters."""
EARLY = 2
"""Of each family: its usual configuration and another one, or a family would be judged by one."""
TIMEOUT_SHARE = 3
"""The longest trial has this part of the search: a family that is too slow for the table fails, and leaves the rest to
others."""
LEAST_TIMEOUT = 10.0
"""Seconds: of a search of half a minute a third is what a usual training takes on a busy machine."""
RARE = 0.5
"""Share of a class, as a part of what it would have were all equally frequent, below which it is rare."""
CELLS_OF_A_CORE = 2_000_000
"""From which one training gains more from all cores than several trainings side by side."""
MOST_WORKERS = 8
"""Side by side: the search learns less from trials that are on their way."""
MOST_NAMED = 12
"""Reasons that are told for columns being left out, and columns that are named for each."""


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
    _write_budget(draft, proposal, seconds or USUAL_SECONDS)
    table = Table.of(
        proposal,
        is_balanced=rare is not None,
        threads=available_cores() // draft.run["workers"],
        seconds=_search_seconds(draft.budget["whole"]),
    )
    if proposal.example is None:
        _write_families(draft, proposal, table)
    else:
        _write_network(draft, proposal, is_balanced=rare is not None)
    _write_objective(draft, proposal, rare)
    draft.final = "all"
    draft.note(
        "The winner is trained once more with the validation rows, measured on the held-out ones, and then on these as "
        "well: `pegbox predict`. `refit` where the held-out rows are to stay unseen.",
        "final",
    )
    return draft


def study_name(source: str, target: str) -> str:
    """Of the file and the target, in letters that need no quotes.

    >>> study_name("data/bank churn.csv", "Kündigung?"), study_name("images/", "class")
    ('bank-churn-Kundigung', 'images-class')
    """
    # Without accents: letters that need no quotes, and a name that is known again.
    source, target = (unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode() for one in (source, target))
    stem = "table" if QUERY.match(source) else re.split(r"[/\\:]", source.rstrip("/\\"))[-1].split(".")[0]
    words = re.findall(r"[A-Za-z0-9_]+", f"{stem} {target}")
    return "-".join(words)[:LONGEST_NAME] or "table"


def _search_seconds(whole: float) -> float:
    return round(SEARCH_SHARE * whole, 1)


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
    for word, names in proposal.absent.items():
        draft.note(
            f"{word!r} stands for a missing value: {listed([repr(one) for one in names], MOST_NAMED)} would hold "
            "numbers or dates alone.",
            "data",
            "missing",
        )
    for name in proposal.spec.texts:
        draft.note(
            f"{name!r} is free text: its most frequent words become numbers. `method: hashing` takes all words; "
            "`drop` it where it says nothing.",
            "data",
            "text",
        )
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


def _write_families(draft: Draft, proposal: Proposal, table: Table) -> None:
    families = families_for(table)
    trains = {name: family.train for name, family in families.items()}
    draft.train = {
        "kind": "families",
        "task": proposal.understanding.task,
        "epochs": table.epochs,
        "early": EARLY,
        "families": trains,
    }
    draft.note(f"{_task(proposal)} The search decides among the families, once each had {EARLY} trials.", "train")
    draft.note("Of networks; all other families are fitted whole in the first.", "train", "epochs")
    for name, family in families.items():
        draft.note(family.why, "train", "families", name)
    if "linear" not in families:
        rows = f"{spaced(proposal.n_rows)} rows"
        draft.note(
            f"Networks alone: with a column for each category {rows} would not fit the memory, and these take codes.",
            "train",
            "families",
        )
    draft.space = space_of_families(families)
    draft.search = {"enqueue": first_configurations(families)}
    draft.finalists = {"ties": "known"}
    draft.note(
        "The best of the usual configurations wins where no other is better beyond noise: whatever a search finds was "
        "lucky too. `cheapest` where the best mean is to win.",
        "finalists",
    )
    draft.note(
        "What each library does where nothing is said goes first: the answer says by how much that was beaten.",
        "search",
    )


def _write_network(draft: Draft, proposal: Proposal, *, is_balanced: bool) -> None:
    """Of pictures and sequences: the one kind that is made for them."""
    assert proposal.example is not None
    shape = proposal.shape or ()
    # Without an axis of channels they are grey pictures; with one and two dimensions steps of features.
    is_picture = len(shape) == 3 or proposal.example.channel_axis is None
    kind, what = ("cnn", "convolutional network: pictures") if is_picture else ("rnn", "recurrent network: sequences")
    draft.train = {"kind": kind, "task": proposal.understanding.task, "epochs": 30, "patience": 5}
    draft.note(f"{_task(proposal)} A {what} of {' × '.join(map(str, shape))}.", "train")
    draft.space = {"preset": kind, **({"class_weights": "balanced"} if is_balanced else {})}


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
    draft.budget = {"whole": seconds, "trials": TRIALS}
    draft.note(
        f"Seconds, {duration(seconds)} from the command to the model: the search ends where the rest is needed for the "
        f"finalists and the model, at what trainings took. A small table has its {TRIALS} trials before.",
        "budget",
    )
    # Pictures and sequences have one family: to end its trials early would leave nobody.
    share, why = (
        (1, "it leaves no time for another")
        if proposal.example
        else (TIMEOUT_SHARE, "its family is too slow for this table")
    )
    timeout = max(LEAST_TIMEOUT, round(_search_seconds(seconds) / share, 1))
    draft.run = {"workers": min(cores, MOST_WORKERS) if is_small else 1, "timeout": timeout}
    side = "one for each core: a training of this table is too small for several" if is_small else "with all cores"
    draft.note(f"{cores} core{'s' if cores > 1 else ''}; {side}.", "run")
    draft.note(
        f"A trial that takes longer than {duration(timeout)} fails: {why}.",
        "run",
        "timeout",
    )
