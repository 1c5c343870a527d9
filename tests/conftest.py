"""One Prefect server for all tests that run flows, a project folder with a function to tune, and simulated studies."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from pegbox.schemas.decision import Start
from pegbox.schemas.events import DecisionMade, StudyOpened
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec

for number in (signal.SIGINT, signal.SIGHUP):
    # Under `nohup ... &` they are ignored, and what is ignored is ignored by every program that is started; a handler
    # is not handed down. This process goes on as if it ignored them.
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

settings.register_profile("untimed", deadline=None)  # a busy machine decides no test
settings.load_profile("untimed")

HOSTILE = """</script><img src=x onerror="window.hacked=1">'; DROP TABLE trials; --"""

TRAIN = '''
"""A hill with its top at x = 0.3; a call leaves a line in calls.txt, and pauses until there is a file `enough`."""

import os
import time
from pathlib import Path


def run(x, pause=0.0):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{x!r}\\n")
    until = time.monotonic() + pause
    while time.monotonic() < until and not Path("enough").exists():
        time.sleep(min(pause, 0.05))
    return {"value": (x - 0.3) ** 2}


def fail_left(x):
    if x < 0.5:
        raise RuntimeError(f"cannot climb from {x}")
    return {"value": x}


def forget_left(x):
    return {"other": x} if x < 0.5 else {"value": x}


def die_once(x):
    flag = Path("died")
    if not flag.exists():
        flag.touch()
        os.kill(os.getpid(), 9)
    return {"value": x}
'''


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run flows come first: each is one worker's, and a long one that began last would be waited for."""
    slow = {item.path for item in items if item.get_closest_marker("flow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that lives as long as the test session."""
    from pegbox.flows.prefect_server.shared_server import prefect_server, wait_until_healthy

    home = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_PROFILES_PATH", str(home / "none.toml"))
        for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_API_AUTH_STRING"):
            patch.setenv(name, "")  # noted, so that what the server sets is undone
        with prefect_server(home, home / "server.log") as url:
            assert url is not None
            wait_until_healthy(url)
            yield url


@pytest.fixture
def prefect_client(prefect_api: str) -> Iterator[None]:
    """Prefect in this process talks to the test server."""
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    with temporary_settings(
        {PREFECT_API_URL: prefect_api, PREFECT_API_AUTH_STRING: os.environ["PREFECT_API_AUTH_STRING"]}
    ):
        yield


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with hill.py in it."""
    (tmp_path / "hill.py").write_text(TRAIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def hill() -> Callable[..., StudySpec]:
    """A study of the hill; keywords replace or add top-level sections."""

    def make(**changes: Any) -> StudySpec:
        sections = {
            "name": "hill",
            "train": {"kind": "function", "function": "hill:run"},
            "space": {"x": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": "value"},
            "search": {"method": "random"},
            "budget": {"trials": 6},
            "run": {"workers": 2, "threads": 1},
            "finalists": {"top": 2, "seeds": 2},
        }
        return StudySpec.model_validate(sections | changes)

    return make


@pytest.fixture
def slow_hill(hill: Callable[..., StudySpec]) -> Callable[..., StudySpec]:
    """The hill with trials of a fifth of a second, one after the other."""

    def make(**changes: Any) -> StudySpec:
        space = {"x": {"min": 0.0, "max": 1.0}, "pause": 0.2}
        return hill(**{"space": space, "budget": {"trials": 8}, "run": {"workers": 1, "threads": 1}, **changes})

    return make


@pytest.fixture(scope="session")
def simulated_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one finished study of 120 trials and three rungs, and one whose name is an attack."""
    from simulated_study import Simulation, write_simulation

    root = tmp_path_factory.mktemp("simulated") / "store"
    write_simulation(root, Simulation("higgs-mlp", n_trials=120))
    write_simulation(root, Simulation(HOSTILE, n_trials=12, seed=1))
    return root


@pytest.fixture
def spec() -> StudySpec:
    """A study that needs no project folder."""
    return StudySpec.model_validate(
        {
            "name": "hill",
            "train": {"kind": "function", "function": "math:sin", "epochs": 9},
            "space": {"x": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": "value"},
            "search": {"method": "random"},
            "budget": {"trials": 4},
            "finalists": {"top": 2, "seeds": 2},
        }
    )


@pytest.fixture
def history(spec: StudySpec) -> History:
    """The history of `spec` with its first proposal."""
    opened = StudyOpened(study="hill", spec=spec)
    started = DecisionMade(
        study="hill",
        number=0,
        saw=1,
        elapsed_seconds=0.0,
        decision=Start(configuration={"x": 0.25}, to_budget=9),
        trial=0,
        seed=7,
    )
    replayed = History.replay([opened, started])
    assert replayed is not None
    return replayed
