"""A trial's page in a real browser: reached by number, by row and by point, left by Back, the same in file and live."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_visit import Visit
from simulated_study import Simulation, write_simulation

from pegbox.page.document import StudyPage
from pegbox.page.trial_document import TrialLife
from pegbox.report.number_format import metric

TITLE = "main:not([hidden]) h1"


@pytest.fixture(scope="module")
def seen(browser: Any, page_file: str) -> Iterator[Visit]:
    """One open file for all tests of this module; each goes where it wants to."""
    visit = Visit(browser, page_file)
    yield visit
    visit.context.close()


def go(seen: Visit, address: str) -> None:
    """Follow an address within the page that is open, as a link would."""
    seen.page.evaluate("hash => { location.hash = hash }", address)


@pytest.fixture(scope="module")
def failed(simulated_page: StudyPage) -> TrialLife:
    return next(one for one in simulated_page.lives if one.state == "failed")


def test_a_number_in_the_address_opens_its_trial(seen: Visit, failed: TrialLife) -> None:
    go(seen, f"trial={failed.number}")
    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial {failed.number}')")

    assert "CUDA out of memory" in seen.page.inner_text("#trial-attempts pre")
    assert seen.page.title().startswith(f"Trial {failed.number} · higgs-mlp")
    assert not seen.page.is_visible("#study")
    assert seen.complaints == []


def test_configuration_marks_what_differs_from_the_answer(
    seen: Visit, failed: TrialLife, simulated_page: StudyPage
) -> None:
    go(seen, f"trial={failed.number}")
    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial {failed.number}')")
    answer = simulated_page.answer
    assert answer is not None
    theirs = simulated_page.lives[answer.trial].exact
    differing = [name for name in {**failed.exact, **theirs} if failed.exact.get(name) != theirs.get(name)]

    seen.page.check("#trial-configuration input")

    shown = seen.page.locator("#trial-configuration tbody tr td:first-child").all_inner_texts()
    assert sorted(name.split()[0] for name in shown) == sorted(differing)


def test_next_and_previous_go_by_number_and_back_returns(seen: Visit) -> None:
    go(seen, "")
    go(seen, "trial=4")
    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial 4')")

    seen.page.click("#trial nav button:has-text('Next')")
    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial 5')")
    seen.page.click("#trial nav button:has-text('Previous')")
    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial 4')")
    seen.page.go_back()
    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial 5')")
    seen.page.click("#trial .back")

    seen.page.wait_for_selector(f"{TITLE}:has-text('higgs-mlp')")
    assert "trial" not in seen.page.url.partition("#")[2]


def test_a_row_of_a_table_leads_to_its_trial(seen: Visit, simulated_page: StudyPage) -> None:
    go(seen, "")

    seen.page.click("#trials tbody tr:first-child a")

    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial {simulated_page.best.number[-1]}')")


def test_a_mark_of_a_chart_leads_to_its_trial(seen: Visit) -> None:
    go(seen, "")
    chart = seen.page.locator("#workers .chart")
    chart.scroll_into_view_if_needed()
    seen.page.wait_for_selector("#workers canvas")
    box = chart.bounding_box()
    assert box is not None

    # Bars and the gaps between them are narrow: the first place that is a bar counts.
    for share in range(20, 80, 3):
        seen.page.mouse.click(box["x"] + box["width"] * share / 100, box["y"] + box["height"] * 0.4)
        if seen.page.is_visible("#trial"):
            break

    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial ')")
    assert "trial=" in seen.page.url


def test_a_number_is_typed_to_go_there(seen: Visit) -> None:
    go(seen, "")

    seen.page.fill("header .go input", "17")
    seen.page.press("header .go input", "Enter")

    seen.page.wait_for_selector(f"{TITLE}:has-text('Trial 17')")


@pytest.mark.parametrize(("asked", "said"), [("999", "does not hold trial 999"), ("x", "named by its number")])
def test_what_is_no_trial_of_the_file_is_said(seen: Visit, asked: str, said: str) -> None:
    go(seen, f"trial={asked}")

    seen.page.wait_for_selector(f"#trial .error:has-text('{said}')")


def test_curves_stand_beside_the_band_of_all(seen: Visit, simulated_page: StudyPage) -> None:
    number = simulated_page.best.number[-1]
    go(seen, f"trial={number}")
    seen.page.wait_for_selector("#trial-curves canvas")

    seen.page.click("#trial-curves button:has-text('Show as table')")
    values = seen.page.locator("#trial-curves tbody tr td:nth-child(3)").all_inner_texts()

    loss = next(one for one in simulated_page.lives[number].curves if one.metric == "val_loss")
    assert values == [metric(value) for value in loss.values]
    assert "middle eight of ten" in seen.page.inner_text("#trial-curves .about")
    assert seen.complaints == []


@pytest.mark.parametrize("width", [360, 1280])
def test_a_trials_page_stays_within_the_screen(seen: Visit, failed: TrialLife, width: int) -> None:
    seen.page.set_viewport_size({"width": width, "height": 900})
    go(seen, f"trial={failed.number}")
    seen.page.wait_for_selector("#trial-attempts pre")

    assert seen.page.evaluate("document.documentElement.scrollWidth") == width


def test_live_page_asks_for_a_trial_and_says_what_there_is_not(
    visit: Callable[..., Visit], serve_live: Callable[..., str], simulated_store: Path, failed: TrialLife
) -> None:
    address = f"{serve_live(simulated_store)}/?study=higgs-mlp"
    live = visit(f"{address}&trial={failed.number}")
    live.page.wait_for_selector(f"{TITLE}:has-text('Trial {failed.number}')")

    assert "CUDA out of memory" in live.page.inner_text("#trial-attempts pre")
    live.page.click("#trial .back")
    live.page.wait_for_selector("#study h1")
    assert live.page.url == address

    live.page.goto(f"{address}&trial=999")
    live.page.wait_for_selector("#trial .error:has-text('numbered 0 to 119')")


def test_a_note_on_the_live_page_stands_there_at_once(
    visit: Callable[..., Visit], serve_live: Callable[..., str], tmp_path: Path
) -> None:
    write_simulation(tmp_path, Simulation("digits", n_trials=4))
    live = visit(f"{serve_live(tmp_path)}/?study=digits&trial=2")
    live.page.wait_for_selector("#trial-notes form")

    live.page.fill("#trial-notes input[aria-label='Note']", "<b>late</b>")
    live.page.fill("#trial-notes input[aria-label^='Tags']", "check, odd one")
    live.page.click("#trial-notes button:has-text('Note')")
    live.page.wait_for_selector("#trial-notes li:has-text('<b>late</b>')")
    live.page.click("#trial .back")
    live.page.fill("#trials .find", 'tag:"odd one"')

    live.page.wait_for_function("() => document.querySelectorAll('#trials tbody tr').length === 1")
    assert "check, odd one" in live.page.inner_text("#trials tbody tr")
    assert live.complaints == []
