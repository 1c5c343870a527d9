"""Files that appear at once, and what killed writers left of others."""

import os

import pytest

from pegbox.training.atomic_files import remove_unfinished, write_in_one_step


def test_a_file_appears_whole(tmp_path):
    write_in_one_step(tmp_path / "deep" / "a.pt", lambda file: file.write_text("whole"))

    assert (tmp_path / "deep" / "a.pt").read_text() == "whole"
    assert names_in(tmp_path / "deep") == ["a.pt"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    (tmp_path / "a.pt").write_text("old")

    def fail(file):
        file.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_in_one_step(tmp_path / "a.pt", fail)

    assert (tmp_path / "a.pt").read_text() == "old"
    assert names_in(tmp_path) == ["a.pt"]


def test_only_what_dead_processes_left_long_ago_is_removed(tmp_path):
    dead = 2**22 + 1  # above every process id of Linux
    (tmp_path / f".old.pt.{dead}").write_text("half")
    (tmp_path / f".new.pt.{dead}").write_text("half")
    (tmp_path / f".alive.{os.getpid()}").mkdir()
    (tmp_path / f".old.{dead}").mkdir()
    (tmp_path / "kept.pt").write_text("whole")
    for name in (f".old.pt.{dead}", f".alive.{os.getpid()}", f".old.{dead}", "kept.pt"):
        os.utime(tmp_path / name, (0, 0))

    assert remove_unfinished(tmp_path) == 2
    assert names_in(tmp_path) == sorted([f".new.pt.{dead}", f".alive.{os.getpid()}", "kept.pt"])


def names_in(directory):
    return sorted(path.name for path in directory.iterdir())
