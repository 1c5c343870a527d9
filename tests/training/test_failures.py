"""What is kept of an exception: whose fault it is decides what happens next."""

import errno
import os

import pytest

from pegbox.schemas.errors import StoreUnwritableError
from pegbox.schemas.failure import FailureKind
from pegbox.training.failures import failure_of


def test_secrets_are_masked_in_what_is_kept_of_a_failure() -> None:
    secret = "postgresql://me:hunter2x@db"
    try:
        try:
            raise ValueError(f"no access to {secret}")
        except ValueError as error:
            raise RuntimeError("x" * 1_990 + secret) from error
    except RuntimeError as error:
        failure = failure_of(error)
    assert "hunter2x" not in failure.model_dump_json()
    assert "no access to postgresql://me:***@db" in str(failure.traceback)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), FailureKind.STORE),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), FailureKind.STORE),
        (StoreUnwritableError("the journal cannot be written"), FailureKind.STORE),
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)), FailureKind.ERROR),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), FailureKind.OUT_OF_MEMORY),
    ],
)
def test_full_disk_is_no_fault_of_the_trial(error: Exception, kind: FailureKind) -> None:
    assert failure_of(error).kind is kind
