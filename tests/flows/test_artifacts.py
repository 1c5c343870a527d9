"""The artifacts of a study in a real Prefect server: there while it runs, right when it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.study import StudySpec

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]

Hill = Callable[..., StudySpec]


def _tune(spec: StudySpec, project: Path) -> None:
    from pegbox.flows.tune import tune

    tune(spec, project / "store")


def _artifacts(study: str) -> dict[str, Any]:
    """The artifacts of a study by kind; each of them is there once."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    keys = {f"{kind}-{study}": kind for kind in ("answer", "leaderboard", "budget")}
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=list(keys))))
    assert len(found) == len({one.key for one in found})
    return {keys[one.key]: one for one in found if one.key}


def test_a_study_that_ends_leaves_its_answer_leaderboard_and_budget(project: Path, hill: Hill) -> None:
    _tune(hill(name="told"), project)

    found = _artifacts("told")
    assert "Run trial" in found["answer"].data
    assert "](data:image/svg+xml;base64," in found["answer"].data
    rows = json.loads(found["leaderboard"].data)
    assert [row["value"] for row in rows] == sorted(row["value"] for row in rows)
    assert found["budget"].data == 100
    assert all(one.flow_run_id for one in found.values())


def test_the_artifacts_are_there_while_the_study_runs(
    project: Path, hill: Hill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pegbox.tasks.artifacts.EVERY_SECONDS", 0.5)

    _tune(hill(name="lively", space={"x": {"min": 0, "max": 1}, "pause": 1.0}), project)

    answer = _artifacts("lively")["answer"]
    assert answer.updated > answer.created
    assert "Run trial" in answer.data


def test_a_study_that_only_fails_is_told_as_it_is(project: Path, hill: Hill) -> None:
    failing = {"kind": "function", "function": "hill:missing"}
    (project / "hill.py").write_text("def missing(x):\n    raise RuntimeError('never')\n")

    with pytest.raises(NoTrialSucceededError):
        _tune(hill(name="untold", train=failing), project)

    found = _artifacts("untold")
    assert "trials failed" in found["answer"].data
    assert json.loads(found["leaderboard"].data) == []


def test_an_artifact_that_somebody_deleted_is_made_again(project: Path, hill: Hill) -> None:
    from prefect.client.orchestration import get_client

    from pegbox.storage.layout import StoreLayout
    from pegbox.tasks.artifacts import StudyArtifacts

    _tune(hill(name="deleted"), project)
    artifacts = StudyArtifacts(StoreLayout(project / "store"), "deleted-again")
    artifacts._study = "deleted"
    artifacts.publish()
    first = _artifacts("deleted-again")["answer"]
    with get_client(sync_client=True) as client:
        client._client.delete(f"/artifacts/{first.id}")
    artifacts._answer._shown = None

    artifacts.publish()

    assert _artifacts("deleted-again")["answer"].id != first.id


def test_a_server_that_is_gone_costs_the_artifacts_only(
    project: Path, hill: Hill, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    from pegbox.storage.layout import StoreLayout
    from pegbox.tasks.artifacts import StudyArtifacts

    _tune(hill(name="alone"), project)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        StudyArtifacts(StoreLayout(project / "store"), "alone").publish()

    assert "is not shown in Prefect" in caplog.text
