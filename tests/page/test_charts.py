"""Charts serve their reader: log axes, marked outliers, zoom, the best k, whole ticks, comparison; errors first."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_visit import Visit

from pegbox.page.document import StudyPage
from pegbox.page.html_file import write_page

CHART = """name => {
    const [chart] = [...document.querySelectorAll(`#${name} .chart`)].map((plot) => plot.card.chart)
    const { yAxis, xAxis, dataZoom } = chart.getOption()
    const ends = ([one]) => [one.min, one.max]
    return { y: ends(yAxis), x: ends(xAxis), zoom: dataZoom.map((one) => [one.start, one.end]) }
}"""


@pytest.fixture(scope="module")
def seen(browser: Any, page_file: str) -> Iterator[Visit]:
    visit = Visit(browser, page_file)
    yield visit
    visit.context.close()


def chart(seen: Visit, name: str, address: str = "") -> Any:
    seen.page.evaluate("hash => { location.hash = hash }", address)
    seen.page.locator(f"#{name} .chart").scroll_into_view_if_needed()
    seen.page.wait_for_selector(f"#{name} canvas")
    return seen.page.evaluate(CHART, name)


def test_values_may_stand_on_a_logarithmic_axis(seen: Visit, simulated_page: StudyPage) -> None:
    linear = chart(seen, "progress")

    seen.page.click("#progress button:has-text('log')")
    low, high = chart(seen, "progress", "scale=log")["y"]

    best = min(value for value in simulated_page.best.value)
    assert linear["y"][0] <= best
    assert 10**low <= best <= 10**high
    assert seen.page.locator("#progress button:has-text('log')").get_attribute("aria-pressed") == "true"


def test_numbers_of_trials_end_at_a_whole_one(seen: Visit) -> None:
    assert chart(seen, "progress")["x"] == [0, 119]


def test_times_are_ticked_as_clocks_are(seen: Visit) -> None:
    least, most = chart(seen, "progress", "across=finished")["x"]

    assert (least, most % 60) == (0, 0)


def test_a_chart_zooms_from_the_keyboard_and_back(seen: Visit) -> None:
    chart(seen, "progress")
    seen.page.locator("#progress .chart").focus()

    seen.page.keyboard.press("+")
    start, end = seen.page.evaluate(CHART, "progress")["zoom"][0]
    seen.page.keyboard.press("0")

    assert 0 < start < end < 100
    assert seen.page.evaluate(CHART, "progress")["zoom"][0] == [0, 100]


def test_the_best_k_are_a_condition_like_any_other(seen: Visit, simulated_page: StudyPage) -> None:
    seen.page.evaluate("() => { location.hash = 'q=best:10' }")
    seen.page.wait_for_function("() => document.querySelectorAll('#trials tbody tr').length === 10")

    shown = [int(one) for one in seen.page.locator("#trials tbody tr td:nth-child(2)").all_inner_texts()]
    placed = sorted((one for one in simulated_page.lives if one.place), key=lambda one: one.place or 0)
    assert shown == [one.number for one in placed[:10]]


def test_chosen_trials_are_compared_side_by_side(seen: Visit, simulated_page: StudyPage) -> None:
    seen.page.evaluate("() => { location.hash = 'q=best:10' }")
    seen.page.wait_for_function("() => document.querySelectorAll('#trials tbody tr').length === 10")
    boxes = seen.page.locator("#trials td input")
    numbers = [int(one) for one in seen.page.locator("#trials tbody tr td:nth-child(2)").all_inner_texts()[:2]]

    boxes.nth(0).check()
    boxes.nth(1).check()
    seen.page.click("#compare-bar button:has-text('Compare')")
    seen.page.wait_for_selector("#compare-parameters")

    left, right = (simulated_page.lives[number].exact for number in numbers)
    differing = {name for name in {**left, **right} if left.get(name) != right.get(name)}
    shown = seen.page.locator("#compare-parameters tbody tr td:first-child").all_inner_texts()
    assert set(shown) == differing
    assert f"compare={numbers[0]}&compare={numbers[1]}" in seen.page.url
    assert seen.complaints == []


def test_where_nothing_completed_the_shared_error_comes_first(
    visit: Callable[..., Visit], tmp_path: Path, simulated_page: StudyPage
) -> None:
    write_page(simulated_page.model_copy(update={"answer": None}), tmp_path / "page.html")
    opened = visit((tmp_path / "page.html").as_uri())

    assert "out of memory: CUDA out of memory" in opened.page.inner_text("#answer")
    box = opened.page.locator("#answer .error").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 900


def test_a_few_far_values_hide_no_others_and_are_counted(
    visit: Callable[..., Visit], tmp_path: Path, simulated_page: StudyPage
) -> None:
    trials = simulated_page.trials
    done = [row for row, state in enumerate(trials.state) if state == "completed"]
    far = set(done[1:7:2])
    losses = tuple(1e8 if row in far else value for row, value in enumerate(trials.metrics["val_loss"]))
    changed = trials.model_copy(update={"metrics": {**trials.metrics, "val_loss": losses}})
    write_page(simulated_page.model_copy(update={"trials": changed}), tmp_path / "page.html")
    opened = visit((tmp_path / "page.html").as_uri())

    low, high = chart(opened, "progress")["y"]

    assert 0 < low < high < 1
    assert "3 beyond the upper edge are marked there by a triangle" in opened.page.inner_text("#progress .about")
