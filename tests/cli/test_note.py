"""`pegbox note` writes one event, shows what was noted, and refuses what it cannot place."""

import json
from pathlib import Path

import pytest
from simulated_study import Simulation, write_simulation

from pegbox.cli.note import note
from pegbox.schemas.errors import StudyError


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("notes") / "store"
    write_simulation(root, Simulation("a:1", n_trials=3))
    return root


def test_a_note_is_written_and_shown(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    note("a:1:2", "diverges late", tag=("check",), store=store)
    note("a:1", "of the new data", store=store)
    capsys.readouterr()
    note("a:1", json=True, store=store)

    shown = json.loads(capsys.readouterr().out)
    assert [(one["trial"], one["text"], one["tags"]) for one in shown] == [
        (None, "of the new data", []),
        (2, "diverges late", ["check"]),
    ]


def test_a_tag_that_is_too_long_is_refused(store: Path) -> None:
    with pytest.raises(StudyError, match="at most 60 characters"):
        note("a:1", tag=("x" * 61,), store=store)
