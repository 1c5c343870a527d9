import errno
import multiprocessing
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pegbox.schemas.errors import StoreError, StoreUnwritableError
from pegbox.schemas.events import ArtifactWritten, Event, MetricsReported
from pegbox.storage.journal import Journal
from pegbox.storage.journal_lines import JournalLine, decode_line, encode_line
from pegbox.storage.scanning import writer_is_gone


def report(step: int, **metrics: float) -> Event:
    return MetricsReported(study="s", trial=0, attempt=1, fold=0, seed=0, step=step, metrics=metrics or {"loss": 1.0})


def lines(directory: Path) -> list[JournalLine | str]:
    return [decode_line(line) for path in sorted(directory.glob("*")) for line in path.read_bytes().splitlines()]


def test_lines_are_numbered_dated_and_versioned(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "driver")
    journal.append(report(1), report(2), version=7, at=1000.5)
    journal.append(report(3), at=1001.0)
    assert [line[:3] for line in lines(tmp_path)] == [(1, 1000.5, 7), (2, 1000.5, 8), (3, 1001.0, None)]


def test_the_body_of_a_line_is_the_events_own_json(tmp_path: Path) -> None:
    event = ArtifactWritten(study='quote " slash / \u2028 ☃', kind="report", path=Path("a/b.html"))
    Journal(tmp_path, "driver").append(event)
    (line,) = lines(tmp_path)
    assert isinstance(line, JournalLine)
    assert line.body == event.model_dump_json()


@pytest.mark.parametrize("position", range(0, 120, 7))
def test_a_flipped_bit_anywhere_is_noticed(position: int) -> None:
    damaged = bytearray(encode_line(report(1), seq=1, at=1.0)[:-1])
    damaged[position] ^= 1
    assert isinstance(decode_line(bytes(damaged)), str)


def test_nothing_is_made_before_the_first_event(tmp_path: Path) -> None:
    Journal(tmp_path, "worker").append()
    assert list(tmp_path.iterdir()) == []


def test_two_journals_of_one_process_never_share_a_file(tmp_path: Path) -> None:
    for _ in range(5):
        Journal(tmp_path, "worker").append(report(1))
    assert len(list(tmp_path.iterdir())) == 5


def test_a_long_journal_goes_on_in_a_new_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker", rotate_bytes=500)
    for step in range(10):
        journal.append(report(step))
    assert len(list(tmp_path.iterdir())) == 4
    assert sorted(line.seq for line in lines(tmp_path) if isinstance(line, JournalLine)) == [
        1,
        1,
        1,
        1,
        2,
        2,
        2,
        3,
        3,
        3,
    ]


def test_threads_write_whole_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker")
    threads = [
        threading.Thread(target=lambda: [journal.append(report(step), report(step)) for step in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [line.seq for line in lines(tmp_path) if isinstance(line, JournalLine)] == list(range(1, 161))


def test_a_short_write_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:10]))
    Journal(tmp_path, "worker").append(report(1), report(2))
    assert len([line for line in lines(tmp_path) if isinstance(line, JournalLine)]) == 2


def test_a_failed_write_is_taken_back_and_the_next_goes_to_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    journal = Journal(tmp_path, "worker")
    journal.append(report(1))
    left = [write, lambda *_: os.strerror(errno.ENOSPC)]

    def fail_after_some_bytes(file: int, content: bytes) -> int:
        if left:
            left.clear()
            return write(file, content[:25])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", fail_after_some_bytes)
    with pytest.raises(StoreUnwritableError, match=r"No space left on device.*Make room"):
        journal.append(report(2), report(3))
    monkeypatch.setattr(os, "write", write)
    journal.append(report(4))
    assert len(list(tmp_path.iterdir())) == 2
    steps = [line.body.partition('"step":')[2][0] for line in lines(tmp_path) if isinstance(line, JournalLine)]
    assert sorted(steps) == ["1", "4"]
    assert len(lines(tmp_path)) == 2


def test_a_failed_sync_counts_as_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    journal = Journal(tmp_path, "worker")
    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(StoreUnwritableError, match="Input/output error"):
        journal.append(report(1))
    assert lines(tmp_path) == []


def test_the_systems_own_refusal_of_a_large_file_is_survived(tmp_path: Path) -> None:
    program = f"""
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_journal import report
from pegbox.schemas.errors import StoreUnwritableError
from pegbox.storage.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(Path({str(tmp_path)!r}), "worker")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
written = 0
try:
    for step in range(100):
        journal.append(report(step))
        written += 1
except StoreUnwritableError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    journal.append(report(99))
    print(written + 1)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert len([line for line in lines(tmp_path) if isinstance(line, JournalLine)]) == int(done.stdout)
    assert len(lines(tmp_path)) == int(done.stdout)


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritableError, match="No such file or directory"):
        Journal(tmp_path / "gone", "worker").append(report(1))


def _append_in_child(journal: Journal, answers: "multiprocessing.SimpleQueue[str]") -> None:
    try:
        journal.append(report(2))
    except StoreError as error:
        answers.put(str(error))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # the fork is the point
def test_a_journal_refuses_to_cross_a_fork(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker")
    journal.append(report(1))
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_append_in_child, args=(journal, answers))
    child.start()
    child.join()
    assert "after a fork" in answers.get()
    assert len(lines(tmp_path)) == 1


def test_one_can_tell_whether_a_writer_is_gone(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker")
    journal.append(report(1))
    (path,) = tmp_path.iterdir()
    assert not writer_is_gone(path)
    journal.close()
    assert writer_is_gone(path)


def test_a_worker_loads_no_database() -> None:
    program = "import sys, pegbox.storage.journal, pegbox.storage.layout; print('duckdb' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )


ARTIFACT = ArtifactWritten(study="s", kind="report", path=Path("x"))


@pytest.mark.parametrize(
    "harm",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:40]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")),
        lambda path: path.rename(path.with_name("elsewhere")),
        lambda path: path.replace(path.with_name("elsewhere")) and path.mkdir(),
        lambda path: path.replace(path.with_name("elsewhere")) and os.mkfifo(path),
    ],
    ids=["deleted", "emptied", "cut", "converted", "moved", "a directory", "a named pipe"],
)
def test_a_writer_whose_file_was_harmed_writes_it_again(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    journal = Journal(tmp_path, "worker")
    journal.append(ARTIFACT, ARTIFACT, version=1)
    path = next(tmp_path.glob("*.jsonl"))
    whole = path.read_bytes()
    harm(path)
    journal.append(ARTIFACT, version=3)
    written = next(one for one in tmp_path.glob("*.jsonl") if one.is_file())
    assert written.read_bytes()[: len(whole)] == whole
    lines = [decode_line(line) for line in written.read_bytes().splitlines()]
    assert [(line.seq, line.version) for line in lines] == [(1, 1), (2, 2), (3, 3)]
    assert not writer_is_gone(written)
    journal.close()


def test_a_writer_that_pauses_mends_its_file_when_it_is_asked(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker")
    journal.append(ARTIFACT)
    path = next(tmp_path.iterdir())
    whole = path.read_bytes()
    path.unlink()
    journal.mend()
    assert path.read_bytes() == whole
    path.unlink()
    journal.close()
    assert path.read_bytes() == whole
