"""Sweeper sections of Hydra configurations (basic, Optuna, Ax, Nevergrad) as study files.

Source: Hydra 1.3's override grammar ("Extended Override syntax") and its sweeper plugins' pages.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from pegbox.integrations.draft import TRIALS, Draft
from pegbox.integrations.ranges import RawDomain, number_range

_CALL = re.compile(r"\s*(?P<name>\w+)\s*\((?P<inside>.*)\)\s*", re.DOTALL)


def is_hydra_sweep(raw: Any) -> bool:
    """True for a configuration with a `hydra.sweeper` section, nested or with the key `hydra/sweeper`."""
    return isinstance(raw, Mapping) and bool(_sweeper(raw))


def draft_from_hydra(raw: Mapping[str, Any], draft: Draft) -> Draft:
    """Fill a draft from the sweeper of a configuration."""
    sweeper = _sweeper(raw)
    for section in ("params", "search_space"):
        for name, entry in _mapping(sweeper, section).items():
            draft.space[str(name)] = _override(str(name), entry, draft)
    for name, entry in _mapping(_mapping(sweeper, "ax_config"), "params").items():
        draft.space[str(name)] = _ax(str(name), entry, draft)
    for name, entry in _mapping(sweeper, "parametrization").items():
        draft.space[str(name)] = _nevergrad(str(name), entry, draft)
    draft.name = str(sweeper.get("study_name") or draft.name)
    # Hydra's command line takes name=value without dashes.
    draft.train = {"kind": "command", "command": ["python", "main.py", "{args_no_hyphens}"]}
    draft.note("Write your program in place of main.py; it is handed name=value, as Hydra takes it.", "train")
    draft.note("Hydra's sweepers read what the main function returns; pegbox reads what it prints: print it.", "train")
    _objective(raw, sweeper, draft)
    _search(raw, sweeper, draft)
    _limits(sweeper, draft)
    draft.leftover("Hydra's sweeper", sweeper, _KNOWN)
    return draft


_KNOWN = {
    "_target_", "params", "search_space", "study_name", "direction", "n_trials", "max_trials", "n_jobs", "sampler",
    "ax_config", "parametrization", "optim", "storage", "max_batch_size",
}  # fmt: skip


def _mapping(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, Mapping) else {}


def _sweeper(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(raw, "hydra"), "sweeper") or _mapping(raw, "hydra/sweeper") or _mapping(raw, "sweeper")


def _objective(raw: Mapping[str, Any], sweeper: Mapping[str, Any], draft: Draft) -> None:
    experiment = _mapping(_mapping(sweeper, "ax_config"), "experiment")
    direction = sweeper.get("direction")
    if isinstance(direction, list):
        draft.note(f"The sweep has {len(direction)} directions; write `objectives` for several metrics.", "objective")
        direction = direction[0] if direction else None
    is_maximised = experiment.get("minimize") is False or _mapping(sweeper, "optim").get("maximize") is True
    goal = str(direction or ("maximize" if is_maximised else "minimize"))
    metric = experiment.get("objective_name") or raw.get("optimized_metric") or raw.get("optimize_metric")
    draft.objective = {"metric": str(metric or "objective"), "goal": goal}
    draft.note("The name under which the program prints its value, such as `objective=0.21`.", "objective", "metric")


_SAMPLERS = {
    "tpe": "optuna:TPESampler",
    "random": "random",
    "cmaes": "optuna:CmaEsSampler",
    "nsgaii": "optuna:NSGAIISampler",
    # Optuna merged its multi-objective TPE into the one sampler.
    "motpe": "optuna:TPESampler",
    "grid": "grid",
}
"""By the names of the Optuna sweeper's config group `hydra/sweeper/sampler`."""


def _search(raw: Mapping[str, Any], sweeper: Mapping[str, Any], draft: Draft) -> None:
    sampler = _mapping(sweeper, "sampler")
    target = str(sampler.get("_target_", ""))
    defaults = [entry for entry in raw.get("defaults") or () if isinstance(entry, Mapping)]
    chosen = next((str(one[key]) for one in defaults for key in one if "hydra/sweeper/sampler" in str(key)), None)
    if target.startswith("optuna.samplers."):
        draft.search = {"method": f"optuna:{target.rpartition('.')[2]}"}
    elif chosen in _SAMPLERS:
        draft.search = {"method": _SAMPLERS[chosen]}
    else:
        draft.search = {"method": "auto"}
        kind = str(sweeper.get("_target_") or "the basic sweeper")
        draft.note(f"The sweeper was {kind}; auto chooses a method.", "search")
    if isinstance(sampler.get("seed"), int):
        draft.search["seed"] = sampler["seed"]
    taken = {"_target_", "seed"} if "seed" in draft.search else {"_target_"}
    draft.leftover("The sampler's", sampler, taken, "search")


def _limits(sweeper: Mapping[str, Any], draft: Draft) -> None:
    found = (
        sweeper.get("n_trials"),
        _mapping(sweeper, "ax_config").get("max_trials"),
        _mapping(sweeper, "optim").get("budget"),
    )
    trials = next((one for one in found if isinstance(one, int)), None)
    draft.budget = {"trials": trials or TRIALS}
    if trials is None:
        draft.note("The sweeper names no number of trials; choose how many to pay for.", "budget")
    workers = sweeper.get("n_jobs") or _mapping(sweeper, "optim").get("num_workers")
    if isinstance(workers, int) and workers > 0:
        draft.run = {"workers": workers}


def _override(name: str, raw: Any, draft: Draft) -> RawDomain:
    """A domain from Hydra's override grammar, or from the older mappings of the Optuna sweeper."""
    if isinstance(raw, Mapping):
        return _older_optuna(name, raw, draft)
    if isinstance(raw, list):
        return {"values": raw}
    if not isinstance(raw, str):
        return {"value": raw}
    return _grammar(name, raw, draft, log=False)


def _grammar(name: str, text: str, draft: Draft, log: bool) -> RawDomain:
    # A grammar by hand: Hydra's own parser needs Hydra and ANTLR installed, to read a file of another program.
    call = _CALL.fullmatch(text)
    if call is None:
        parts = _split(text)
        return {"values": [_scalar(part) for part in parts]} if len(parts) > 1 else {"value": _scalar(text)}
    words = [word for word in _split(call["inside"]) if word]
    match call["name"]:
        case "tag":
            tags = [word for word in words[:-1] if "=" not in word]
            return _grammar(name, words[-1], draft, log=log or "log" in tags)
        case "int" | "float" if len(words) == 1:
            domain = _grammar(name, words[0], draft, log=log)
            # A cast of a choice needs no further word: its values are numbers already.
            whole = call["name"] == "int" and isinstance(domain, dict) and "min" in domain
            return number_range(domain["min"], domain["max"], log=log, whole=True) if whole else domain
        case "shuffle" | "sort" | "choice" | "glob":
            inner = _split(words[0][1:-1]) if len(words) == 1 and words[0].startswith("[") else words
            if call["name"] == "glob":
                draft.note(f"{text} names config files; list them.", "space", name)
            return {"values": [_scalar(word) for word in inner if "=" not in word]}
        case "interval":
            ends = [_scalar(word.partition("=")[2] or word) for word in words[:2]]
            if len(ends) == 2 and all(isinstance(end, int | float) for end in ends):
                return number_range(*ends, log=log, whole=all(isinstance(end, int) for end in ends))
        case "range":
            return _steps(words, log)
    draft.note(f"{text} is not known to pegbox; correct it.", "space", name)
    return {"value": text}


def _steps(words: list[str], log: bool) -> RawDomain:
    """range(start, stop, step), the end left out, as in Python."""
    named = dict(word.split("=", 1) for word in words if "=" in word)
    plain = [_scalar(word) for word in words if "=" not in word]
    start, stop = (0, plain[0]) if len(plain) == 1 and "stop" not in named else (*plain, 0, 0)[:2]
    start, stop = _scalar(named.get("start", str(start))), _scalar(named.get("stop", str(stop)))
    step = _scalar(named.get("step", str(plain[2] if len(plain) > 2 else 1)))
    whole = all(isinstance(number, int) for number in (start, stop, step))
    # A little less, because a quotient such as 3.0000000000000004 would let in the end, which is left out.
    n_values = max(math.ceil((stop - start) / step - 1e-9), 1)
    last = start + (n_values - 1) * step
    # Twelve digits drop the rounding errors of the sum and keep any step that a person writes.
    return number_range(start, last if whole else float(f"{last:.12g}"), log=log, step=step, whole=whole)


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no brackets or quotes."""
    parts, depth, quote, here = [], 0, "", ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        if letter == "," and not quote and depth == 0:
            parts.append(here.strip())
            here = ""
        else:
            here += letter
    return [*parts, here.strip()] if here.strip() or not parts else parts


def _scalar(text: str) -> Any:
    """As Hydra reads one: numbers, true, false and null; anything else is a text."""
    words = {"true": True, "false": False, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    # Whole numbers first, or every range of integers would become one of floats.
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text.strip("'\"")


def _older_optuna(name: str, raw: Mapping[str, Any], draft: Draft) -> RawDomain:
    draft.leftover(f"{name}:", raw, {"type", "choices", "low", "high", "step", "log"}, "space", name)
    if raw.get("type") == "categorical":
        return {"values": list(raw.get("choices") or ())}
    whole = raw.get("type") == "int"
    return number_range(raw["low"], raw["high"], log=bool(raw.get("log")), step=raw.get("step"), whole=whole)


def _ax(name: str, raw: Any, draft: Draft) -> RawDomain:
    if not isinstance(raw, Mapping):
        return {"value": raw}
    draft.leftover(f"{name}:", raw, {"type", "bounds", "log_scale", "values", "value", "value_type"}, "space", name)
    match raw.get("type"):
        case "range":
            low, high = raw["bounds"]
            whole = raw.get("value_type") == "int" or (isinstance(low, int) and isinstance(high, int))
            return number_range(low, high, log=bool(raw.get("log_scale")), whole=whole)
        case "choice":
            return {"values": list(raw.get("values") or ())}
        case _:
            return {"value": raw.get("value")}


def _nevergrad(name: str, raw: Any, draft: Draft) -> RawDomain:
    if isinstance(raw, list):
        return {"values": raw}
    if not isinstance(raw, Mapping):
        return {"value": raw}
    draft.leftover(f"{name}:", raw, {"init", "lower", "upper", "log", "integer", "step"}, "space", name)
    if raw.get("step") is not None:
        draft.note("Nevergrad's step is the first stride of its search and was left out.", "space", name)
    if raw.get("lower") is None or raw.get("upper") is None:
        draft.note("Nevergrad searches it without bounds; write min and max.", "space", name)
        return {"value": raw.get("init")}
    domain = number_range(raw["lower"], raw["upper"], log=bool(raw.get("log")), whole=bool(raw.get("integer")))
    # Where Nevergrad begins is what its user believed in, and that is a prior here.
    return domain | ({"prior": {"value": raw["init"]}} if raw.get("init") is not None and "min" in domain else {})
