import multiprocessing
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from pegbox.schemas.errors import StoreBusyError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.locks import LOOK_SECONDS, exclusive, is_locked, try_lock
from pegbox.storage.scanning import writer_is_gone
from pegbox.storage.store import open_store
from pegbox.storage.study_lock import StudyLock, study_holder


def look_for_ever(root: Path) -> None:
    while True:
        study_holder(StoreLayout(root), "s")


def test_those_who_look_never_make_a_study_busy(store: StoreLayout) -> None:
    with StudyLock(store, "s"):
        pass
    readers = [multiprocessing.get_context("spawn").Process(target=look_for_ever, args=(store.root,)) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        time.sleep(1.0)
        for _ in range(300):
            with StudyLock(store, "s"):
                pass
    finally:
        for reader in readers:
            reader.kill()
            reader.join()


def test_any_number_look_at_once_and_take_nothing(tmp_path: Path) -> None:
    files = [os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(3)]
    assert not is_locked(files[0])
    assert not is_locked(files[1])
    for file in files[:2]:
        os.close(file)
    assert try_lock(files[2])
    with exclusive(tmp_path / "lock", wait=False) as held:
        assert not held
    os.close(files[2])


def test_a_lock_that_is_held_is_seen_as_such(store: StoreLayout) -> None:
    with StudyLock(store, "s"):
        holder = study_holder(store, "s")
        assert holder is not None
        assert holder["pid"] == os.getpid()
        with pytest.raises(StoreBusyError, match=f"process {os.getpid()}"):
            StudyLock(store, "s").acquire()
    assert study_holder(store, "s") is None


def test_one_who_was_suspended_while_looking_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOOK_SECONDS > 1
    monkeypatch.setattr("pegbox.storage.locks.LOOK_SECONDS", 0.05)
    looking, wanted = (os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT) for _ in range(2))
    assert not is_locked(looking)
    assert not try_lock(wanted)
    os.close(looking)
    assert try_lock(wanted)
    os.close(wanted)


def test_a_journal_that_can_only_be_read_is_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.touch(0o400)
    assert writer_is_gone(path)


def test_a_store_is_its_owner_s_alone(store: StoreLayout, begin: Any) -> None:
    before = os.umask(0)
    try:
        begin().log.close()
    finally:
        os.umask(before)
    directories = [store.root, *(path for path in store.root.iterdir() if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in directories} == {0o700}
    files = [store.snapshot, *store.journal.glob("*.jsonl"), *store.locks.iterdir(), store.ingest / "ingest.lock"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_what_others_write_into_a_store_is_its_owner_s_alone_too(tmp_path: Path) -> None:
    for old in (tmp_path / "store", tmp_path / "store" / "data"):
        old.mkdir(mode=0o700)
    try:
        os.setxattr(tmp_path, "system.posix_acl_default", b"")  # none
    except OSError as error:
        pytest.skip(f"this file system knows no access control lists: {error}")
    store = open_store(tmp_path / "store")
    (store.checkpoints / "of-a-trial").mkdir()
    files = [store.checkpoints / "of-a-trial" / "weights", store.data / "new", store.root / "any"]
    for file in files:
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o666))
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700


def test_a_store_that_is_shared_stays_so(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(0o2770)
    store = open_store(tmp_path / "store")
    (store.root / "any").touch(0o664)
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE((store.root / "any").stat().st_mode) == 0o664 & ~mask


def test_a_history_that_a_group_may_read_stays_so(store: StoreLayout, begin: Any) -> None:
    store.root.chmod(0o750)
    begin().log.close()
    assert stat.S_IMODE(store.snapshot.stat().st_mode) == 0o640
