"""`pegbox ui`: the page of every study of a store, live, with a console for SQL."""

from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err
from pegbox.cli.console import out as results
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, Verbosity

Host = Annotated[
    str,
    Parameter(
        help="Address to serve at; any but this machine's own asks for a token; where others have accounts, that too."
    ),
]
Port = Annotated[int, Parameter(help="0 for any that is free.")]
AllowControl = Annotated[
    bool,
    Parameter(negative="", help="Let visitors stop, extend and retry studies; asks everybody for the token."),
]
OpenBrowser = Annotated[bool, Parameter(name="--open", negative="", help="Open it in the browser.")]


def ui(
    *,
    host: Host = "127.0.0.1",
    # A fixed one, picked by hand beyond those that notebooks and other dashboards use, so that a bookmark holds.
    port: Port = 8712,
    open_browser: OpenBrowser = False,
    allow_control: AllowControl = False,
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Show the studies of a store in the browser, live; Ctrl-C ends it, and no study notices."""
    from pegbox.page.http_server import serve

    def ready(address: str) -> None:
        results().print(address)
        # A program that reads the address from a pipe waits for it, and a pipe is not flushed at line ends.
        results().file.flush()
        err().print("Ctrl-C ends it.", style="quiet")
        if open_browser:
            import webbrowser

            webbrowser.open(address)

    serve(store, host, port, ready, allow_control=allow_control)
