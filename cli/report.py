"""`pegbox report`: a study's page as one file."""

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.console import err
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, StudyName, Verbosity

OutFile = Annotated[
    Path | None, Parameter(name=["--out", "-o"], help="The file; `<study>-report.html` where it is left out.")
]


ViewAddress = Annotated[
    str | None,
    Parameter(
        name="--view",
        help="What the file opens with: an address of `pegbox ui` or of a file, with its filters and charts.",
    ),
]


OtherStudies = Annotated[
    tuple[str, ...],
    Parameter(
        name="--compare",
        negative="",
        show_default=False,
        help="Another study that the file shows beside it; repeatable.",
    ),
]


def report(
    study: StudyName = None,
    *,
    out: OutFile = None,
    view: ViewAddress = None,
    compare: OtherStudies = (),
    store: Store = DEFAULT_STORE,
    verbosity: Verbosity = QUIET,
) -> None:
    """Write the answer of a study and its charts as one HTML file that opens anywhere, without a network."""
    import time

    from pegbox.cli.console import out as results
    from pegbox.page.analysis_blocks import analyse
    from pegbox.page.build import build_page
    from pegbox.page.html_file import write_page
    from pegbox.page.view_address import studies_beside, study_in, view_beside, view_of

    others = [*compare, *(studies_beside(view) if view else ())]
    named = study or (study_in(view) if view else None)
    page = build_page(store, named, time.time(), analyse, is_file=True, beside=others)
    path = out or Path(f"{_file_stem(page.head.study)}-report.html")
    write_page(page, path, view_of(view, page) if view else view_beside(others) if others else "")
    results().print(str(path))
    err().print("Open it in a browser; it needs no network. `pegbox ui` shows the same page live.", style="quiet")


def _file_stem(study: str) -> str:
    """A study's name without what file systems do not like."""
    # 80 characters, picked by hand: most file systems take 255 bytes, and a letter may be four of them.
    return re.sub(r"[^\w.-]+", "-", study).strip("-.")[:80] or "study"
