"""Writes the page of a real study into docs/: `python docs/make_pictures.py`; needs Playwright and chromium.

Runs docs/sample-study.yaml in a store of its own, writes the page as docs/sample-report.html, and takes its picture in
both colour schemes. A store that holds the study already is named as the only argument.
"""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from pegbox.cli.app import execute
from pegbox.schemas.study_file import read_study

HERE = Path(__file__).parent
STUDY = HERE / "sample-study.yaml"
SAMPLE = HERE / "sample-report.html"
PICTURES = {"light": HERE / "report.png", "dark": HERE / "report-dark.png"}
WIDTH = 1180


def run_sample(store: Path) -> None:
    """Run the study."""
    assert execute(["run", str(STUDY), "--store", str(store)]) == 0


def write_sample(store: Path) -> None:
    """Write the page of what a store holds of it."""
    name = read_study(STUDY).spec.name
    assert execute(["report", name, "--out", str(SAMPLE), "--store", str(store)]) == 0


def take_picture(browser: Browser, scheme: str, path: Path) -> None:
    """The page from its top down to its first row of effects."""
    context = browser.new_context(viewport={"width": WIDTH, "height": 2000}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(SAMPLE.as_uri())
    page.wait_for_selector("#knobs canvas")
    page.wait_for_timeout(500)  # the charts below draw as they come into view
    card = page.locator("#effects").locator("xpath=ancestor::section").locator(".card").first.bounding_box()
    assert card is not None
    height = card["y"] + card["height"] + 16
    page.screenshot(path=path, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
    context.close()


def main() -> None:
    """Write everything."""
    with TemporaryDirectory() as folder:
        if len(sys.argv) == 1:
            run_sample(Path(folder))
        write_sample(Path(sys.argv[1] if len(sys.argv) > 1 else folder))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme, path in PICTURES.items():
            take_picture(browser, scheme, path)
        browser.close()


if __name__ == "__main__":
    main()
