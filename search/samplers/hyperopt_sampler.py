"""Hyperopt's algorithms behind our seam: each proposal rebuilds their trials from our history, and keeps none."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.history import History
from pegbox.search.model.observations import Observations, Observer
from pegbox.search.space.axes import Array
from pegbox.search.space.deduplication import Deduplication
from pegbox.search.space.encoding import SpaceEncoding

ALGORITHMS = ("tpe", "rand", "anneal")
MOST_TRIALS = 1000
"""Values that are handed over, and failures beside them: the latest. What rebuilding costs at each ask is bounded by
it; picked by hand."""
LIBRARY_TRIES = 4
"""Asks in which the library may repeat what was tried, before uniform draws take its place; picked by hand."""


class HyperoptSampler:
    """One of Hyperopt's algorithms.

    Numbers are handed over on the unit interval of their own scale, so ranges of one point, which Hyperopt cannot
    sample, and failed trials, which it counts, do no harm.
    """

    def __init__(self, encoding: SpaceEncoding, algorithm: str, arguments: Mapping[str, Any]) -> None:
        self._encoding, self._algorithm, self._arguments = encoding, algorithm, dict(arguments)
        self._novelty = Deduplication(encoding)
        self._observer = Observer(encoding)
        self._searched = [column for column, axis in enumerate(encoding.axes) if axis.n_values != 1]

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """What the library suggests; uniform draws where it only repeats itself, or has nothing to learn from."""
        seen = self._observer.observe(history)
        learns = len(seen.losses) > 0 and len(self._searched) > 0
        tries = iter(range(LIBRARY_TRIES * count if learns else 0))
        with warnings.catch_warnings():
            # What it warns of lies within the library, and no user of ours could do anything about it.
            warnings.simplefilter("ignore")

            def sample() -> Configuration:
                if next(tries, None) is None:
                    return self._encoding.decode(rng.random(self._encoding.n_dims))
                return self._encoding.decode(self._suggested(seen, int(rng.integers(2**31 - 1))))

            return self._novelty.draw(history, count, sample)

    def _suggested(self, seen: Observations, seed: int) -> Array:
        import hyperopt

        # Its `fmin` would drive the search itself; `suggest` alone proposes, and wants the trials as its documents.
        # The objective is never called. Unchecked, because the documents are made below, thousands at each ask.
        domain = hyperopt.base.Domain(lambda configuration: 0.0, self._space(), pass_expr_memo_ctrl=False)
        trials = hyperopt.trials_from_docs(self._documents(seen), validate=False)
        algorithm = getattr(hyperopt, self._algorithm).suggest
        number = len(seen.losses) + len(seen.failed)
        document = algorithm([number], domain, trials, seed, **self._arguments)[0]
        point = np.full(self._encoding.n_dims, 0.5)
        for column in self._searched:
            value = float(document["misc"]["vals"][self._encoding.names[column]][0])
            point[column] = value if self._is_number(column) else (value + 0.5) / self._n_values(column)
        return point

    def _space(self) -> dict[str, Any]:
        from hyperopt import hp

        return {
            (name := self._encoding.names[column]): hp.uniform(name, 0.0, 1.0)
            if self._is_number(column)
            else hp.randint(name, self._n_values(column))
            for column in self._searched
        }

    def _documents(self, seen: Observations) -> list[dict[str, Any]]:
        """Values of the first objective, then failures; where trials have rungs, each rung's value is one."""
        losses = seen.losses[-MOST_TRIALS:, 0]
        rows: list[tuple[Array, dict[str, Any]]] = [
            (point, {"status": "ok", "loss": float(loss)})
            for point, loss in zip(seen.points[-MOST_TRIALS:], losses, strict=True)
        ]
        # Failures last: `tid` counts on, and the values keep the numbers that they had before a failure.
        rows += [(point, {"status": "fail"}) for point in seen.failed[-MOST_TRIALS:]]
        return [self._document(number, point, result) for number, (point, result) in enumerate(rows)]

    def _document(self, number: int, point: Array, result: dict[str, Any]) -> dict[str, Any]:
        values = {self._encoding.names[column]: self._outward(column, point[column]) for column in self._searched}
        return {
            "tid": number,
            "spec": None,
            "result": result,
            "state": 2,  # hyperopt.JOB_STATE_DONE
            "misc": {
                "tid": number,
                "cmd": ("domain_attachment", "FMinIter_Domain"),
                "vals": values,
                "idxs": {name: [number] * len(value) for name, value in values.items()},
                "workdir": None,
            },
            "exp_key": None,
            "owner": None,
            "version": 0,
            "book_time": None,
            "refresh_time": None,
        }

    def _outward(self, column: int, unit: float) -> list[float]:
        """The value as Hyperopt keeps it: none where the parameter is inactive."""
        if np.isnan(unit):
            return []
        return [float(unit)] if self._is_number(column) else [int(unit * self._n_values(column))]

    def _is_number(self, column: int) -> bool:
        return self._encoding.axes[column].is_ordered

    def _n_values(self, column: int) -> int:
        return self._encoding.axes[column].n_values or 1


def check_hyperopt(name: str, arguments: Mapping[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with the name or the arguments of one of Hyperopt's algorithms."""
    path = ("search", "method")
    if name not in ALGORITHMS:
        return (Problem(f"Unknown algorithm {name!r} of Hyperopt. {suggest(name, ALGORITHMS)}", path),)
    try:
        import hyperopt
    except ImportError:
        return (Problem("Hyperopt is not installed. Run `pip install 'pegbox[hyperopt]'`.", path),)
    import inspect

    # What we hand over ourselves; `verbose` would print beside our own lines.
    taken = {"new_ids", "domain", "trials", "seed", "verbose"}
    accepted = set(inspect.signature(getattr(hyperopt, name).suggest).parameters) - taken
    return tuple(
        Problem(f"Unknown option {one!r} of {name}. {suggest(one, accepted)}", ("search", "options", one))
        for one in arguments
        if one not in accepted
    )
