"""One study's page as one self-contained HTML file: no network, no server, no file beside it."""

import base64
import gzip
import hashlib
import html
import os
import tempfile
from pathlib import Path

from pegbox.page.document import StudyPage
from pegbox.schemas.errors import PageError

BUILT = Path(__file__).parent / "frontend" / "built"
"""What `page/frontend/build.mjs` made of the sources; part of the wheel, so that nobody needs Node."""

_NOTICE = "Holds Apache ECharts (Apache-2.0) and zrender (BSD-3-Clause); see page/frontend/built of pegbox."

_FILE = """<!doctype html>
<!-- Made by pegbox. {notice} -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<noscript>This page draws its charts with JavaScript, which is switched off.</noscript>
<script type="application/octet-stream" id="page-data" data-view="{view}">{data}</script>
<script>{script}</script>
</body>
</html>
"""


# What holds the block, and the block: everything beside them goes, the heading of its section too.
_ALONE = """
#study > :not(:has(#BLOCK)):not(#BLOCK), #study .grid:has(#BLOCK) > :not(:has(#BLOCK)):not(#BLOCK),
#study > section > h2:not(#BLOCK), .skip { display: none !important }
"""


def page_html(page: StudyPage, view: str = "", only: str | None = None) -> str:
    """The page as HTML; what the study holds stands in it only as compressed data.

    Args:
        page: The page.
        view: What it opens with, as `view_address.view_of` gives it.
        only: The one block that is shown, by its id; all where it is None.

    Its policy allows this very script and style and no request at all.
    """
    script, style = read_built("page.js"), read_built("page.css")
    if only is not None:
        style += _ALONE.replace("BLOCK", only)
    # The content security policy names the very hashes of script and style: a name of a trial that slipped through the
    # escaping could still run nothing, and no request can carry the history away.
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # Base64 of gzip and not JSON in the page: no text of a study can end the script element, and the file is smaller.
    # Without a time in it, so that the same study gives the same bytes.
    packed = gzip.compress(page.model_dump_json().encode(), mtime=0)
    return _FILE.format(
        notice=_NOTICE,
        policy=policy,
        title=html.escape(f"{page.head.study} · pegbox"),
        style=style,
        view=html.escape(view),
        data=base64.b64encode(packed).decode(),
        script=script,
    )


def write_page(page: StudyPage, path: Path, view: str = "") -> None:
    """Write the page; a reader sees the old file or the new one, never half of it.

    Raises:
        PageError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # In the same directory, because a rename is atomic only within one file system; the name is cut, because most
        # file systems allow 255 bytes and the path's own name may use them all.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(page_html(page, view))
            # mkstemp lets the owner alone read, and a report is written to be shared.
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PageError(
            f"The page must be written to {path}, but the system said: {(error.strerror or str(error)).lower()}. "
            "Name another file with --out."
        ) from error


def read_built(name: str) -> str:
    """A file of the built front end."""
    return (BUILT / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
