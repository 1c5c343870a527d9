"""Runs whose disk is full, or may not be written: real small file systems, mounted where that is permitted."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driver_process import DriverProcess, calls, history_of

from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history

pytestmark = pytest.mark.flow

Hill = Callable[..., StudySpec]


def _mount(options: str, place: Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=False, capture_output=True
    )


@pytest.fixture
def store(project: Path) -> Iterator[Path]:
    """The store's directory on a disk of 24 megabytes."""
    place = project / "store"
    place.mkdir()
    if _mount("size=24m", place).returncode != 0:
        pytest.skip("mounting a small file system is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(disk: Path) -> Path:
    """A file that takes what is left of a disk."""
    filler = disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], check=False, capture_output=True)
    return filler


def test_full_disk_ends_the_run_and_with_room_it_goes_on(
    project: Path, prefect_api: str, slow_hill: Hill, store: Path
) -> None:
    process = DriverProcess(slow_hill(), project, prefect_api)
    process.wait_for_calls(3)
    filler = _fill(store)
    code, output = process.finish()
    filler.unlink()
    before = history_of(project)

    code_again, output_again = DriverProcess(slow_hill(), project, prefect_api).finish()

    assert code in {1, 2}, output
    assert "No space left on device" in output
    assert "run the same command again" in output
    assert before.failed == ()
    assert code_again == 0, output_again
    after = history_of(project)
    assert len(after.completed) == 8
    kept = [trial.evaluations for trial in before.completed]
    assert [after.trials[trial.number].evaluations for trial in before.completed] == kept


def test_read_only_store_is_refused_for_a_run_and_can_be_read(
    project: Path, prefect_api: str, hill: Hill, store: Path
) -> None:
    assert DriverProcess(hill(), project, prefect_api).finish()[0] == 0
    n_before = len(calls(project))
    _mount("remount,ro", store)

    code, output = DriverProcess(hill(budget={"trials": 9}), project, prefect_api).finish()

    assert code == 2, output
    assert "the system said: read-only file system. Name another one with --store" in output
    assert len(calls(project)) == n_before
    with open_history(store) as file:
        assert len(file.trials("hill")) == 6
