"""Serves the live page at an address of this machine; what is served stands in `live_host`."""

import os
import pwd
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from pegbox.page.live_access import AccessRule, is_loopback
from pegbox.page.live_host import live_app
from pegbox.schemas.errors import PageError


def serve(root: Path, host: str, port: int, on_ready: Callable[[str], None], *, allow_control: bool = False) -> None:
    """Serve until interrupted.

    Args:
        root: The store.
        host: The address to bind; any but this machine's own asks visitors for a token, and so does that one where
            several users share the machine.
        port: 0 for any that is free.
        on_ready: Told the address to open, token included.
        allow_control: Let visitors stop, extend and retry studies; then everybody needs the token.

    Raises:
        PageError: The address cannot be bound.
    """
    import uvicorn

    # Whoever reaches the page could start programs: on this machine's own address, too, any program of it could.
    is_open = is_loopback(host) and not is_shared_machine() and not allow_control
    # 24 bytes are 192 bits, beyond guessing over a network, and short enough for an address that is pasted.
    gate = AccessRule(token=None if is_open else secrets.token_urlsafe(24), allows_control=allow_control)
    # Bound here and handed to uvicorn: the port is known before anything is served (0 takes any), and a taken one is
    # told in our words instead of its log.
    with bind(host, port) as listener:
        config = uvicorn.Config(
            live_app(root, gate),
            log_level="warning",
            access_log=False,
            # Nobody needs to be told which server and version it is.
            server_header=False,
            # Event streams never end by themselves; without a limit Ctrl-C would wait for the last open browser.
            timeout_graceful_shutdown=2,
        )
        on_ready(address(listener, gate))
        uvicorn.Server(config).run(sockets=[listener])


def is_shared_machine() -> bool:
    """True where another person has an account here: every user of a machine reaches its loopback addresses.

    Accounts below 1000 are the system's, `nobody` is 65534, and those without a shell are services.
    """
    return any(
        1000 <= account.pw_uid < 65534
        and account.pw_uid != os.getuid()
        and not account.pw_shell.endswith(("/nologin", "/false", "/sync"))
        for account in pwd.getpwall()
    )


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        PageError: The address is taken, or is none of this machine.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        try:
            # A host that was just ended leaves connections in TIME_WAIT, which would refuse the same port for a minute.
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


def address(listener: socket.socket, gate: AccessRule) -> str:
    """What a visitor types."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  shown, not bound
        host = socket.gethostname()
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"?token={quote(gate.token)}" if gate.token else "")
