"""Spaces of Optuna and Hyperopt as the `space` of a study file; their samplers are adapted elsewhere.

The result is what would be written under `space:`; `Space.model_validate` reads it.
"""

import math
from collections.abc import Mapping
from typing import Any

from pegbox.schemas.errors import SearchError

RawSpace = dict[str, Any]
_WIDE = 3.0
"""A normal distribution becomes the range within so many deviations."""


def space_from_optuna(distributions: Mapping[str, Any]) -> RawSpace:
    """The space of Optuna's distributions, such as `study.best_trial.distributions`.

    Raises:
        SearchError: A distribution is of a kind that is not known.
    """
    return {name: _from_distribution(name, distribution) for name, distribution in distributions.items()}


def _from_distribution(name: str, distribution: Any) -> Any:
    kind = type(distribution).__name__
    if kind == "CategoricalDistribution":
        return list(distribution.choices)
    if kind not in {"FloatDistribution", "IntDistribution"}:
        raise SearchError(
            f"{name}: expected a distribution of Optuna, got {distribution!r}. Write the domain yourself."
        )
    is_whole = kind == "IntDistribution"
    step = distribution.step if distribution.step not in (None, 1) else None
    return _range(distribution.low, distribution.high, log=distribution.log, step=step, is_whole=is_whole)


def _range(low: float, high: float, log: bool = False, step: float | None = None, is_whole: bool = False) -> Any:
    if low == high:
        return {"value": low}
    return (
        {"min": low, "max": high}
        | ({"log": True} if log else {})
        | ({"step": step} if step is not None else {})
        | ({"int": True} if is_whole else {})
    )


def space_from_hyperopt(space: Any) -> RawSpace:
    """The space of a Hyperopt search space, parameters by label; nested choices become conditions.

    A choice between structures takes the numbers 0, 1, ... as values, and what is inside of option i is active where
    the choice is i. Labels are the names of the parameters.

    Raises:
        SearchError: An expression is of a kind that has no domain here.
    """
    from hyperopt import pyll

    found: RawSpace = {}
    _gather(pyll.as_apply(space), {}, found)
    return found


def _gather(node: Any, when: dict[str, Any], found: RawSpace) -> None:
    if node.name == "switch":
        _gather_choice(node, when, found)
    elif node.name == "hyperopt_param":
        label, expression = node.pos_args[0].obj, node.pos_args[1]
        found[label] = _conditional(_from_expression(label, expression), when)
    else:
        for child in node.inputs():
            _gather(child, when, found)


def _gather_choice(node: Any, when: dict[str, Any], found: RawSpace) -> None:
    label, options = node.pos_args[0].pos_args[0].obj, node.pos_args[1:]
    if all(option.name == "literal" for option in options):
        found[label] = _conditional([option.obj for option in options], when)
        return
    found[label] = _conditional(list(range(len(options))), when)
    for position, option in enumerate(options):
        _gather(option, {label: position}, found)


def _conditional(domain: Any, when: dict[str, Any]) -> Any:
    if not when:
        return domain
    return ({"values": domain} if isinstance(domain, list) else domain) | {"when": dict(when)}


def _from_expression(label: str, expression: Any) -> Any:
    """A range; hp.float, which wraps a number, is looked through."""
    if expression.name == "float":
        return _from_expression(label, expression.pos_args[0])
    numbers = [argument.obj for argument in expression.pos_args] + [value.obj for _, value in expression.named_args]
    numbers = [number for number in numbers if isinstance(number, int | float)]
    match expression.name, numbers:
        case "uniform", [low, high, *_]:
            return _range(low, high)
        case "loguniform", [low, high, *_]:
            return _range(math.exp(low), math.exp(high), log=True)
        case "quniform" | "uniformint", [low, high, *step]:
            return _stepped(low, high, step[0] if step else 1)
        case "qloguniform", [low, high, *_]:
            return _range(max(round(math.exp(low)), 1), round(math.exp(high)), log=True, is_whole=True)
        case "randint", [high]:
            return _range(0, high - 1, is_whole=True)
        case "randint", [low, high, *_]:
            return _range(low, high - 1, is_whole=True)
        case "normal" | "qnormal", [mean, deviation, *_]:
            return _range(mean - _WIDE * deviation, mean + _WIDE * deviation)
        case "lognormal" | "qlognormal", [mean, deviation, *_]:
            return _range(math.exp(mean - _WIDE * deviation), math.exp(mean + _WIDE * deviation), log=True)
    raise SearchError(f"{label}: expected a range of Hyperopt, got {expression.name!r}. Write the domain yourself.")


def _stepped(low: float, high: float, step: float) -> Any:
    """Hyperopt rounds to multiples of the step, so the range begins and ends at one."""
    first, last = math.ceil(low / step) * step, math.floor(high / step) * step
    if float(step).is_integer():
        return _range(int(first), int(last), step=int(step) if step != 1 else None, is_whole=True)
    return _range(first, last, step=step)
