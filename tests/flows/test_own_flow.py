"""`tune` as a part of a user's own flow: hooks, retries, tags, task runner, notices and limits are Prefect's own."""

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


def test_notices_reach_prefect(project: Path, hill: Hill) -> None:
    from prefect.client.orchestration import get_client

    from pegbox.flows.tune import tune

    began = datetime.now(UTC)
    tune(hill(name="heard", budget={"trials": 2}, finalists={"top": 1, "seeds": 1}), project / "store")

    wanted = {
        "filter": {
            "event": {"prefix": ["pegbox."]},
            "resource": {"id": ["pegbox.study.heard"]},
            "occurred": {"since": began.isoformat()},
        }
    }
    names: list[str] = []
    deadline = time.monotonic() + 30
    with get_client(sync_client=True) as client:
        while names.count("pegbox.trial.completed") < 2 and time.monotonic() < deadline:
            time.sleep(0.5)
            found: dict[str, Any] = client._client.post("/events/filter", json=wanted).json()
            names = [event["event"] for event in found["events"]]
    assert names.count("pegbox.trial.completed") == 2
    assert "pegbox.study.improved" in names


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
