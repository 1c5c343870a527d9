"""The documents build as a site, whole and without a request to another host."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]


def pages_of(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        for target in entry.values():
            yield from [target] if isinstance(target, str) else pages_of(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; made in a copy, so that nothing is left in the repository."""
    pytest.importorskip("zensical", reason="zensical is not installed: `pip install zensical`")
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "zensical.toml", folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--clean"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert "No issues found" in built.stdout + built.stderr, built.stdout + built.stderr
    return folder / "site"


def test_every_page_stands_in_the_menu() -> None:
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}

    assert sorted(pages_of(CONFIG["nav"])) == sorted(page for page in pages if not page.startswith("decisions/"))


def test_every_page_is_built(site: Path) -> None:
    wanted = [site / page.removesuffix(".md").removesuffix("index") / "index.html" for page in pages_of(CONFIG["nav"])]

    assert [path for path in wanted if not path.is_file()] == []


def test_a_page_asks_no_other_host_for_anything(site: Path) -> None:
    asked = {
        address
        for page in site.rglob("*.html")
        if page.name != "sample-report.html"
        for address in re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(https?:[^"]+)"', page.read_text("utf-8"))
        if 'rel="canonical"' not in address
    }

    assert asked == set()


def test_pictures_of_a_page_are_there(site: Path) -> None:
    missing = [
        (page.name, picture)
        for page in site.rglob("index.html")
        for picture in re.findall(r'<img[^>]*src="([^":]+)"', page.read_text("utf-8"))
        if not (page.parent / picture).resolve().exists()
    ]

    assert missing == []
