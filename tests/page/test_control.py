"""Control from the page: only where it was allowed, only with the token, with the words of the command line."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from simulated_study import Simulation, write_simulation

from pegbox.page.control import Control, Wish
from pegbox.page.live_access import AccessRule
from pegbox.schemas.errors import PageError

ALLOWED = AccessRule(token="secret", allows_control=True)
BEARER = {"Authorization": "Bearer secret"}
STOP = {"study": "digits", "action": "stop"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("control") / "store"
    write_simulation(root, Simulation("digits", n_trials=4))
    return root


def test_nothing_is_controlled_where_it_was_not_allowed(store: Path, serve_live: Callable[..., str]) -> None:
    for gate in (AccessRule(), AccessRule(allows_control=True)):  # without a token it is never allowed
        with httpx.Client(base_url=serve_live(store, gate), timeout=60) as client:
            assert client.get("/api/control").json() == {"is_allowed": False}
            refused = client.post("/api/control", json=STOP)
            assert (refused.status_code, "--allow-control" in refused.json()["error"]) == (400, True)


def test_control_wants_the_token_and_tells_what_the_command_said(store: Path, serve_live: Callable[..., str]) -> None:
    with httpx.Client(base_url=serve_live(store, ALLOWED), timeout=60) as client:
        assert client.post("/api/control", json=STOP).status_code == 401
        said = client.post("/api/control", json=STOP, headers=BEARER)

    assert said.status_code == 400
    assert "Nobody drives the study" in said.json()["error"]


def test_to_extend_takes_a_budget(store: Path) -> None:
    with pytest.raises(PageError, match="takes a budget of trials"):
        Control(store).fulfil(Wish(study="digits", action="extend"))


def test_a_name_that_begins_like_an_option_is_a_name(store: Path) -> None:
    assert Control(store)._arguments(Wish(study="--help", action="retry", trial=3))[-2:] == ["--", "--help"]
