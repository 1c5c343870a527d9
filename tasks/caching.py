"""How Prefect finds a result again: by content, in the store; a finished trial is skipped by the history instead."""

import hashlib
from dataclasses import dataclass
from typing import Any

from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from prefect.filesystems import LocalFileSystem

from pegbox.storage.layout import StoreLayout


@dataclass
class SegmentKey(CachePolicy):
    """The content of a segment and of its data: one result for all trials and studies that compute the same.

    Attributes:
        step: What is computed of the segment; keeps training and evaluation apart.
    """

    step: str = "train"

    def compute_key(
        self, task_ctx: TaskRunContext, inputs: dict[str, Any], flow_parameters: dict[str, Any], **kwargs: Any
    ) -> str | None:
        """The file name of the cached result."""
        data = inputs["data"]
        step = f"{self.step}-{inputs['part']}" if "part" in inputs else self.step
        return f"{step}-{inputs['segment'].content_key(data.fingerprint if data else '')}"


def cache_of(store: StoreLayout) -> LocalFileSystem:
    """Where Prefect keeps the results of a store's studies: below the store, because they name its checkpoints.

    Prefect takes a storage only as a block that its server knows.
    """
    digest = hashlib.sha256(str(store.cache).encode()).hexdigest()[:12]
    block = LocalFileSystem(basepath=str(store.cache))
    block.save(f"pegbox-{digest}", overwrite=True)
    return block
