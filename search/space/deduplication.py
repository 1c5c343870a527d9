"""Deduplication: keeps a search from trying a configuration twice, while the space holds others."""

from collections.abc import Callable, Iterator
from itertools import compress
from operator import is_not

from pegbox.schemas.base import Configuration
from pegbox.schemas.errors import SpaceExhaustedError
from pegbox.schemas.history import History
from pegbox.schemas.trial import Trial
from pegbox.search.space.encoding import Key, SpaceEncoding
from pegbox.search.space.enumeration import SpaceEnumeration

TRIES = 32
"""Draws of a sampler after which the walk over the space steps in.

Picked by hand: where 32 draws were all tried before, the space is nearly used up, and only a walk finds what is left or
knows that nothing is.
"""


class Deduplication:
    """Knows which configurations a history has tried.

    Remembers the keys of the trials that it saw, because encoding 10,000 of them at each decision is slow; the memory
    is checked against the history, so the answer depends on the history alone.
    """

    def __init__(self, encoding: SpaceEncoding, walk: SpaceEnumeration | None = None) -> None:
        self._encoding = encoding
        self._walk = walk or SpaceEnumeration(encoding)
        self._seen: tuple[Trial, ...] = ()
        self._keys: set[Key] = set()
        self._steps: list[tuple[Key, Configuration]] = []
        self._first = 0
        self._ahead = iter(self._walk)

    def tried(self, history: History) -> set[Key]:
        """Keys of all trials, whatever became of them; not to be changed by the caller."""
        trials, known = history.trials, len(self._seen)
        if known > len(trials) or any(old.configuration is not new.configuration for old, new in self._changed(trials)):
            self._forget()
            known = 0
        for trial in trials[known:]:
            self._keys.add(self._encoding.key(trial.configuration))
        self._seen = trials
        return self._keys

    def _changed(self, trials: tuple[Trial, ...]) -> list[tuple[Trial, Trial]]:
        """Trials that another object has taken the place of, each with that one."""
        # By identity, and without a step of Python's own for each: a history shares its unchanged trials with the one
        # before, and this is asked of 10,000 of them at each decision.
        flags = map(is_not, self._seen, trials)
        return list(compress(zip(self._seen, trials, strict=False), flags))

    def draw(self, history: History, count: int, sample: Callable[[], Configuration]) -> list[Configuration]:
        """Configurations of a sampler that are allowed and untried; the walk's next where the sampler finds none.

        Raises:
            SpaceExhaustedError: Every configuration has been tried.
        """
        tried = self.tried(history)
        chosen: dict[Key, Configuration] = {}
        for _ in range(TRIES * count):
            if len(chosen) == count:
                break
            configuration = sample()
            key = self._encoding.key(configuration)
            if key not in tried and key not in chosen and not self._encoding.space.is_forbidden(configuration):
                chosen[key] = configuration
        return list(chosen.values()) if len(chosen) == count else self.following(history, count, chosen)

    def following(
        self, history: History, count: int, chosen: dict[Key, Configuration] | None = None
    ) -> list[Configuration]:
        """The walk's next untried configurations, after those that are chosen already.

        Raises:
            SpaceExhaustedError: Every configuration has been tried.
        """
        tried = self.tried(history)
        found = dict(chosen or {})
        for key, configuration in self._onwards(tried):
            if len(found) == count:
                break
            if key not in tried:
                found.setdefault(key, configuration)
        if not found:
            raise SpaceExhaustedError(f"Every one of the {len(tried)} configurations of the space has been tried.")
        return list(found.values())

    def _onwards(self, tried: set[Key]) -> Iterator[tuple[Key, Configuration]]:
        """The walk from its first step that may be untried."""
        while self._first < len(self._steps) and self._steps[self._first][0] in tried:
            self._first += 1
        position = self._first
        while True:
            if position == len(self._steps):
                step = next(self._ahead, None)
                if step is None:
                    return
                self._steps.append((self._encoding.key(step), step))
            yield self._steps[position]
            position += 1

    def _forget(self) -> None:
        # The steps of the walk stay: they follow from the space alone, and making their keys is the slow part.
        self._keys = set()
        self._first = 0
