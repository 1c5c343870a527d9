"""The linked highlight: what is pointed at or focused in one view is marked in all, by pointer and by keyboard."""

from collections.abc import Iterator
from typing import Any

import pytest
from page_visit import Visit

from pegbox.page.document import StudyPage
from pegbox.report.number_format import metric

NOTE = ".pointed-note"


@pytest.fixture(scope="module")
def seen(browser: Any, page_file: str) -> Iterator[Visit]:
    """One open file, tall enough that every chart is drawn."""
    visit = Visit(browser, page_file, viewport={"width": 1320, "height": 6000})
    visit.page.wait_for_selector("#workers canvas")
    visit.page.wait_for_selector("#cost canvas")
    yield visit
    visit.context.close()


@pytest.fixture(autouse=True)
def away(seen: Visit) -> None:
    """Points at nothing."""
    seen.page.evaluate("() => { location.hash = ''; document.activeElement.blur() }")
    seen.page.hover("#study h1")
    seen.page.wait_for_selector(f"{NOTE}:empty", state="attached")


def test_a_row_is_marked_in_every_chart_that_holds_its_trial(seen: Visit, simulated_page: StudyPage) -> None:
    best = simulated_page.best
    seen.page.hover("#trials tbody tr:first-child")

    assert seen.page.inner_text(NOTE) == f"Trial {best.number[-1]} · completed · val_loss {metric(best.value[-1])}"
    for chart in ("progress", "cost", "curves", "workers"):
        assert seen.page.locator(f"#{chart} .marks .mark").count() > 0, chart
    assert seen.page.locator("#study .grid .card:has(.marks .mark)").count() >= 9  # six effects among them

    seen.page.hover("#study h1")
    assert seen.page.locator(".marks .mark, tr.pointed").count() == 0


def test_a_focused_link_marks_its_trial(seen: Visit) -> None:
    seen.page.focus("#failures .trial-link")
    number = seen.page.inner_text("#failures li:first-child .trial-link >> nth=0")

    assert seen.page.inner_text(NOTE).startswith(f"Trial {number} · failed")


def test_arrows_go_through_the_trials_of_a_chart_and_enter_opens(seen: Visit, simulated_page: StudyPage) -> None:
    seen.page.focus("#progress .chart")
    seen.page.keyboard.press("ArrowRight")
    assert seen.page.inner_text(NOTE).startswith("Trial 0 ·")
    seen.page.keyboard.press("ArrowRight")
    assert seen.page.inner_text(NOTE).startswith("Trial 1 ·")
    assert seen.page.locator("#progress .marks .mark").count() == 1
    seen.page.keyboard.press("ArrowLeft")

    seen.page.keyboard.press("Enter")

    seen.page.wait_for_selector("main:not([hidden]) h1:has-text('Trial 0')")
    assert seen.complaints == []


def test_a_line_of_the_parallel_coordinates_points_and_leads_to_its_trial(seen: Visit) -> None:
    plane = seen.page.locator(".plane")
    box = plane.bounding_box()
    assert box is not None
    across = box["x"] + box["width"] * 0.53  # between two axes

    # Lines are thin: the first height at which one is near counts.
    for down in range(60, 300, 4):
        seen.page.mouse.move(across, box["y"] + down)
        if seen.page.inner_text(NOTE):
            break
    said = seen.page.inner_text(NOTE).split(" · ")[0]
    row = seen.page.locator("tr.pointed .trial-link").all_inner_texts()
    seen.page.mouse.down()
    seen.page.mouse.up()

    assert [f"Trial {number}" for number in row] in ([said], [])  # on another page of the table where it is not here
    seen.page.wait_for_selector(f"main:not([hidden]) h1:has-text('{said}')")
