"""Serves the live page at an address of this machine; what is served stands in `live_host`."""

import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from pegbox.page.live_gate import Gate, is_loopback
from pegbox.page.live_host import live_app
from pegbox.schemas.errors import PageError


def serve(root: Path, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Args:
        root: The store.
        host: The address to bind; any but this machine's own asks visitors for a token.
        port: 0 for any that is free.
        on_ready: Told the address to open, token included.

    Raises:
        PageError: The address cannot be bound.
    """
    import uvicorn

    gate = Gate(token=None if is_loopback(host) else secrets.token_urlsafe(24))
    with bind(host, port) as listener:
        config = uvicorn.Config(
            live_app(root, gate),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        on_ready(address(listener, gate))
        uvicorn.Server(config).run(sockets=[listener])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        PageError: The address is taken, or is none of this machine.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise PageError(
            f"The page must be served at {host}:{port}, but the system said: {(error.strerror or str(error)).lower()}. "
            "Name another port with --port, or 0 for any that is free."
        ) from error
    return listener


def address(listener: socket.socket, gate: Gate) -> str:
    """What a visitor types."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  shown, not bound
        host = socket.gethostname()
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"?token={quote(gate.token)}" if gate.token else "")
