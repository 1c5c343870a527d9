"""The page keeps the rules of accessibility that axe-core checks: in both schemes, on every kind of page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_visit import Visit

VIEWS = ["", "trial=35", "compare=17&compare=35&view=compare", "q=lrr<1"]


@pytest.fixture(scope="module")
def seen(browser: Any, page_file: str, axe: str) -> Iterator[Visit]:
    # Without its content security policy, which would refuse the script of the checker as well.
    visit = Visit(browser, page_file, bypass_csp=True)
    visit.page.add_script_tag(content=axe)
    yield visit
    visit.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_breaks_no_rule(seen: Visit, view: str, scheme: str) -> None:
    seen.page.emulate_media(color_scheme=scheme)
    seen.page.evaluate("hash => { location.hash = hash }", view)
    opened = "#trial header" if "trial=" in view or "view=" in view else "#study header"
    seen.page.wait_for_selector(f"main:not([hidden]) {opened.removeprefix('#study ').removeprefix('#trial ')}")

    assert seen.violations() == []


def test_the_live_list_and_page_break_no_rule(
    visit: Callable[..., Visit], serve_live: Callable[..., str], simulated_store: Path, axe: str
) -> None:
    live = visit(serve_live(simulated_store), bypass_csp=True)
    live.page.wait_for_selector("tbody a")
    live.page.add_script_tag(content=axe)
    assert live.violations() == []

    live.page.goto(f"{serve_live(simulated_store)}/?study=higgs-mlp&trial=35")
    live.page.wait_for_selector("#trial-notes form")
    live.page.add_script_tag(content=axe)
    assert live.violations() == []


def test_the_checker_sees_a_rule_that_is_broken(seen: Visit) -> None:
    seen.page.evaluate(
        "() => document.querySelector('main:not([hidden])').insertAdjacentHTML('beforeend', '<img id=odd>')"
    )
    found = seen.violations()
    seen.page.evaluate("() => document.getElementById('odd').remove()")

    assert [one.partition(":")[0] for one in found] == ["image-alt"]
