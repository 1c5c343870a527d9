"""The crew of a study on machines that do not see its store: what they need and make travels through an exchange."""

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar, final

from pegbox.execution.cluster_crew import ClusterCrew
from pegbox.execution.exchange import Exchange
from pegbox.execution.segment_worker import handover_of
from pegbox.schemas.data import PreparedData
from pegbox.schemas.plan import RunSpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store

Result = TypeVar("Result")


@final
class FarCrew:
    """A `Crew` that trains like a `ClusterCrew`, in a store of each machine's own.

    Reports come back with what was trained; checkpoints keep the names that they have in the driver's store.
    """

    reports_at_end = True

    def __init__(self, near: ClusterCrew, exchange: Exchange, code: str) -> None:
        """Nothing is started by this; the crew can be pickled.

        Args:
            near: The crew as it would be if all machines shared the driver's folders.
            exchange: What they share instead.
            code: The name of the project's files there.
        """
        self._near = near
        self._exchange = exchange
        self._code = code

    @property
    def run(self) -> RunSpec:
        """How the study is executed."""
        return self._near.run

    @property
    def capacity(self) -> int:
        """As many as there are workers."""
        return self._near.capacity

    def why_lost(self) -> str | None:
        """See `Crew.why_lost`."""
        return self._near.why_lost()

    def train(self, segment: Segment, data: PreparedData | None) -> TrainedSegment:
        """Fetch what the segment begins with, train it, and leave its checkpoint for others."""
        here = self._here()
        given = segment.model_copy(update={"checkpoint": self._fetched(segment.checkpoint, here.store)})
        trained = here.train(given, self._fetched_data(data, here.store))
        handover_of(given, data, here.store).clear()  # the exchange keeps it from here on
        if trained.checkpoint is None:
            return trained
        name = trained.checkpoint.relative_to(here.store.checkpoints)
        self._exchange.put(trained.checkpoint, f"checkpoints/{name}")
        return trained.model_copy(update={"checkpoint": self._near.store.checkpoints / name})

    def evaluate(
        self, segment: Segment, trained: TrainedSegment, data: PreparedData | None, part: Literal["valid", "test"]
    ) -> Evaluation:
        """Fetch the checkpoint, which another machine may have made, and measure it."""
        here = self._here()
        fetched = trained.model_copy(update={"checkpoint": self._fetched(trained.checkpoint, here.store)})
        return here.evaluate(segment, fetched, self._fetched_data(data, here.store), part)

    def prepare(self, segment: Segment, data: PreparedData | None) -> None:
        """Leave what the segment begins with, where no other machine has."""
        if segment.checkpoint is not None and segment.checkpoint.exists():
            self._exchange.put(segment.checkpoint, self._name(segment.checkpoint))
        if data is not None:
            self._exchange.put(data.path, f"data/{data.fingerprint}")

    def collect(self, segment: Segment, trained: TrainedSegment, data: PreparedData | None) -> None:
        """Bring the checkpoint into the driver's store."""
        self._near.collect(segment, trained, data)
        if trained.checkpoint is not None:
            self._exchange.get(self._name(trained.checkpoint), trained.checkpoint)

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """See `Crew`; in the driver itself, which has the checkpoints that it collected."""
        return self._near.call(function, *arguments)

    def _name(self, checkpoint: Path) -> str:
        return f"checkpoints/{checkpoint.relative_to(self._near.store.checkpoints)}"

    def _here(self) -> ClusterCrew:
        """The crew in this machine's own store and copy of the code."""
        digest = hashlib.sha256(self._exchange.url.encode()).hexdigest()[:12]
        # One for each user and exchange: another user could not write there, and later tasks find what earlier ones
        # fetched.
        store = open_store(Path(tempfile.gettempdir()) / f"pegbox-{Path.home().name}-{digest}")
        directory = store.data / self._code.replace("/", "-")
        self._exchange.get(self._code, directory)
        return ClusterCrew(
            self.run,
            self._near.settings,
            store,
            run_id=self._near.run_id,
            directory=directory,
            spreads_gpus=self._near.spreads_gpus,
        )

    def _fetched(self, checkpoint: Path | None, store: StoreLayout) -> Path | None:
        if checkpoint is None:
            return None
        path = store.checkpoints / checkpoint.relative_to(self._near.store.checkpoints)
        self._exchange.get(self._name(checkpoint), path)
        return path

    def _fetched_data(self, data: PreparedData | None, store: StoreLayout) -> PreparedData | None:
        if data is None:
            return None
        path = store.data / data.path.name
        self._exchange.get(f"data/{data.fingerprint}", path)
        return data.model_copy(update={"path": path})
