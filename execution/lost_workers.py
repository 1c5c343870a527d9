"""Tells a worker that a cluster lost from what a task raised; knows no cluster, and imports none."""

from pegbox.schemas.failure import Failure, FailureKind

# By name: Ray and Dask are extras, and one that is not used must not be imported just to look at its exceptions.
_LOST = {
    "ray.exceptions": (
        "WorkerCrashedError",
        "NodeDiedError",
        "LocalRayletDiedError",
        "ObjectLostError",
        "OwnerDiedError",
        "ObjectFetchTimedOutError",
    ),
    "distributed.scheduler": ("KilledWorker",),
    "distributed.client": ("FutureCancelledError",),
}


def loss_of(error: BaseException) -> Failure | None:
    """The failure of a trial whose process or machine the cluster lost; None for any other error."""
    for kind in type(error).__mro__:
        if kind.__module__ == "ray.exceptions" and kind.__name__ == "OutOfMemoryError":
            return Failure(kind=FailureKind.OUT_OF_MEMORY, message=f"Ray ended the worker for lack of memory: {error}")
        if kind.__name__ in _LOST.get(kind.__module__, ()):
            return Failure(kind=FailureKind.LOST, message=f"the cluster lost the worker: {error}")
    return None
