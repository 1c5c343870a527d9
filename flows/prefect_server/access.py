"""Who may talk to the store's Prefect server: a secret of the store's owner, this machine's own names, no other page.

Prefect asks every request and every socket for the secret itself (HTTP Basic). What it does not look at is checked in
front of it: a browser that a page of another origin, or a name that was rebound to this machine, makes ask.
"""

import contextlib
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pegbox.page.live_access import host_name, is_loopback

SECRET_FILE = "secret"  # noqa: S105 - its name
"""In the server's home; whoever can read it may use the server."""

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


def server_secret(home: Path) -> str:
    """What the server of a store asks for, as `PREFECT_API_AUTH_STRING` takes it; made where there is none.

    It stays the same for as long as the store lives: a scheduled run that began before the server was started again
    goes on with it.

    Raises:
        OSError: The file cannot be read or made.
    """
    path = home / SECRET_FILE
    draft = home / f".{SECRET_FILE}.{os.getpid()}"
    if not path.exists():
        # The mode with the making: set afterwards, another user could open the file in between.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"pegbox:{secrets.token_urlsafe(32)}")
        # A link and no rename: it fails where a secret is there, instead of replacing the one that others hold.
        with contextlib.suppress(FileExistsError):  # another run was faster: its secret is the one
            os.link(draft, path)
        draft.unlink()
    path.chmod(0o600)
    return path.read_text().strip()


def guarded(app: App) -> App:
    """The server's application, behind a look at where each request comes from and by which name it was asked for."""

    async def answer(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        said = refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if said is None:
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": said.encode()})

    return answer


def refusal(scope: Message) -> str | None:
    """Why a request is not let through; None where it is."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, origin = headers.get("host", ""), headers.get("origin")
    if not is_loopback(host_name(host)):
        return f"The server answers to this machine's own names, but was asked for as {host[:100]!r}."
    if origin is not None and urlsplit(origin).netloc != host:
        return f"The request comes from another page, {origin[:100]!r}."
    # A link on another page may open the front page, which changes nothing; all else would be cross-site request
    # forgery.
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"} and scope["path"] != "/":
        return "The request comes from another page."
    return None
