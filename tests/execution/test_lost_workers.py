"""Which errors of Ray and Dask mean that a worker was lost, and which are a study's own."""

import pytest
from distributed.client import FutureCancelledError
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayTaskError, WorkerCrashedError

from pegbox.execution.lost_workers import loss_of
from pegbox.schemas.failure import FailureKind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (WorkerCrashedError(), FailureKind.LOST),
        (NodeDiedError("the machine is gone"), FailureKind.LOST),
        (OutOfMemoryError("too much"), FailureKind.OUT_OF_MEMORY),
        (FutureCancelledError("train-trial", "scheduler-connection-lost"), FailureKind.LOST),
    ],
)
def test_error_of_a_cluster_is_a_failure_of_its_trial(error: Exception, kind: FailureKind) -> None:
    failure = loss_of(error)

    assert failure is not None
    assert failure.kind is kind


@pytest.mark.parametrize("error", [ValueError("x"), RayTaskError("train", "traceback", ImportError("pegbox"))])
def test_what_a_task_raised_is_none(error: Exception) -> None:
    assert loss_of(error) is None
