"""The page of a simulated study, live and as data; a browser, where the machine has one."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from page_visit import Visit

from pegbox.page.analysis_blocks import analyse
from pegbox.page.build import build_page
from pegbox.page.document import StudyPage
from pegbox.page.html_file import write_page
from pegbox.page.http_server import bind
from pegbox.page.live_access import AccessRule

OPEN = AccessRule()


@pytest.fixture(scope="session")
def simulated_page(simulated_store: Path) -> StudyPage:
    return build_page(simulated_store, "higgs-mlp", made_at=1_764_010_000.0, analyse=analyse, is_file=True)


@pytest.fixture(scope="session")
def serve_live() -> Iterator[Callable[..., str]]:
    """Serves a store in a thread, once; gives the address."""
    import uvicorn

    from pegbox.page.live_host import live_app

    servers: list[tuple[uvicorn.Server, threading.Thread, Any]] = []
    addresses: dict[tuple[Path, AccessRule], str] = {}

    def serve(root: Path, gate: AccessRule = OPEN) -> str:
        if (root, gate) in addresses:
            return addresses[root, gate]
        listener = bind("127.0.0.1", 0)
        config = uvicorn.Config(live_app(root, gate), log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        servers.append((server, thread, listener))
        while not server.started:
            time.sleep(0.02)
        addresses[root, gate] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return addresses[root, gate]

    yield serve
    for server, thread, listener in servers:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="module")  # while it is open its event loop runs, and Prefect takes every call for an async one
def browser() -> Iterator[Any]:
    """Debian's chromium; a test is skipped where it, or Playwright, is not there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("chromium is not installed: `apt-get install chromium`")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def page_file(simulated_page: StudyPage, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_page(simulated_page, path)
    return path.as_uri()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    opened: list[Visit] = []

    def open_page(address: str, **options: Any) -> Visit:
        opened.append(Visit(browser, address, **options))
        return opened[-1]

    yield open_page
    for one in opened:
        one.context.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
