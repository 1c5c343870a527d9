"""Gives futures back in the order in which they end, so that no worker waits for the slowest of a batch."""

from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture

About = TypeVar("About")


@dataclass(frozen=True)
class Completion(Generic[About]):
    """One future that ended.

    Attributes:
        about: What it was submitted for.
        state: Its final state.
    """

    about: About
    state: State[Any]

    @property
    def is_cached(self) -> bool:
        """True if the result was found instead of computed."""
        return self.state.name == "Cached"

    @property
    def outcome(self) -> Any:
        """The result, or the exception that the task raised."""
        return self.state.result(raise_on_failure=False)


class Completions(Generic[About]):
    """Futures that were submitted and have not been taken back."""

    def __init__(self) -> None:
        self._ended: SimpleQueue[tuple[About, PrefectFuture[Any]]] = SimpleQueue()
        self._open = 0

    def __len__(self) -> int:
        return self._open

    def add(self, about: About, future: PrefectFuture[Any]) -> None:
        """Watch a future."""
        self._open += 1
        future.add_done_callback(lambda ended: self._ended.put((about, ended)))

    def next(self) -> Completion[About]:
        """Wait for the next future to end."""
        about, future = self._ended.get()
        self._open -= 1
        future.wait()  # the state in a done-callback may still say Running
        return Completion(about, future.state)
