"""The sampler `auto`: hands each decision to the method that algorithm selection chooses for the history so far."""

from collections.abc import Callable

import numpy as np

from pegbox.schemas.base import Configuration
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.auto_method import Pace, choose_method
from pegbox.search.strategy import Sampler


class AutoSampler:
    """Keeps no choice: which method proposes follows from the history, at a resume and a replay as well."""

    def __init__(self, spec: StudySpec, build: Callable[[str], Sampler]) -> None:
        """A sampler of a study.

        Args:
            spec: The study, whose method is `auto`.
            build: Makes the sampler of a method; called once for each that is chosen.
        """
        self._spec = spec
        self._build = build
        self._members: dict[str, Sampler] = {}

    def propose(self, history: History, count: int, rng: np.random.Generator) -> list[Configuration]:
        """What the chosen method proposes."""
        method = choose_method(self._spec, Pace.of(history)).method
        if method not in self._members:
            self._members[method] = self._build(method)
        return self._members[method].propose(history, count, rng)
