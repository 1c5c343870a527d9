"""Sweeps of Weights & Biases as study files: parameters, method, early termination and command.

Source: the sweep configuration reference of W&B (docs.wandb.ai, "Sweep configuration options").
"""

import math
from collections.abc import Mapping
from typing import Any

from pegbox.integrations.draft import TRIALS, Draft
from pegbox.integrations.ranges import RawDomain, multiples, normal, number_range

_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")
"""What W&B runs where a sweep names no command."""
_ARGUMENTS = {
    "${args}": "{args}",
    "${args_no_hyphens}": "{args_no_hyphens}",
    "${args_no_boolean_flags}": "{args_no_boolean_flags}",
    "${args_json}": "{args_json}",
    "${args_json_file}": "{args_json_file}",
}
_KNOWN = {"name", "program", "method", "metric", "parameters", "command", "early_terminate", "run_cap", "description"}
_METHODS = {"grid": "grid", "random": "random", "bayes": "bayes"}


def is_wandb_sweep(raw: Any) -> bool:
    """True for what W&B reads as a sweep."""
    return isinstance(raw, Mapping) and isinstance(raw.get("parameters"), Mapping) and "apiVersion" not in raw


def draft_from_wandb(raw: Mapping[str, Any], draft: Draft) -> Draft:
    """Fill a draft from a sweep."""
    if isinstance(raw.get("name"), str):
        draft.name = raw["name"]
    if raw.get("description"):
        draft.note(f"Description: {raw['description']}")
    draft.space = {name: _parameter(name, entry, draft, ("space", name)) for name, entry in raw["parameters"].items()}
    _objective(raw.get("metric"), draft)
    _method(raw.get("method"), draft)
    _command(raw, draft)
    _early_terminate(raw.get("early_terminate"), draft)
    _budget(raw, draft)
    draft.leftover("W&B's", raw, _KNOWN)
    return draft


def _objective(metric: Any, draft: Draft) -> None:
    metric = metric if isinstance(metric, Mapping) else {}
    name = metric.get("name")
    draft.objective = {"metric": name or "loss", "goal": metric.get("goal", "minimize")}
    if name is None:
        draft.note("The sweep names no metric; write the one that the program prints.", "objective", "metric")
    elif "goal" not in metric:
        draft.note("The sweep gives no goal; minimize is W&B's default.", "objective", "goal")
    if isinstance(metric.get("target"), int | float):
        draft.objective["target"] = metric["target"]
    draft.leftover("W&B's metric", metric, {"name", "goal", "target", "impute"}, "objective")


def _method(method: Any, draft: Draft) -> None:
    if method in _METHODS:
        draft.search = {"method": _METHODS[method]}
    else:
        draft.search = {"method": "auto"}
        draft.note(f"The sweep's method is {method!r}; auto chooses one.", "search")


def _command(raw: Mapping[str, Any], draft: Draft) -> None:
    program = str(raw.get("program") or "train.py")
    if not raw.get("program") and "command" not in raw:
        draft.note("The sweep names no program; write your own in place of train.py.", "train", "command")
    command: list[str] = []
    for word in raw.get("command") or _COMMAND:
        text = str(word)
        if text == "${env}":
            continue  # /usr/bin/env, which only finds the interpreter
        if "${envvar:" in text:
            draft.note(
                f"{text} is the value of an environment variable, written {text.replace('envvar', 'env')} here.",
                "train",
                "command",
            )
            text = text.replace("${envvar:", "${env:")
        text = _ARGUMENTS.get(text, text)
        command.append(_braced(text.replace("${interpreter}", "python").replace("${program}", program)))
    draft.train = {"kind": "command", "command": command}
    draft.note(
        "pegbox reads the metrics that the program prints, such as `epoch 3 val_loss=0.21`; what it only hands to "
        "wandb.log does not arrive. See docs/how-to/tune-any-program.md.",
        "train",
    )


def _braced(text: str) -> str:
    """Braces of a command that are no placeholder of ours are doubled."""
    if text in _ARGUMENTS.values() or "${env:" in text:
        return text
    return text.replace("{", "{{").replace("}", "}}")


def _early_terminate(rule: Any, draft: Draft) -> None:
    if not isinstance(rule, Mapping):
        return
    if rule.get("type") != "hyperband":
        draft.note(f"early_terminate of the type {rule.get('type')!r} is not known and was left out.", "train")
        return
    # 3 is W&B's own default.
    eta = int(rule.get("eta", 3))
    if rule.get("max_iter"):
        epochs = int(rule["max_iter"])
        # With max_iter W&B counts s brackets down from the end, with min_iter it goes up from the first.
        lowest = max(epochs // eta ** int(rule.get("s", 1)), 1)
    else:
        lowest = int(rule.get("min_iter", 1))
        # Picked by hand: three promotions after the first rung, and a note asks for the true length.
        epochs = lowest * eta**3
        draft.note("The sweep does not say how long a full training is; set epochs.", "train", "epochs")
    draft.train["epochs"] = epochs
    draft.fidelity = {"schedule": "asha", "min": lowest, "factor": eta}
    draft.note(
        "Hyperband of W&B stops runs at rungs; here the program is told how far to train by {epochs} (and where to go "
        "on by {from_epochs}, {checkpoint_dir} and {resume_dir}): add it to the command.",
        "fidelity",
    )
    draft.leftover("W&B's early_terminate", rule, {"type", "eta", "s", "max_iter", "min_iter", "strict"}, "fidelity")


def _budget(raw: Mapping[str, Any], draft: Draft) -> None:
    if raw.get("run_cap"):
        draft.budget = {"trials": int(raw["run_cap"])}
        return
    draft.budget = {"trials": TRIALS}
    why = "a grid ends by itself where all its values are tried" if raw.get("method") == "grid" else "it runs for ever"
    draft.note(f"The sweep has no run_cap ({why}); choose how many trials to pay for.", "budget")


def _parameter(name: str, raw: Any, draft: Draft, place: tuple[str, ...]) -> RawDomain:
    if not isinstance(raw, Mapping):
        return {"value": raw}
    if isinstance(raw.get("parameters"), Mapping):
        inner = {
            one: _parameter(one, entry, draft, (*place, "parameters", one)) for one, entry in raw["parameters"].items()
        }
        draft.note(f"Handed over as --{name}.<name>=<value>; W&B hands over one nested mapping.", *place)
        return {"parameters": inner}
    draft.leftover(f"{name}:", raw, _OF_A_PARAMETER, *place)
    if "value" in raw:
        return {"value": _scalar(raw["value"], draft, place)}
    if raw.get("values"):
        if raw.get("probabilities"):
            draft.note("Its values have probabilities in the sweep; here they are equally likely.", *place)
        return {"values": [_scalar(value, draft, place) for value in dict.fromkeys(map(_hashable, raw["values"]))]}
    return _distribution(raw, draft, place)


_OF_A_PARAMETER = {
    "value", "values", "probabilities", "distribution", "min", "max", "mu", "sigma", "q", "a", "b", "description",
}  # fmt: skip


def _hashable(value: Any) -> Any:
    # To be compared with each other: a sweep may list a value twice, which a domain may not.
    return tuple(value) if isinstance(value, list) else str(value) if isinstance(value, Mapping) else value


def _scalar(value: Any, draft: Draft, place: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        draft.note("A mapping as a value is handed over as its text.", *place)
        return str(dict(value))
    return list(value) if isinstance(value, list | tuple) else value


def _distribution(raw: Mapping[str, Any], draft: Draft, place: tuple[str, ...]) -> RawDomain:
    low, high, step = raw.get("min"), raw.get("max"), raw.get("q", 1)
    # W&B's rule where a sweep names none: whole bounds are whole numbers.
    kind = raw.get("distribution") or ("int_uniform" if isinstance(low, int) and isinstance(high, int) else "uniform")
    kind = str(kind).removesuffix("_values") if str(kind).startswith("inv_") else str(kind)
    if kind.endswith("normal"):
        mean, std = raw.get("mu", 0.0), raw.get("sigma", 1.0)
        return normal(mean, std, log="log" in kind, step=step if kind.startswith("q_") else None)
    if kind in {"beta", "q_beta"}:
        draft.note(f"A beta distribution with a={raw.get('a')}, b={raw.get('b')} in the sweep; uniform here.", *place)
        return number_range(0.0, 1.0)
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        draft.note(f"The sweep says {dict(raw)!r}, which is no range; correct it.", *place)
        return {"value": None}
    if kind == "inv_log_uniform":
        draft.note("Uniform in the logarithm of 1/x, which is uniform in the logarithm of x.", *place)
        is_of_values = str(raw["distribution"]).endswith("_values")
        low, high = (low, high) if is_of_values else (math.exp(-high), math.exp(-low))
        return number_range(low, high, log=True)
    if (domain := _uniform(kind, low, high, step)) is not None:
        return domain
    draft.note(f"W&B's {kind!r} with q={step} cannot be taken over; uniform here.", *place)
    return number_range(low, high)


def _uniform(kind: str, low: float, high: float, step: float) -> RawDomain | None:
    match kind:
        case "uniform":
            return number_range(low, high)
        case "int_uniform":
            return number_range(low, high, whole=True)
        case "q_uniform":
            return multiples(low, high, step)
        # Every draw would be rounded to 0 or to a step that lies beyond the range.
        case "q_log_uniform" | "q_log_uniform_values" if step > high:
            return None
        case "log_uniform":
            # The plain names take exponents of e as bounds, those that end in `_values` take the values themselves.
            return number_range(math.exp(low), math.exp(high), log=True)
        case "log_uniform_values":
            return number_range(low, high, log=True)
        case "q_log_uniform":
            return multiples(math.exp(low), math.exp(high), step, log=True)
        case "q_log_uniform_values":
            return multiples(low, high, step, log=True)
        case _:
            return None
