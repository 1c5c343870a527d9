"""`param_distributions` and searches of scikit-learn, with frozen scipy distributions, as domains and study files."""

from collections.abc import Mapping, Sequence
from typing import Any

from pegbox.integrations.draft import Draft
from pegbox.integrations.ranges import RawDomain, normal, number_range


def is_search(found: Any) -> bool:
    """True for a GridSearchCV, a RandomizedSearchCV or one of their halving kin."""
    # By the name of the class, so that scikit-learn is not loaded for a file that has nothing to do with it.
    return any(kind.__name__ == "BaseSearchCV" for kind in type(found).__mro__)


def is_distributions(found: Any) -> bool:
    """True for a mapping of lists and scipy distributions, of which there is at least one with several values."""
    return isinstance(found, Mapping) and any(_is_frozen(entry) or _is_list(entry) for entry in found.values())


def draft_from_search(search: Any, draft: Draft) -> Draft:
    """Fill a draft from a search object: estimator, space, scoring, folds and number of candidates."""
    estimator = search.estimator
    kind = type(estimator)
    draft.train = {"kind": "sklearn", "estimator": f"{kind.__module__}:{kind.__qualname__}"}
    if hasattr(estimator, "steps"):
        draft.note(
            "A Pipeline cannot be built from an import path; write a function or a class that makes it.", "train"
        )
    draft.note("Write `data:` with your table.", "train")
    spaces = getattr(search, "param_distributions", None) or getattr(search, "param_grid", {})
    draft.space = space_from_distributions(spaces, draft)
    scoring = getattr(search, "scoring", None)
    draft.objective = _objective(scoring, draft)
    if isinstance(getattr(search, "cv", None), int):
        draft.note(f"The search had cv={search.cv}: write `split: {{folds: {search.cv}}}` in data.", "train")
    is_random = hasattr(search, "param_distributions")
    draft.search = {"method": "random" if is_random else "grid"}
    n_candidates = getattr(search, "n_iter", None)
    draft.budget = {"trials": n_candidates if isinstance(n_candidates, int) else 50}
    return draft


def _objective(scoring: Any, draft: Draft) -> dict[str, Any]:
    # Only those whose meaning is the same to the letter; others need a choice of the user's.
    names = {
        "accuracy": ("val_accuracy", "maximize"),
        "neg_log_loss": ("val_loss", "minimize"),
        "roc_auc": ("val_roc_auc", "maximize"),
        "f1_macro": ("val_f1", "maximize"),
        "r2": ("val_r2", "maximize"),
        "neg_root_mean_squared_error": ("val_rmse", "minimize"),
        "neg_mean_absolute_error": ("val_mae", "minimize"),
    }
    metric, goal = names.get(scoring, ("val_loss", "minimize"))
    if scoring not in names:
        draft.note(f"The search's scoring was {scoring!r}; choose the metric that means the same.", "objective")
    return {"metric": metric, "goal": goal}


def space_from_distributions(spaces: Any, draft: Draft) -> dict[str, RawDomain]:
    """The space; of a list of mappings the parameters of all of them."""
    if isinstance(spaces, Sequence) and not isinstance(spaces, str):
        draft.note(
            f"The {len(spaces)} spaces of a list are joined here; write `when` where a parameter belongs to one."
        )
        joined: dict[str, Any] = {}
        for one in spaces:
            joined |= one
        spaces = joined
    return {str(name): _domain(entry, draft, str(name)) for name, entry in spaces.items()}


def _is_frozen(entry: Any) -> bool:
    return hasattr(entry, "rvs") and hasattr(entry, "dist")


def _is_list(entry: Any) -> bool:
    return (isinstance(entry, list | tuple) or hasattr(entry, "tolist")) and len(entry) > 1


def _domain(entry: Any, draft: Draft, name: str) -> RawDomain:
    if _is_frozen(entry):
        return _frozen(entry, draft, name)
    if hasattr(entry, "rvs"):
        draft.note(f"{type(entry).__name__} cannot be read; write its range.", "space", name)
        return {"value": None}
    values = entry.tolist() if hasattr(entry, "tolist") else entry
    if isinstance(values, list | tuple):
        return {"values": [_plain(value, draft, name) for value in values]}
    return {"value": _plain(values, draft, name)}


def _plain(value: Any, draft: Draft, name: str) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, tuple | list):
        return [_plain(one, draft, name) for one in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    draft.note(f"{value!r:.60} is an object; here it is its text.", "space", name)
    return str(value)


def _frozen(entry: Any, draft: Draft, name: str) -> RawDomain:
    """A frozen distribution of scipy by its support, uniform unless it is normal or logarithmic."""
    kind = entry.dist.name
    shapes, location, scale = entry.dist._parse_args(*entry.args, **entry.kwds)  # scipy offers no public way
    low, high = (float(end) for end in entry.support())
    # scipy has loguniform under its older name reciprocal too.
    if kind in {"randint", "uniform", "loguniform", "reciprocal"}:
        if kind == "randint":
            return number_range(int(low), int(high), whole=True)
        return number_range(low, high, log=kind != "uniform")
    if kind == "norm":
        return normal(float(location), float(scale))
    # Shifted, it has no counterpart; scipy's scale is the exponential of the mean of the logarithm.
    if kind == "lognorm" and location == 0:
        import math

        return normal(math.log(scale), float(shapes[0]), log=True)
    # Quantiles, because the support may be infinite; picked by hand, so that one in 500 draws lies outside.
    low, high = (float(end) for end in entry.ppf([0.001, 0.999]))
    draft.note(f"scipy's {kind} has no counterpart here; uniform over its middle 99.8 %.", "space", name)
    is_whole = hasattr(entry.dist, "pmf")
    return number_range(low, high, whole=is_whole)
