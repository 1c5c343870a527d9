"""The cache key of a task: Prefect finds a result again by content; finished trials the history skips."""

import hashlib
from dataclasses import dataclass
from typing import Any

from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from prefect.filesystems import LocalFileSystem, RemoteFileSystem

from pegbox.execution.exchange import Exchange
from pegbox.storage.layout import StoreLayout


@dataclass
class SegmentKey(CachePolicy):
    """The content of a segment and of its data: one result for all trials and studies that compute the same.

    Attributes:
        step: What is computed of the segment; keeps training and evaluation apart.
    """

    step: str = "train"

    # Own, because Prefect's DEFAULT policy includes the run, so that no other run finds a result, INPUTS alone collides
    # between tasks, and torch tensors never hit (measured on 3.8.8).
    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """The file name of the cached result."""
        data = inputs["data"]
        step = f"{self.step}-{inputs['part']}" if "part" in inputs else self.step
        return f"{step}-{inputs['segment'].content_key(data.fingerprint if data else '')}"


def cache_of(store: StoreLayout, shared: str | None = None) -> LocalFileSystem | RemoteFileSystem:
    """Where Prefect keeps the results of a store's studies: with the checkpoints that they name.

    Prefect takes a storage only as a block that its server knows.

    Args:
        store: Of the studies.
        shared: The URL that stands in for the store where the workers do not see it.
    """
    place = str(store.cache) if shared is None else f"{Exchange.of(store.root, shared).path_or_url}/{store.cache.name}"
    block = RemoteFileSystem(basepath=place) if "://" in place else LocalFileSystem(basepath=place)
    digest = hashlib.sha256(place.encode()).hexdigest()[:12]
    block.save(f"pegbox-{digest}", overwrite=True)
    return block
