"""What a schedule watches: equal content gives equal fingerprints, whatever changes it gives another."""

from pathlib import Path

import pytest

from pegbox.datasets.watched import watched_fingerprint
from pegbox.schemas.errors import DataError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "a.csv").write_text("v\n1\n")
    (tmp_path / "rows" / "b.csv").write_text("v\n2\n")
    return tmp_path


@pytest.mark.parametrize("source", ["rows", "rows/*.csv", "rows/a.csv", "**/a.csv", "SELECT sum(v) FROM 'rows/*.csv'"])
def test_touched_files_are_the_same_and_written_ones_are_not(here: Path, source: str) -> None:
    before = watched_fingerprint((source,))
    (here / "rows" / "a.csv").touch()

    assert watched_fingerprint((source,)) == before

    (here / "rows" / "a.csv").write_text("v\n7\n")

    assert watched_fingerprint((source,)) != before


def test_a_new_name_or_a_further_file_is_a_change(here: Path) -> None:
    before = watched_fingerprint(("rows",))
    (here / "rows" / "b.csv").rename(here / "rows" / "c.csv")
    renamed = watched_fingerprint(("rows",))
    (here / "rows" / "sub").mkdir()
    (here / "rows" / "sub" / "d.csv").write_text("")

    assert len({before, renamed, watched_fingerprint(("rows",))}) == 3


def test_a_function_tells_a_version(here: Path) -> None:
    (here / "versions_told.py").write_text(
        "import datetime\nfrom pathlib import Path\n\n\n"
        "def version():\n    return {'day': datetime.date(2026, 1, 2), 'n': Path('n').read_text()}\n\n\n"
        "def thing():\n    return object()\n\n\n"
        "def broken():\n    raise OSError('no route')\n"
    )
    (here / "n").write_text("1")
    before = watched_fingerprint(("versions_told:version",))

    assert watched_fingerprint(("versions_told:version",)) == before

    (here / "n").write_text("2")

    assert watched_fingerprint(("versions_told:version",)) != before
    with pytest.raises(DataError, match=r"schedule.watch: versions_told:thing must return a text.*got object"):
        watched_fingerprint(("versions_told:thing",))
    with pytest.raises(DataError, match=r"schedule.watch: versions_told:broken raised OSError: no route"):
        watched_fingerprint(("versions_told:broken",))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nowhere.csv", "schedule.watch: no file 'nowhere.csv' below"),
        ("none/*.csv", "schedule.watch: no file"),
        ("s3://bucket/rows", "is a URL"),
        ("SELECT * FROM 'none.csv'", "schedule.watch: the query cannot be run"),
        ("WITH x AS (COPY (SELECT 1) TO 'written.csv') FROM x", "schedule.watch: "),
        ("no_such_module:version", "schedule.watch: no module"),
    ],
)
def test_what_is_not_there_is_named(here: Path, source: str, says: str) -> None:
    with pytest.raises(DataError, match=says.replace("*", r"\*")):
        watched_fingerprint((source,))
    assert not (here / "written.csv").exists()
