"""The store's Prefect server obeys the store's owner: not another page, not another name, not another user."""

import asyncio
import json
import os
import stat
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from pegbox.flows.prefect_server.access import guarded, refusal, server_secret

DEPLOYMENT = "00000000-0000-0000-0000-000000000001"
ATTACKS = [
    ("POST", "/deployments/filter", {}),
    ("POST", "/flow_runs/filter", {}),
    ("POST", "/logs/filter", {}),
    ("GET", "/admin/settings", None),
    ("POST", "/flows/", {"name": "evil"}),
    ("POST", f"/deployments/{DEPLOYMENT}/create_flow_run", {"state": {"type": "SCHEDULED"}}),
    ("POST", f"/flow_runs/{DEPLOYMENT}/set_state", {"state": {"type": "CANCELLING"}, "force": True}),
    ("DELETE", f"/deployments/{DEPLOYMENT}", None),
    ("DELETE", f"/flow_runs/{DEPLOYMENT}", None),
    ("POST", "/admin/database/clear", {"confirm": True}),
]


def basic(secret: str) -> dict[str, str]:
    import base64

    return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def ask(url: str, method: str, path: str, body: Any, **headers: str) -> tuple[int, dict[str, str]]:
    content = None if body is None else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        url + path, method=method, data=content, headers={"Content-Type": "application/json", **names}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers)


@pytest.mark.flow
@pytest.mark.parametrize(("method", "path", "body"), ATTACKS)
def test_another_user_cannot_read_create_cancel_or_delete(prefect_api: str, method: str, path: str, body: Any) -> None:
    assert ask(prefect_api, method, path, body)[0] == 401
    assert ask(prefect_api, method, path, body, **basic("pegbox:guessed"))[0] == 401


@pytest.mark.flow
@pytest.mark.parametrize(("method", "path", "body"), ATTACKS)
def test_a_page_of_another_origin_is_refused_even_with_the_secret(
    prefect_api: str, method: str, path: str, body: Any
) -> None:
    secret = basic(os.environ["PREFECT_API_AUTH_STRING"])
    status, headers = ask(prefect_api, method, path, body, Origin="http://evil.example", **secret)
    assert status == 403
    assert "access-control-allow-origin" not in {name.lower() for name in headers}
    assert ask(prefect_api, method, path, body, Host="evil.example:80", **secret)[0] == 403
    assert ask(prefect_api, method, path, body, Sec_Fetch_Site="cross-site", **secret)[0] == 403


@pytest.mark.flow
def test_a_page_of_another_origin_gets_no_leave_to_ask(prefect_api: str) -> None:
    status, headers = ask(
        prefect_api, "OPTIONS", "/deployments/filter", None,
        Origin="http://evil.example", Access_Control_Request_Method="POST",
    )  # fmt: skip
    assert status == 403
    assert "access-control-allow-origin" not in {name.lower() for name in headers}


@pytest.mark.flow
def test_the_owner_is_let_in(prefect_api: str) -> None:
    secret = basic(os.environ["PREFECT_API_AUTH_STRING"])
    assert ask(prefect_api, "POST", "/flow_runs/filter", {"limit": 1}, **secret)[0] == 200
    own = prefect_api.removesuffix("/api")
    assert ask(prefect_api, "POST", "/flow_runs/filter", {"limit": 1}, Origin=own, **secret)[0] == 200


@pytest.mark.flow
def test_a_socket_without_the_secret_hears_nothing(prefect_api: str) -> None:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.typing import Origin, Subprotocol

    address = f"{prefect_api.replace('http', 'ws', 1)}/events/out"

    async def listen(said: str, origin: Origin | None = None) -> str:
        async with connect(address, subprotocols=[Subprotocol("prefect")], origin=origin) as socket:
            await socket.send(json.dumps({"type": "auth", "token": said}))
            return str(json.loads(await socket.recv())["type"])

    assert asyncio.run(listen(os.environ["PREFECT_API_AUTH_STRING"])) == "auth_success"
    with pytest.raises(ConnectionClosed):
        asyncio.run(listen("guessed"))
    with pytest.raises(InvalidStatus):
        asyncio.run(listen(os.environ["PREFECT_API_AUTH_STRING"], Origin("http://evil.example")))


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    secret = server_secret(tmp_path)
    assert secret == server_secret(tmp_path)
    assert len(secret) > 40
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    (tmp_path / "other").mkdir()
    assert server_secret(tmp_path / "other") != secret


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({"host": "127.0.0.1:4200"}, True),
        ({"host": "localhost:4200", "origin": "http://localhost:4200"}, True),
        ({"host": "[::1]:4200"}, True),
        ({"host": "127.0.0.1:4200", "origin": "null"}, False),
        ({"host": "127.0.0.1:4200", "origin": "http://127.0.0.1:8000"}, False),
        ({"host": "127.0.0.1.evil.example"}, False),
        ({"host": "evil.example", "origin": "http://evil.example"}, False),
        ({"host": ""}, False),
        ({}, False),
        ({"host": "127.0.0.1:4200", "sec-fetch-site": "same-site"}, False),
    ],
)
def test_only_this_machine_s_names_and_own_pages_are_let_in(headers: dict[str, str], is_let_in: bool) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "path": "/api/flows/", "headers": raw}
    assert (refusal(scope) is None) == is_let_in


def test_what_belongs_to_no_request_is_passed_on() -> None:
    passed = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["type"])

    asyncio.run(guarded(app)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert passed == ["lifespan"]
