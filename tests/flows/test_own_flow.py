"""`tune` as a part of a user's own flow: hooks, retries, tags, task runner, notices and limits are Prefect's own."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from driver_process import DriverProcess, calls, history_of

from pegbox.schemas.study import StudySpec

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]

Hill = Callable[..., StudySpec]


def test_tune_is_a_subflow_with_the_users_options(project: Path, hill: Hill) -> None:
    from prefect import flow, tags
    from prefect.client.orchestration import get_client
    from prefect.runtime import flow_run
    from prefect.task_runners import ThreadPoolTaskRunner

    from pegbox.flows.tune import tune

    told: list[str] = []
    spec = hill(budget={"trials": 3}, finalists={"top": 1, "seeds": 1})
    careful = tune.with_options(
        retries=1,
        task_runner=ThreadPoolTaskRunner(max_workers=3),
        on_completion=[lambda flow, run, state: told.append(f"{flow.name} {state.name}")],
    )

    @flow(name="weekly")
    def weekly() -> tuple[int, str]:
        with tags("nightly"):
            selection = careful(spec, project / "store")
        return selection.winner, str(flow_run.id)

    winner, parent = weekly()

    assert told == ["tune Completed"]
    selection = history_of(project).selection
    assert selection is not None
    assert selection.winner == winner
    with get_client(sync_client=True) as client:
        (run,) = [one for one in client.read_flow_runs() if one.name == "tune-hill" and "nightly" in one.tags]
        assert run.parent_task_run_id is not None
        assert str(client.read_task_run(run.parent_task_run_id).flow_run_id) == parent


def test_failure_hook_and_retry_belong_to_the_user(project: Path, hill: Hill) -> None:
    from pegbox.flows.tune import tune
    from pegbox.schemas.errors import NoTrialSucceededError

    told: list[str] = []
    spec = hill(
        train={"kind": "function", "function": "hill:fail_left"},
        space={"x": {"min": 0.0, "max": 0.4}},
        budget={"trials": 2},
    )
    careful = tune.with_options(on_failure=[lambda flow, run, state: told.append(state.name)])

    with pytest.raises(NoTrialSucceededError):
        careful(spec, project / "store")

    assert told == ["Failed"]


def test_prefect_is_told_of_a_study(project: Path, hill: Hill) -> None:
    from pegbox.flows.tune import tune

    began = datetime.now(UTC)
    spec = hill(name="heard", budget={"trials": 2}, finalists={"top": 1, "seeds": 1}, tags={"team": "vision"})
    run = tune(spec, project / "store", return_state=True).state_details.flow_run_id

    names = _events("heard", began, until="pegbox.study.completed")
    assert names.count("pegbox.trial.completed") == 2
    assert "pegbox.study.improved" in names
    lines = _log_lines(run)
    assert [line for line in lines if line.startswith("trial 0: begins with x=0.")]
    assert [line for line in lines if line.startswith("trial 1: completed with value ")]
    assert [line for line in lines if line.startswith(("trial 0 is selected", "trial 1 is selected"))]
    followed, tags = _task_runs(run)
    assert followed["trial-0001"] == {"propose-trials"}
    assert followed["trial-0000"] == {"propose-trials", "select-finalists", "select-winner"}  # the winner's, thrice
    assert followed["select-winner"] == {"select-finalists"}
    assert "trial-0001" in set().union(
        *(followed[one] for one in followed if one.startswith(("propose", "select-fin")))
    )
    assert tags == {"team=vision"}


def _events(study: str, since: datetime, until: str) -> list[str]:
    """Those of a study, once one of this name has come."""
    from prefect.client.orchestration import get_client

    wanted = {
        "filter": {
            "event": {"prefix": ["pegbox."]},
            "resource": {"id": [f"pegbox.study.{study}"]},
            "occurred": {"since": since.isoformat()},
        }
    }
    names: list[str] = []
    deadline = time.monotonic() + 60
    with get_client(sync_client=True) as client:
        while until not in names and time.monotonic() < deadline:
            time.sleep(0.5)
            found: dict[str, Any] = client._client.post("/events/filter", json=wanted).json()
            names = [event["event"] for event in found["events"]]
    return names


def _log_lines(run: Any) -> list[str]:
    """What the flow run has logged, once its last line is there."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId

    lines: list[str] = []
    deadline = time.monotonic() + 60
    with get_client(sync_client=True) as client:
        while not any("is selected" in line for line in lines) and time.monotonic() < deadline:
            time.sleep(0.5)
            lines = [one.message for one in client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run])))]
    return lines


def _task_runs(run: Any) -> tuple[dict[str, set[str]], set[str]]:
    """What each task run followed on, by names without Prefect's suffix, once all are recorded; the flow run's tags."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    deadline = time.monotonic() + 60
    with get_client(sync_client=True) as client:
        while True:
            found = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run])))
            names = {one.id: re.sub("-[0-9a-f]{3}$", "", one.name) for one in found}
            if "publish-report" in names.values() or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        tags = set(client.read_flow_run(run).tags)
    followed: dict[str, set[str]] = {}
    for one in found:
        before = {names[each.id] for inputs in one.task_inputs.values() for each in inputs if hasattr(each, "id")}
        followed.setdefault(names[one.id], set()).update(before)
    return followed, tags


def test_limit_keeps_trainings_apart(project: Path, hill: Hill) -> None:
    from pegbox.flows.tune import tune

    (project / "hill.py").write_text(
        "import time\n\n\ndef run(x):\n    with open('calls.txt', 'a') as calls:\n"
        "        calls.write(f'begin {time.time()}\\n')\n    time.sleep(0.3)\n"
        "    with open('calls.txt', 'a') as calls:\n        calls.write(f'end {time.time()}\\n')\n"
        "    return {'value': x}\n"
    )
    run = {"workers": 2, "threads": 1, "limit": "license"}

    tune(hill(run=run, budget={"trials": 3}, finalists={"top": 1, "seeds": 1}), project / "store")

    assert [line.split()[0] for line in calls(project)] == ["begin", "end"] * 4


@pytest.mark.long
def test_limit_is_shared_by_two_studies_at_once(project: Path, prefect_api: str, hill: Hill) -> None:
    (project / "hill.py").write_text(
        "import time\n\n\ndef run(x):\n    began = time.time()\n    time.sleep(0.5)\n"
        "    with open('calls.txt', 'a') as calls:\n        calls.write(f'{began} {time.time()}\\n')\n"
        "    return {'value': x}\n"
    )
    run = {"workers": 1, "threads": 1, "limit": "gpu"}
    both = [
        DriverProcess(
            hill(name=name, seed=seed, run=run, budget={"trials": 3}, finalists={"top": 1, "seeds": 1}),
            project,
            prefect_api,
        )
        for seed, name in enumerate(["left", "right"])
    ]

    ends = [process.finish() for process in both]

    assert [code for code, _ in ends] == [0, 0], ends
    spans = sorted(tuple(map(float, line.split())) for line in calls(project))
    assert len(spans) == 2 * (3 + 1)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
