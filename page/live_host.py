"""The live host: the offline file's page, served over HTTP with server-sent events; writes notes, and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from anyio import to_thread
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from pegbox.page.control import Control, Wish
from pegbox.page.document import StudyRow
from pegbox.page.html_file import read_built
from pegbox.page.live_access import AccessMiddleware, AccessRule, refuse
from pegbox.page.live_pages import LivePages
from pegbox.page.live_sql import Asked, Cancelled, SqlConsole, Wanted
from pegbox.schemas.base import Schema
from pegbox.schemas.errors import NotFoundError, PageError, PegboxError
from pegbox.schemas.events import NoteWritten
from pegbox.storage.layout import StoreLayout
from pegbox.storage.notes import write_note
from pegbox.storage.sharing.following import followed

# Picked by hand: a look is one stat of a file, and with the driver's ingest of 1 to 2 seconds a new trial must be seen
# within the 3 seconds of benchmarks/page.py. Heartbeats keep proxies from closing a silent stream, as nginx does after
# a minute.
POLL_SECONDS = 0.5
BEAT_SECONDS = 15.0
# Picked by hand, far above any query that a person types; a larger body would only fill the memory.
MOST_BYTES = 1 << 20

_SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>pegbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<noscript>This page draws its charts with JavaScript, which is switched off.</noscript>
<script src="/page.js"></script>
</body>
</html>
"""
_STUDIES: TypeAdapter[tuple[StudyRow, ...]] = TypeAdapter(tuple[StudyRow, ...])
_MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}

Body = TypeVar("Body", bound=Schema)
Endpoint = Callable[[Request], Awaitable[Response]]


def live_app(root: Path, gate: AccessRule | None = None) -> Starlette:
    """The application; give it to any ASGI server.

    Args:
        root: The store.
        gate: What a request must show.
    """
    pages, console = LivePages(root), SqlConsole(root)
    gate = gate or AccessRule()
    may_control = gate.allows_control and gate.token is not None
    host = _Host(pages, console, StoreLayout(root.absolute()), Control(root) if may_control else None)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with followed(StoreLayout(root.absolute())):
            yield
        # Streams first: each looks at this flag at its next poll and ends, while the analysis is being killed.
        host.is_closing.set()
        pages.close()

    routes = [
        Route("/", host.shell),
        Route("/page.js", _static("page.js", "text/javascript; charset=utf-8")),
        Route("/page.css", _static("page.css", "text/css; charset=utf-8")),
        Route("/api/studies", _said(host.studies)),
        Route("/api/page", _said(host.page)),
        Route("/api/trials", _said(host.trials)),
        Route("/api/trial", _said(host.trial)),
        Route("/api/compared", _said(host.compared)),
        Route("/api/catalog", _said(host.catalog)),
        Route("/api/events", host.events),
        Route("/api/control", _said(host.control), methods=["GET", "POST"]),
        Route("/api/note", _said(host.note), methods=["POST"]),
        Route("/api/sql", _said(host.sql), methods=["POST"]),
        Route("/api/sql/cancel", _said(host.cancel), methods=["POST"]),
        Route("/api/sql/download", _said(host.download), methods=["POST"]),
    ]
    # The gate stands outside: a refused request costs no compression, and refusals carry the strict headers too. Below
    # 2,000 bytes compression gains less than it costs; picked by hand.
    middleware = [
        Middleware(AccessMiddleware, gate=gate),
        Middleware(GZipMiddleware, minimum_size=2000),
    ]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


class _Host:
    """One answer for each route; what takes time runs in a thread."""

    def __init__(self, pages: LivePages, console: SqlConsole, store: StoreLayout, control: Control | None) -> None:
        self._control = control
        self._store = store
        self._pages = pages
        self._console = console
        self.is_closing = asyncio.Event()

    async def shell(self, request: Request) -> Response:
        return HTMLResponse(_SHELL)

    async def studies(self, request: Request) -> Response:
        # DuckDB and the building of a page block; on the event loop they would hold up every other visitor.
        rows = await to_thread.run_sync(self._pages.studies)
        return _json(_STUDIES.dump_json(rows))

    async def page(self, request: Request) -> Response:
        study = request.query_params.get("study")
        return _json(await to_thread.run_sync(self._pages.page, study))

    async def trials(self, request: Request) -> Response:
        return _json(await to_thread.run_sync(self._pages.trials, request.query_params.get("study", "")))

    async def trial(self, request: Request) -> Response:
        study, number = request.query_params.get("study", ""), request.query_params.get("number", "")
        if not number.isdecimal():
            raise PageError(f"A trial is asked for by its number, such as number=35, got {number!r}.")
        return _json(await to_thread.run_sync(self._pages.trial, study, int(number)))

    async def compared(self, request: Request) -> Response:
        names = request.query_params.getlist("study")
        return _json(await to_thread.run_sync(self._pages.compared, names))

    async def catalog(self, request: Request) -> Response:
        return _json((await to_thread.run_sync(self._console.catalog)).model_dump_json().encode())

    async def control(self, request: Request) -> Response:
        """Whether studies may be controlled from here; and, with POST, doing so."""
        if request.method != "POST":
            return JSONResponse({"is_allowed": self._control is not None})
        if self._control is None:
            raise PageError("Nothing is controlled from this page. Start it with `pegbox ui --allow-control`.")
        said = await to_thread.run_sync(self._control.fulfil, await _read(request, Wish))
        return JSONResponse({"said": said})

    async def note(self, request: Request) -> Response:
        """The only thing that a visitor writes: one event, which decides nothing."""
        note = await _read(request, NoteWritten)
        await to_thread.run_sync(write_note, self._store, note)
        return JSONResponse({"noted": True})

    async def sql(self, request: Request) -> Response:
        asked = await _read(request, Asked)
        return _json((await to_thread.run_sync(self._console.ask, asked)).model_dump_json().encode())

    async def cancel(self, request: Request) -> Response:
        cancelled = await _read(request, Cancelled)
        return JSONResponse({"cancelled": await to_thread.run_sync(self._console.cancel, cancelled.id)})

    async def download(self, request: Request) -> Response:
        wanted = await _read(request, Wanted)
        folder = TemporaryDirectory(prefix="pegbox-")
        path = Path(folder.name) / f"result.{wanted.form}"
        try:
            await to_thread.run_sync(self._console.download, wanted, path)
        except BaseException:
            folder.cleanup()
            raise
        # Deleted after the last byte: the response is sent only after this function has returned.
        sent = BackgroundTask(folder.cleanup)
        return FileResponse(path, media_type=_MEDIA[wanted.form], filename=path.name, background=sent)

    async def events(self, request: Request) -> Response:
        """A line whenever the snapshot or an analysis is new."""
        return StreamingResponse(self._changes(request), media_type="text/event-stream")

    async def _changes(self, request: Request) -> AsyncIterator[str]:
        known, silent = "", 0.0
        while not self.is_closing.is_set() and not await request.is_disconnected():
            stamp = self._pages.stamp()
            if stamp != known:
                known, silent = stamp, 0.0
                yield f"event: changed\ndata: {json.dumps(stamp)}\n\n"
            elif silent >= BEAT_SECONDS:
                silent = 0.0
                yield ": still here\n\n"
            silent += POLL_SECONDS
            await asyncio.sleep(POLL_SECONDS)


def _static(name: str, media_type: str) -> Endpoint:
    async def answer(_: Request) -> Response:
        return Response(read_built(name), media_type=media_type)

    return answer


def _said(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose errors are answers."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except NotFoundError as error:
            return refuse(404, str(error))
        except PegboxError as error:
            return refuse(400, str(error))

    return answer


async def _read(request: Request, kind: type[Body]) -> Body:
    content = bytearray()
    async for piece in request.stream():
        # Counted while it arrives, because a Content-Length may be missing or false.
        content += piece
        if len(content) > MOST_BYTES:
            raise PageError(f"A request may hold {MOST_BYTES >> 20} MiB at most.")
    try:
        return kind.model_validate_json(bytes(content))
    except ValidationError as error:
        raise PageError(f"The request is not understood: {error.errors()[0]['msg']}.") from error


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")
