"""A Prefect server for the runs of one store: shared by all of them, started once, ended when the last one leaves.

Prefect's own temporary server belongs to one process, dies with a Ctrl-C meant for the run, prints while it shuts
down, and two of them on one database disturb each other. Imported before Prefect: it decides which server Prefect uses.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import socket
import sys
import threading
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from pegbox.flows.prefect_server.access import App, guarded, server_secret
from pegbox.flows.prefect_server.fresh_database import DATABASE, keep_fresh, lay_fresh
from pegbox.flows.prefect_server.refusals import prefect_in_words
from pegbox.schemas.errors import PegboxError

# Measured on Prefect 3.8.8: 14 s to the first task where the database has to be made, 26 s on a busy machine; over
# four times that.
START_SECONDS = 120.0
# Picked by hand: commands one after another share a start of some 7 s, and no server is left behind for long.
LINGER_SECONDS = 10.0
"""How long a server without users waits for the next run."""
# Picked by hand: far below the 62 s for which Prefect's client tries again, so that a killed server is back in time.
LOOK_SECONDS = 2.0
"""How often a run looks whether its server still lives."""
# Picked by hand, the end of the backoff: a server that cannot live (a full disk, say) is tried once a minute.
SLOWEST_LOOK_SECONDS = 60.0


@contextlib.contextmanager
def prefect_server(home: Path, log: Path) -> Iterator[str | None]:
    """Use the server that the user has configured, or else the one of this store, started where none answers.

    Yields the API's address, or None where Prefect's own settings name one. Sets `PREFECT_API_URL`, `PREFECT_HOME` and
    `PREFECT_API_AUTH_STRING` for this process, so enter it before Prefect is imported. The server is up when
    `wait_until_healthy` returns.

    Args:
        home: Where Prefect keeps its database, below the store.
        log: Where the server's output goes.

    Raises:
        PegboxError: What the block asked of Prefect was refused.
    """
    if is_configured():
        with prefect_in_words():
            yield None
        return
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)  # its database holds what the flows were called with
    os.environ["PREFECT_HOME"] = str(home.resolve())
    os.environ["PREFECT_API_AUTH_STRING"] = server_secret(home)
    # Present before the server is looked for: one that is about to leave sees this user in time, or is gone when its
    # lock is free.
    with prefect_in_words(), _presence(home):
        url = _start_or_join(home, log)
        os.environ["PREFECT_API_URL"] = url
        # 62 s: long enough for a busy one, and for one that died and is started again.
        os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "5")
        left = threading.Event()
        threading.Thread(target=_keep_alive, args=(home, log, left), daemon=True).start()
        try:
            yield url
        finally:
            left.set()


def is_configured() -> bool:
    """True if the environment or Prefect's active profile names a server, or a home of its own."""
    if any(os.environ.get(name) for name in ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE")):
        return True
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH", Path.home() / ".prefect" / "profiles.toml"))
    try:
        content = tomllib.loads(profiles.read_text())
    except (OSError, tomllib.TOMLDecodeError):
        return False
    return "PREFECT_API_URL" in content.get("profiles", {}).get(content.get("active", ""), {})


def wait_until_healthy(url: str, seconds: float = START_SECONDS) -> None:
    """Return once the server answers.

    Raises:
        PegboxError: It did not answer in time.
    """
    deadline = time.monotonic() + seconds
    while not is_healthy(url):
        if time.monotonic() > deadline:
            raise PegboxError(
                f"The Prefect server at {url} did not answer within {seconds:.0f} s. Its output is in the store's "
                "logs; `pegbox doctor` names the known version clashes."
            )
        time.sleep(0.05)


def is_healthy(url: str) -> bool:
    """True if the server's health check answers."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310  our own loopback address
            return bool(answer.status == 200)
    except (OSError, ValueError):  # ValueError where the address is none
        return False


@contextlib.contextmanager
def _presence(home: Path) -> Iterator[None]:
    """Hold a shared lock that tells the server it is in use; the kernel lets go of it even after kill -9."""
    with (home / "users.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _start_or_join(home: Path, log: Path) -> str:
    """The address of the store's server.

    Whoever gets the server's lock starts the process and hands the lock down to it: it is held as long as the server
    lives, so a second run never starts another one, not even while the first is still starting.
    """
    address = home / "server.json"
    with (home / "server.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read_address(address)
        # Before the start: whoever comes meanwhile must wait for the new address instead of reading the dead server's.
        address.unlink(missing_ok=True)
        with socket.socket() as probe:
            # A free port of the kernel's: Prefect's own 4200 is taken where the user or another store runs a server.
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"http://127.0.0.1:{port}/api"
        _start(home, log, url, lock.fileno())
        temporary = address.with_suffix(".tmp")
        temporary.write_text(json.dumps({"url": url}))
        # In one step, so that nobody reads half an address.
        temporary.replace(address)
    return url


def _start(home: Path, log: Path, url: str, lock: int) -> None:
    """Start the server's process at an address, and hand the server's lock down to it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    module = "pegbox.flows.prefect_server.shared_server"
    with log.open("ab") as output:
        command = [sys.executable, "-m", module, str(home), str(urlsplit(url).port), str(lock)]
        _spawn(command, {**os.environ, **_settings(home, url)}, output.fileno(), lock)


def _keep_alive(home: Path, log: Path, left: threading.Event) -> None:
    """Start the server again, at its address, where it was killed; whoever of its users sees it first does."""
    pause = LOOK_SECONDS
    while not left.wait(pause):
        with contextlib.suppress(OSError, PegboxError), (home / "server.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # it lives
                pause = LOOK_SECONDS
                continue
            _start(home, log, _read_address(home / "server.json"), lock.fileno())
            pause = min(2 * pause, SLOWEST_LOOK_SECONDS)  # one that dies again at once is not started for ever


def _spawn(command: list[str], environment: dict[str, str], output: int, lock: int) -> None:
    """Start a process that outlives this one, in a session of its own: a Ctrl-C in the terminal is meant for the run.

    Not `subprocess`: it would watch over a child that nobody here waits for.
    """
    os.set_inheritable(lock, True)
    null = os.open(os.devnull, os.O_RDONLY)
    streams = ((null, 0), (output, 1), (output, 2))
    os.posix_spawn(
        command[0],
        command,
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, source, target) for source, target in streams],
        setsid=True,
    )
    os.close(null)


def _read_address(address: Path) -> str:
    """What the run that started the server has written, or is about to write."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads(address.read_text())["url"])
        time.sleep(0.05)
    raise PegboxError(
        f"Expected the address of the store's Prefect server in {address}, found none. Remove the folder."
    )


def _settings(home: Path, url: str) -> dict[str, str]:
    """Environment variables of the server's process; the secret is in them, where no other user can look."""
    return {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_UI_ENABLED": os.environ.get("PREFECT_UI_ENABLED", "0"),
        "PREFECT_UI_API_URL": url,
        "PREFECT_SERVER_API_AUTH_STRING": server_secret(home),
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": url.removesuffix("/api"),
    }


def _serve(home: Path, port: int, lock: int) -> None:
    """The server process: runs until no run has held its presence for a while."""
    import uvicorn

    _migrate(home)
    server = uvicorn.Server(uvicorn.Config(_application, factory=True, host="127.0.0.1", port=port, log_level="error"))
    threading.Thread(target=_stop_when_unused, args=(home, server), daemon=True).start()
    server.run()
    os.close(lock)  # before the users' lock goes with the process, so that whoever waits for that finds this one free


def _application() -> App:
    from prefect.server.api.server import create_app

    return guarded(create_app())


def _migrate(home: Path) -> None:
    """Have this version's tables in the store's database, and Prefect look for no migrations: that takes half a second.

    A database of the user's own is left to Prefect.
    """
    if any("DATABASE" in name for name in os.environ if name.startswith("PREFECT_")):
        return
    if not _is_migrated(home):
        is_new = not (home / DATABASE).exists()
        if not (is_new and lay_fresh(home)):
            asyncio.run(_make_database())
            if is_new:
                keep_fresh(home)
        with contextlib.suppress(OSError):
            (home / "migrated").write_text(version("prefect"))
    os.environ["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] = "false"


async def _make_database() -> None:
    from prefect.server.database.dependencies import provide_database_interface

    database = provide_database_interface()
    await database.create_db()
    # The server has an event loop of its own, and connections of this one would outlive it.
    await (await database.engine()).dispose()


def _is_migrated(home: Path) -> bool:
    """True if this version of Prefect has made the database before."""
    try:
        return (home / DATABASE).exists() and (home / "migrated").read_text() == version("prefect")
    except OSError:
        return False


def _stop_when_unused(home: Path, server: object) -> None:
    with (home / "users.lock").open("w") as file:
        unused_since: float | None = None
        while True:
            time.sleep(0.5)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                unused_since = None
                continue
            unused_since = unused_since or time.monotonic()
            if time.monotonic() - unused_since > LINGER_SECONDS:
                server.should_exit = True  # type: ignore[attr-defined]
                threading.Event().wait()  # keep the lock: a run that begins now waits for the end, then starts afresh
            fcntl.flock(file, fcntl.LOCK_UN)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
