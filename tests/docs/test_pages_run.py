"""Every command, program, query and study that a page shows does what the page says, in the order of the page."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from document_blocks import blocks_of, check_study_file, try_block

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "project"
PAGES = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "decisions"),
]

# Each of them runs studies for half a minute and more; the others are enough to tell that a page can be followed.
LONG = {
    "tutorial",
    "use-the-model",
    "extend",
    "train-your-module",
    "tune-inside-your-own-flow",
    "small-models-together",
}
LONG |= {"read-the-page", "import-and-export", "choose-a-search-method", "track", "search-from-other-tools"}
LONG |= {
    "bring-your-data",  # four studies are validated; the tests of `datasets` try each of them
    "deploy-when-promoted",
    "population-based-training",
    "schedule",
    "several-objectives",
    "stop-trials-early",
    "tune-any-program",
}


@pytest.fixture
def environment(prefect_api: str, tmp_path: Path) -> dict[str, str]:
    """What a reader has: `pegbox` on the path; and a Prefect server, so that the pages need not each start one."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PREFECT_API_URL": prefect_api,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "OMP_NUM_THREADS": "1",
    }


@pytest.mark.flow
@pytest.mark.timeout(900)  # a page is many commands, and machines are busy
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=page.stem, marks=[pytest.mark.long] if page.stem in LONG else []) for page in PAGES],
)
def test_what_a_page_shows_works(page: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "page"
    shutil.copytree(PROJECT, folder)
    blocks = blocks_of(page.read_text(encoding="utf-8"))

    for block in blocks:
        try_block(block, folder, environment)

    for study in {block.title for block in blocks if block.title.endswith(".yaml")}:
        check_study_file(folder / study, environment)
