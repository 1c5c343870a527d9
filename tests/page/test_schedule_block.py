"""The states of the data behind a schedule's answers, for the page."""

import csv
from pathlib import Path

from pegbox.datasets.prepare import prepare
from pegbox.page.lineage_document import Verdict
from pegbox.page.schedule_block import data_rows
from pegbox.schemas.data import DataSpec
from pegbox.schemas.events import RunStarted
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study


def answered(at: float, data: str) -> Verdict:
    return Verdict(study=f"nightly@{data[:8]}", run="r", at=at, trial=0, value=0.5, data=data)


def test_each_state_of_the_data_stands_once_with_what_changed(tmp_path: Path) -> None:
    store, fingerprints = open_store(tmp_path / "store"), []
    for n_rows in (30, 40):
        path = tmp_path / f"{n_rows}.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["x", "y"], *([row % 5, row % 3] for row in range(n_rows))])
        spec = DataSpec.model_validate({"source": str(path), "target": "y"})
        fingerprints.append(prepare(spec, "regression", store.data).fingerprint)
    study = StudySpec.model_validate(
        {
            "name": "nightly",
            "train": {"kind": "function", "function": "a:b"},
            "space": {"x": {"min": 0, "max": 1}},
            "objective": {"metric": "loss"},
            "budget": {"trials": 1},
        }
    )
    with open_study(store, study, RunStarted(study="nightly", run="r", host="h", pid=1)) as log:
        log.close("completed")
    first, second = fingerprints
    with open_history(store.root) as file:
        rows = data_rows(file, [answered(1.0, first), answered(2.0, first), answered(3.0, second)])
        alone = data_rows(file, [answered(1.0, first), answered(2.0, first)])

    assert [(one.at, one.data, one.n_rows) for one in rows] == [(1.0, first, 30), (3.0, second, 40)]
    assert rows[1].changes[0] == "10 rows more"
    assert alone == ()
