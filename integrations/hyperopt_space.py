"""Hyperopt's search spaces (`hp.choice`, `hp.qloguniform`, ...) as domains; nested choices become conditions."""

import math
from collections.abc import Mapping
from typing import Any

from pegbox.integrations.draft import Draft
from pegbox.integrations.ranges import RawDomain, multiples, normal, number_range
from pegbox.schemas.errors import ConversionError


def is_hyperopt_space(found: Any) -> bool:
    """True for an expression of Hyperopt, or a mapping or list that holds one."""
    # By the name of the module: Hyperopt need not be imported, nor be installed, to say that something else is none of
    # it.
    if any(kind.__module__ == "hyperopt.pyll.base" for kind in type(found).__mro__):
        return True
    inner = found.values() if isinstance(found, Mapping) else found if isinstance(found, list | tuple) else ()
    return any(map(is_hyperopt_space, inner))


def space_from_hyperopt(space: Any, draft: Draft | None = None) -> dict[str, RawDomain]:
    """The space, parameters by label.

    A choice between structures takes the numbers 0, 1, ... as values, and what is inside of option i is active where
    the choice is i. Labels are the names of the parameters.

    Args:
        space: An expression, or a mapping or list of them.
        draft: Takes the notes on what has another form here.

    Raises:
        ConversionError: An expression is of a kind that has no domain here.
    """
    from hyperopt import pyll

    reader = _Reader(draft or Draft(source="Hyperopt"))
    reader.gather(pyll.as_apply(space), {})
    return reader.found


class _Reader:
    def __init__(self, draft: Draft) -> None:
        self.found: dict[str, RawDomain] = {}
        self._draft = draft

    def gather(self, node: Any, when: dict[str, Any]) -> None:
        """Take over every parameter below a node, active where the conditions around it hold."""
        if node.name == "switch":
            self._gather_choice(node, when)
        elif node.name == "hyperopt_param":
            label, expression = node.pos_args[0].obj, node.pos_args[1]
            self._add(label, _domain(label, expression), when)
        else:
            for child in node.inputs():
                self.gather(child, when)

    def _gather_choice(self, node: Any, when: dict[str, Any]) -> None:
        chooser, options = node.pos_args[0], node.pos_args[1:]
        label = chooser.pos_args[0].obj
        if chooser.pos_args[1].name == "categorical":
            self._draft.note(
                "Its options have probabilities (hp.pchoice); here they are equally likely.", "space", label
            )
        if all(option.name == "literal" for option in options):
            self._add(label, [option.obj for option in options], when)
            return
        self._draft.note("A choice between structures: the value is the number of the option.", "space", label)
        self._add(label, list(range(len(options))), when)
        for position, option in enumerate(options):
            self.gather(option, {label: position})  # a child of what is inactive is inactive too

    def _add(self, label: str, domain: RawDomain, when: dict[str, Any]) -> None:
        if when:
            domain = ({"values": domain} if isinstance(domain, list) else domain) | {"when": dict(when)}
        # One expression may stand below several options in Hyperopt, while a parameter has one condition here.
        if label in self.found and self.found[label] != domain:
            self._draft.note("Used in several places of the space; the last one stands.", "space", label)
        self.found[label] = domain


def _domain(label: str, expression: Any) -> RawDomain:
    """A range; hp.float and hp.int, which wrap a number, are looked through."""
    if expression.name in {"float", "int"}:
        return _domain(label, expression.pos_args[0])
    numbers = [argument.obj for argument in expression.pos_args] + [value.obj for _, value in expression.named_args]
    numbers = [number for number in numbers if isinstance(number, int | float)]
    match expression.name, numbers:
        case "uniform", [low, high, *_]:
            return number_range(low, high)
        case "loguniform", [low, high, *_]:
            # Hyperopt writes the bounds of a loguniform as logarithms.
            return number_range(math.exp(low), math.exp(high), log=True)
        case "quniform" | "uniformint", [low, high, *step]:
            return multiples(low, high, step[0] if step else 1)
        case "qloguniform", [low, high, *step]:
            return multiples(math.exp(low), math.exp(high), step[0] if step else 1, log=True)
        case "randint", [high]:
            # The upper end is left out, as in NumPy's randint.
            return number_range(0, high - 1, whole=True)
        case "randint", [low, high, *_]:
            return number_range(low, high - 1, whole=True)
        case "normal" | "lognormal", [mean, deviation, *_]:
            return normal(mean, deviation, log=expression.name == "lognormal")
        case "qnormal" | "qlognormal", [mean, deviation, *step]:
            return normal(mean, deviation, log=expression.name == "qlognormal", step=step[0] if step else 1)
    raise ConversionError(f"{label}: expected a range of Hyperopt, got {expression.name!r}. Write the domain yourself.")
