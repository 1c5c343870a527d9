"""Files and folders that go from one machine to another through a URL; and a project's code."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from pegbox.execution import project_code
from pegbox.execution.exchange import Exchange
from pegbox.execution.project_code import put_code
from pegbox.schemas.errors import ClusterError


@pytest.fixture(params=["file", "memory"])
def exchange(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exchange]:
    """One on a disk, and one on a file system that is no disk."""
    yield Exchange(f"file://{tmp_path}/shared" if request.param == "file" else "memory://shared/tuning")
    fsspec.filesystem("memory").store.clear()


def test_a_folder_arrives_as_it_was(exchange: Exchange, tmp_path: Path) -> None:
    (tmp_path / "here" / "fold-0").mkdir(parents=True)
    (tmp_path / "here" / "fold-0" / "train.npy").write_bytes(b"numbers")

    exchange.put(tmp_path / "here", "data/abc")

    assert exchange.get("data/abc", tmp_path / "far" / "there")
    assert (tmp_path / "far" / "there" / "fold-0" / "train.npy").read_bytes() == b"numbers"


def test_what_is_there_stays_on_both_sides(exchange: Exchange, tmp_path: Path) -> None:
    first, second, there = tmp_path / "first.pt", tmp_path / "second.pt", tmp_path / "there.pt"
    first.write_text("first")
    second.write_text("second")

    exchange.put(first, "checkpoints/one.pt")
    exchange.put(second, "checkpoints/one.pt")
    exchange.get("checkpoints/one.pt", there)
    there.write_text("mine")
    exchange.get("checkpoints/one.pt", there)

    assert there.read_text() == "mine"
    assert exchange.get("checkpoints/one.pt", tmp_path / "again.pt")
    assert (tmp_path / "again.pt").read_text() == "first"


def test_what_nobody_left_is_not_found(exchange: Exchange, tmp_path: Path) -> None:
    assert not exchange.get("checkpoints/none.pt", tmp_path / "none.pt")
    assert not (tmp_path / "none.pt").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ClusterError, match=r"file, named by `run.shared`, could not be used: NotADirectoryError"):
        Exchange(f"file://{tmp_path}/file").put(tmp_path / "file", "data/abc")


def test_stores_do_not_meet_in_one_place() -> None:
    one, other = (Exchange.of(Path(root), "s3://bucket/tuning/").url for root in ("/a/.pegbox", "/b/.pegbox"))

    assert one != other
    assert one.startswith("s3://bucket/tuning/")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Code, beside what is none."""
    root = tmp_path / "project"
    for name in ("train.py", "model/net.py", ".git/config", "env/lib.py", "env/pyvenv.cfg", ".pegbox/x", "out/big"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "out").rename(root / "store")
    return root


def test_code_travels_without_environments_and_stores(exchange: Exchange, project: Path, tmp_path: Path) -> None:
    code = put_code(exchange, project, project / "store")

    exchange.get(code, tmp_path / "there")
    found = sorted(str(path.relative_to(tmp_path / "there")) for path in (tmp_path / "there").rglob("*.py"))
    assert found == ["model/net.py", "train.py"]
    assert not (tmp_path / "there" / "store").exists()


def test_code_is_named_by_its_content(exchange: Exchange, project: Path) -> None:
    before = put_code(exchange, project, project / "store")
    same = put_code(exchange, project, project / "store")
    (project / "train.py").write_text("changed")

    assert before == same
    assert put_code(exchange, project, project / "store") != before


def test_too_much_code_is_refused(exchange: Exchange, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_code, "MAX_CODE_BYTES", 10)

    with pytest.raises(ClusterError, match="Run the study in a folder that has its code alone"):
        put_code(exchange, project, project / "store")
