"""Every error that pegbox raises on purpose.

    PegboxError                     exit code 1
    ├── StudyError                  2   the study file cannot be run as it is written
    │   └── StudyMismatchError      2   the store holds a study of this name with another space
    ├── ConversionError             2   another tool's file cannot be made a study of
    ├── DataError                   2   the data cannot be read, split or used as declared
    ├── SearchError                 1   a search method cannot go on
    │   └── SpaceExhaustedError     1   every configuration of a finite space was tried
    ├── TrialError                  1   one trial failed; carries the failure as a fact
    ├── ClusterError                1   the cluster does not answer, or cannot run the study
    │   └── ClusterLostError        1   the whole cluster went away under a run; the same command goes on
    ├── StudyInterruptedError       130 a signal ended the run; the same command goes on
    ├── NoTrialSucceededError       3   a study ended and no trial of it has a value
    ├── StoreError                  1   the history cannot be read or written
    │   ├── StoreUnwritableError    2   the store's directory cannot be written
    │   ├── StoreUnreachableError   1   the storage of a shared store does not answer
    │   ├── StoreCorruptError       1   a file of the store is damaged
    │   ├── StoreLossError          1   what was asked for would destroy what nothing else holds
    │   ├── StoreBusyError          5   another live process holds the study
    │   └── StoreNewerError         5   a newer pegbox wrote the store
    ├── ModelError                  1   a model cannot be made, read or used as it is asked
    ├── PageError                   1   the page cannot be written or served
    └── QueryError                  1   an SQL query was refused or failed
        └── NotFoundError           1   the history has no such study or trial

Each message says what was expected, what came, where, and the next step, in full sentences.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar, NamedTuple

from pegbox.schemas.failure import Failure
from pegbox.schemas.secret_texts import masked
from pegbox.schemas.word_lists import listed


class PegboxError(Exception):
    """The root of the tree; what looks like a secret is masked where an error is made, so that no log has it either."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *told: object) -> None:
        super().__init__(*(masked(one) if isinstance(one, str) else one for one in told))


class Problem(NamedTuple):
    """One thing that is wrong with a study file.

    `path` leads to the offending entry, such as `("space", "lr", "min")`; `line` and `column` count from 1 and are
    None where the text is not known (a study built in Python).
    """

    message: str
    path: tuple[str | int, ...] = ()
    line: int | None = None
    column: int | None = None


class StudyError(PegboxError):
    """The study cannot be run as it is written; carries one problem or more."""

    exit_code = 2

    def __init__(self, problems: str | Problem | Sequence[Problem], source: str = "study") -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems = _masked((problems,) if isinstance(problems, Problem) else problems)
        self.source = masked(source)
        # Both arguments: an exception is pickled by them when it crosses from a worker or a Prefect task.
        super().__init__(self.problems, self.source)

    def __str__(self) -> str:
        return "\n".join(self._sentence(problem) for problem in self.problems)

    def _sentence(self, problem: Problem) -> str:
        place = self.source
        if problem.line is not None:
            place += f":{problem.line}:{problem.column}"
        if problem.path:
            place += ", " + ".".join(map(str, problem.path))
        return f"{place}: {problem.message}"


class StudyMismatchError(StudyError):
    """The store holds a study of the same name that searches another space."""


class ConversionError(PegboxError):
    """Another tool's file cannot be made a study of."""

    exit_code = 2


class DataError(PegboxError):
    """The data cannot be read, split or used as the study declares; a sentence, or one problem or more."""

    exit_code = 2

    def __init__(self, problems: str | Sequence[Problem]) -> None:
        self.problems = _masked((_located(problems),) if isinstance(problems, str) else problems)
        super().__init__(problems if isinstance(problems, str) else self.problems)

    def __str__(self) -> str:
        return "\n".join(f"{'.'.join(map(str, one.path))}: {one.message}".lstrip(": ") for one in self.problems)


class SearchError(PegboxError):
    """A search method cannot go on."""


class SpaceExhaustedError(SearchError):
    """Every configuration of a finite space has been tried."""


class TrialError(PegboxError):
    """One trial failed; `failure` is what the history keeps of it."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure)

    def __str__(self) -> str:
        return f"{self.failure.kind}: {self.failure.message}"


class ClusterError(PegboxError):
    """The cluster does not answer, or its machines cannot run the study as they are."""


class ClusterLostError(ClusterError):
    """The whole cluster went away under a run; no trial failed by it, and the same command goes on."""


class StudyInterruptedError(PegboxError):
    """A signal ended the run; the history is whole and the same command goes on."""

    exit_code = 130


class NoTrialSucceededError(PegboxError):
    """A study ended and no trial of it has a value."""

    exit_code = 3


class StoreError(PegboxError):
    """The history cannot be read or written."""


class StoreUnwritableError(StoreError):
    """The store's directory cannot be made or written."""

    exit_code = 2


class StoreUnreachableError(StoreError):
    """The storage of a shared store does not answer; what was recorded is kept on this machine."""


class StoreCorruptError(StoreError):
    """A file of the store is damaged; the message says which command rebuilds it."""


class StoreLossError(StoreError):
    """What was asked for would destroy what nothing else holds; the message says what, and how to go on."""


class StoreBusyError(StoreError):
    """Another live process holds what was asked for; the message names it."""

    exit_code = 5


class StoreNewerError(StoreError):
    """The store was written by a newer version of pegbox."""

    exit_code = 5


class ModelError(PegboxError):
    """A model cannot be made, read or used as it is asked."""


class PageError(PegboxError):
    """The page of a study cannot be written to its file, or served at its address."""


class QueryError(PegboxError):
    """An SQL query was refused or failed."""


class NotFoundError(QueryError):
    """The history has no study or trial of that name."""


def _masked(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problem._replace(message=masked(problem.message)) for problem in problems)


def _located(sentence: str) -> Problem:
    """A sentence about the data, such as `data.target: ...`, as a problem of that entry."""
    path, separator, message = sentence.partition(": ")
    is_entry = separator and path.startswith("data.") and path.replace(".", "").replace("_", "").isalpha()
    return Problem(message, tuple(path.split("."))) if is_entry else Problem(sentence)


def suggest(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known word and lists them all, or the first thirty.

    >>> suggest("bays", ["grid", "bayes"])
    "Did you mean 'bayes'? Known: bayes, grid."
    """
    names = sorted(known)
    if not names:
        return "None is known."
    # One word, and the cutoff of difflib (0.6): two guesses read like a quiz, and a far one is worse than none.
    close = get_close_matches(name, names, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    # Thirty, picked by hand: as many as fit a few lines of a terminal.
    return f"{hint}Known: {listed(names, 30)}."
