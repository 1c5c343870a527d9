"""What is kept of a trial that failed: a fact of the history, not a lost traceback."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, FiniteFloat

from pegbox.schemas.base import Schema
from pegbox.schemas.secret_texts import masked
from pegbox.schemas.text import storable

# Picked by hand: a recursion of a thousand frames is cut to the ones next to the error; each failed attempt keeps one.
MAX_TRACEBACK = 20_000
"""Characters of a traceback that are kept; the end of it says most."""
# Picked by hand: some libraries put a whole tensor or query into their message; the beginning says what it is.
MAX_MESSAGE = 2_000


def _beginning(message: str) -> str:
    # Masked first: the cut must not part a secret from what tells of it.
    return storable(masked(message[: 2 * MAX_MESSAGE])[:MAX_MESSAGE])


def _end(trace: str | None) -> str | None:
    return storable(masked(trace[-2 * MAX_TRACEBACK :])[-MAX_TRACEBACK:]) if trace else None


class FailureKind(StrEnum):
    """Why a trial failed; the kind decides whether another attempt is worth it."""

    ERROR = "error"
    """The training code raised."""
    DIVERGED = "diverged"
    """A loss or metric became NaN or infinite."""
    OUT_OF_MEMORY = "out_of_memory"
    """The host's or the device's memory did not suffice."""
    TIMEOUT = "timeout"
    """The trial ran longer than `run.timeout`."""
    KILLED = "killed"
    """The worker process was ended from outside, or crashed in C code."""
    LOST = "lost"
    """The driver or the worker's machine went away."""
    INVALID = "invalid"
    """The configuration or what training returned cannot be used."""
    STORE = "store"
    """A disk is full or cannot be written: no fault of the trial; it ends the run and is never recorded."""

    @property
    def deserves_retry(self) -> bool:
        """True where the cause lies outside the configuration."""
        # An error, NaN, a timeout or want of memory most likely come again with the same configuration and seed, and
        # would take the machine's time from other trials.
        return self in {FailureKind.KILLED, FailureKind.LOST}


class Failure(Schema):
    """One failed attempt."""

    kind: FailureKind
    message: Annotated[str, AfterValidator(_beginning)]
    """One sentence for the user, cut and escaped to what a history can hold."""
    traceback: Annotated[str | None, AfterValidator(_end)] = None
    seconds: FiniteFloat | None = Field(default=None, ge=0)
    """Of training until it failed, the start of a worker included; None where nobody counted them."""
