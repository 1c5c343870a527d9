"""Stands in front of a real Prefect server: passes requests on, and answers some of them with an error of its own."""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Fault = Callable[[str], int | None]
"""Given `METHOD /path`, the status to answer with instead of asking the server; None lets the request through."""


def no_fault(request: str) -> int | None:
    """Lets all through."""
    return None


@dataclass
class Proxy:
    """What the proxy does now, and what it did.

    Attributes:
        url: Where it listens.
        fault: Asked of each request.
        delay: Seconds that each request waits first.
        refused: How many it answered itself, by status.
    """

    url: str
    fault: Fault = no_fault
    delay: float = 0.0
    refused: Counter[int] = field(default_factory=Counter)


@contextmanager
def proxy_of(api: str) -> Iterator[Proxy]:
    """A proxy in front of a server's API on this machine, until the block ends."""
    target = urlsplit(api).port or 80
    proxy = Proxy("")
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncio.start_server(lambda reader, writer: _serve(proxy, target, reader, writer), "127.0.0.1", 0)
    )
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        _close(loop, server)


def _close(loop: asyncio.AbstractEventLoop, server: asyncio.Server) -> None:
    server.close()
    open_ones = asyncio.all_tasks(loop)
    for one in open_ones:
        one.cancel()
    if open_ones:
        loop.run_until_complete(asyncio.wait(open_ones))
    loop.close()


async def _serve(proxy: Proxy, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request for each connection, so that a fault meets each of them."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(proxy.delay)
        status = proxy.fault(" ".join(head.decode("latin-1").split()[:2]))
        if status is not None:
            proxy.refused[status] += 1
            writer.write(f"HTTP/1.1 {status} Injected\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        else:
            await _pass_on(_closing(head), target, reader, writer)
    writer.close()


def _closing(head: bytes) -> bytes:
    """The head of a request after which the server closes the connection; an event stream stays as it is."""
    lines = head.split(b"\r\n")
    if any(line.lower().startswith(b"upgrade:") for line in lines):
        return head
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([kept[0], b"Connection: close", *kept[1:]])


async def _pass_on(head: bytes, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    theirs, ours = await asyncio.open_connection("127.0.0.1", target)
    ours.write(head)
    asking = asyncio.ensure_future(_copy(reader, ours))
    try:
        await _copy(theirs, writer)
    finally:
        asking.cancel()
        ours.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while content := await source.read(1 << 16):
            sink.write(content)
            await sink.drain()
