"""Search spaces of Ray Tune (`tune.uniform(...)`, `tune.grid_search(...)`) as domains; Ray is not imported here."""

from collections.abc import Mapping
from typing import Any

from pegbox.integrations.draft import Draft
from pegbox.integrations.ranges import RawDomain, multiples, normal, number_range

# By the name of the module: importing Ray takes seconds, and the user's file has done it already.
_MODULE = "ray.tune.search.sample"


def is_ray_space(found: Any) -> bool:
    """True for a mapping that holds a domain of Ray Tune, at any depth."""
    if not isinstance(found, Mapping):
        return False
    return any(is_domain(entry) or is_grid(entry) or is_ray_space(entry) for entry in found.values())


def space_from_ray(space: Mapping[str, Any], draft: Draft, place: tuple[str, ...] = ("space",)) -> dict[str, RawDomain]:
    """The space; nested mappings become groups, what is computed from a sample is noted and left out."""
    found: dict[str, RawDomain] = {}
    for name, entry in space.items():
        here = (*place, str(name))
        if isinstance(entry, Mapping) and not is_grid(entry):
            found[str(name)] = {"parameters": space_from_ray(entry, draft, (*here, "parameters"))}
        elif (domain := _domain(entry, draft, here)) is not None:
            found[str(name)] = domain
    return found


def is_domain(entry: Any) -> bool:
    """True for a domain of Ray Tune, such as `tune.uniform(0, 1)`."""
    return any(kind.__module__ == _MODULE for kind in type(entry).__mro__)


def is_grid(entry: Any) -> bool:
    """True for `tune.grid_search([...])`."""
    return isinstance(entry, Mapping) and set(entry) == {"grid_search"}


def _domain(entry: Any, draft: Draft, place: tuple[str, ...]) -> RawDomain | None:
    if is_grid(entry):
        draft.note("tune.grid_search tries each of these with everything else; here they are one choice.", *place)
        return {"values": list(entry["grid_search"])}
    if not is_domain(entry):
        # A lambda is run by Ray on what was drawn; it cannot be told what it computes.
        if callable(entry):
            draft.note(
                f"{place[-1]} is computed ({entry!r:.60}) and was left out: compute it in training.", *place[:-1]
            )
            return None
        return {"value": list(entry) if isinstance(entry, list | tuple) else entry}
    kind = type(entry).__name__
    if kind == "Categorical":
        return {"values": list(entry.categories)}
    if kind not in {"Float", "Integer"}:
        draft.note(f"{place[-1]} is computed (tune.sample_from) and was left out: compute it in training.", *place[:-1])
        return None
    return _number(entry, kind == "Integer", draft, place)


def _number(entry: Any, whole: bool, draft: Draft, place: tuple[str, ...]) -> RawDomain:
    sampler, step = entry.sampler, None
    # With a step the upper end belongs to it, because Ray rounds after drawing (as its documentation of qrandint
    # warns).
    if type(sampler).__name__ == "Quantized":
        sampler, step = sampler.sampler, sampler.q
    kind = type(sampler).__name__.lstrip("_")
    if kind == "Normal":
        return normal(sampler.mean, sampler.sd, step=step)
    log = "LogUniform" in kind
    low, high = entry.lower, entry.upper
    if whole and step in (None, 1):
        high -= 1  # Ray leaves the upper end of whole numbers out
    if kind not in {"Uniform", "LogUniform"}:
        draft.note(f"Ray's sampler {kind} is not known; uniform here.", *place)
    if step not in (None, 1) or (step == 1 and not whole):
        return multiples(low, high, step, log=log)
    return number_range(low, high, log=log, whole=whole)
