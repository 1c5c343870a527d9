"""The Prefect artifacts of a study and of its schedule, kept up to date; what they say is made in `report`."""

import json
import logging
import re
import threading
import time
from contextvars import copy_context
from hashlib import sha256
from types import TracebackType
from typing import Literal, Self
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.runtime import flow_run

from pegbox.report.answer_history import answer_history
from pegbox.report.artifact_texts import artifact_texts
from pegbox.schemas.study import StudySpec
from pegbox.storage.ingest import ingest
from pegbox.storage.layout import StoreLayout

# Picked by hand: people look at a page for longer, and an update costs the server up to three requests.
EVERY_SECONDS = 10.0
"""The shortest time from one update to the next while the study runs."""
# Picked by hand: with many trials an update takes seconds of a core that trainings need.
REST_FACTOR = 20.0
"""An update rests so many times as long as the last one took: at most a twentieth of a core, however many trials."""

_logger = logging.getLogger(__name__)


class StudyArtifacts:
    """Artifacts `answer-…`, `leaderboard-…` and `budget-…` of one run of a study.

    A thread of its own updates them, from what the store has published, so that no trial waits for it. Each run of a
    study is a new version under the same keys. A server that does not answer costs the artifacts, not the study.
    """

    def __init__(self, store: StoreLayout, study: str) -> None:
        self._store = store
        self._study = study
        self._answer = _Artifact("markdown", f"answer-{slug(study)}")
        self._leaderboard = _Artifact("table", f"leaderboard-{slug(study)}")
        self._budget = _Artifact("progress", f"budget-{slug(study)}")
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._is_failing = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        context = copy_context()  # it knows the server
        self._thread = threading.Thread(target=context.run, args=(self._keep,), name="pegbox-artifacts", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        # A second Ctrl-C means at once: a request to a slow server is not waited for.
        if self._thread is not None and kind is not KeyboardInterrupt:
            self._thread.join()
        if kind is not None and issubclass(kind, Exception):
            self.publish()

    def publish(self, *, fresh: bool = True) -> None:
        """Show how the study stands; what has not changed is left alone.

        Args:
            fresh: Publish the store's history first, for the last word of the run; otherwise it is read as it was last
                published.
        """
        try:
            with self._lock:
                if fresh:
                    ingest(self._store, wait=True, force=True)
                self._publish(is_over=fresh)
                self._is_failing = False
        except Exception as error:  # noqa: BLE001 - whatever Prefect has against an artifact, the study goes on
            if not self._is_failing:  # said once, until it works again
                _logger.warning("The answer of %s is not shown in Prefect: %s", self._study, error)
            self._is_failing = True

    def _publish(self, is_over: bool) -> None:
        texts = artifact_texts(self._store.root, self._study, is_over=is_over)
        rows = json.dumps([dict(row) for row in texts.leaderboard])
        with get_client(sync_client=True) as client:
            self._answer.show(client, texts.page, f"Answer of {self._study}")
            self._leaderboard.show(client, rows, f"Best trials of {self._study}")
            self._budget.show(client, texts.percent, f"{self._study}: {texts.budget}")

    def _keep(self) -> None:
        rest = EVERY_SECONDS
        while not self._closed.wait(rest):
            began = time.monotonic()
            self.publish(fresh=False)
            rest = max(EVERY_SECONDS, REST_FACTOR * (time.monotonic() - began))


def show_schedule(store: StoreLayout, spec: StudySpec) -> None:
    """Show the answers of a scheduled study, newest first, as the artifact `schedule-…`: a version for each run."""
    try:
        rows = [dict(row) for row in answer_history(store.root, spec)]
        with get_client(sync_client=True) as client:
            table = _Artifact("table", f"schedule-{slug(spec.name)}")
            table.show(client, json.dumps(rows), f"The answers of {spec.name} from run to run")
    except Exception as error:  # noqa: BLE001 - whatever Prefect has against an artifact, the answer stands
        _logger.warning("What %s came to is not shown in Prefect: %s", spec.name, error)


class _Artifact:
    """One artifact of the run, created when there is something to show for the first time."""

    def __init__(self, kind: Literal["markdown", "table", "progress"], key: str) -> None:
        self._kind = kind
        self._key = key
        self._run = flow_run.id
        self._id: UUID | None = None
        self._shown: tuple[str | float, str] | None = None

    def show(self, client: SyncPrefectClient, data: str | float, description: str) -> None:
        """Create or update it, unless it says this already."""
        # A history that rests would otherwise be written again every ten seconds, for as long as a training lasts.
        if self._shown == (data, description):
            return
        try:
            if self._id is not None:
                client.update_artifact(self._id, ArtifactUpdate(data=data, description=description))
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            self._id = None  # somebody deleted it
        if self._id is None:
            made = ArtifactCreate(
                key=self._key,
                type=self._kind,
                data=data,
                description=description,
                flow_run_id=UUID(self._run) if self._run else None,
            )
            self._id = client.create_artifact(made).id
        self._shown = data, description


def slug(study: str) -> str:
    """The name of a study as a key of Prefect's may hold it; another one for each name.

    >>> slug("digits-mlp"), slug("Digits MLP")
    ('digits-mlp', 'digits-mlp-277c42')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", study.lower()).strip("-")
    return plain if plain == study else f"{plain}-{sha256(study.encode()).hexdigest()[:6]}".lstrip("-")
