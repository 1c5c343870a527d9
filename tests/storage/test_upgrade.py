"""A store that pegbox 0.1 left behind, read and continued by this version.

`store-0.1.zip` is the real thing: the journals, the master and the snapshot of a study of twelve trials (three failed,
one constraint, two finalists on two fresh seeds) as 0.1.0 wrote them.
"""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pegbox.report.replay_audit import replay_study
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import rebuild, verify
from pegbox.storage.migrate import SCHEMA_VERSION
from pegbox.storage.store import open_store

ARCHIVE = Path(__file__).with_name("store-0.1.zip")
STUDY = "old-hill"
HILL = """
from pathlib import Path


def run(x, kind):
    with Path("calls.txt").open("a") as calls:
        calls.write("called\\n")
    return {"value": (x - 0.3) ** 2, "size": x}
"""


@pytest.fixture
def old(tmp_path: Path) -> StoreLayout:
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path / "store")
    return open_store(tmp_path / "store")


def _ingested(old: StoreLayout) -> None:
    ingest(old, wait=True, force=True)


def _rebuilt(old: StoreLayout) -> None:
    rebuild(old)


@pytest.mark.parametrize("brought_up_to_date", [_ingested, _rebuilt])
def test_store_of_0_1_tells_what_it_told_before(
    old: StoreLayout, brought_up_to_date: Callable[[StoreLayout], None]
) -> None:
    brought_up_to_date(old)

    with open_history(old.root) as history:
        told = history.history(STUDY)
        assert history.sql("SELECT max(version) FROM schema_migrations").fetchall() == [(SCHEMA_VERSION,)]
        rows = history.sql("SELECT state, count(*) FROM trials GROUP BY 1 ORDER BY 1").fetchall()
        (leader,) = history.sql(f'FROM "study_{STUDY}" ORDER BY value LIMIT 1').df().to_dict("records")
    assert rows == [("completed", 9), ("failed", 3)]
    assert told.selection is not None
    assert told.selection.winner == leader["number"] == 11
    assert [trial.state for trial in told.trials].count(TrialState.FAILED) == 3


def test_store_of_0_1_is_found_whole_and_makes_its_decisions_again(old: StoreLayout) -> None:
    _ingested(old)

    assert verify(old).findings == ()
    assert replay_study(old.root, STUDY).differences == ()


@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_study_of_0_1_is_extended_and_trains_the_difference(
    old: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pegbox.flows.tune import tune

    monkeypatch.chdir(tmp_path)
    (tmp_path / "hill.py").write_text(HILL)
    with open_history(old.root) as history:
        before = history.history(STUDY)
    longer = before.spec.model_copy(update={"budget": before.spec.budget.model_copy(update={"trials": 13})})

    tune(longer, old.root)

    with open_history(old.root) as history:
        after = history.history(STUDY)
    assert [trial.configuration for trial in after.trials[:12]] == [trial.configuration for trial in before.trials]
    assert [trial.state for trial in after.trials[:12]] == [trial.state for trial in before.trials]
    assert len(after.trials) == 13
    assert len((tmp_path / "calls.txt").read_text().splitlines()) <= 1 + 4  # the new trial, and the finalists' seeds
