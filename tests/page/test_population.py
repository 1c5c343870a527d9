"""The page of population based training: whose weights were copied to whom, as data and in a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from driven_study import drive
from page_visit import Visit
from tests.search.population.simulated_population import by_rate, population_study

from pegbox.page.analysis_blocks import analyse
from pegbox.page.build import build_page
from pegbox.page.document import StudyPage
from pegbox.page.html_file import write_page
from pegbox.schemas.history import History
from pegbox.storage.history_file import open_history

BARS = """() => {
    const { chart } = document.querySelector('#population .chart').card
    const place = ([begin, end, member]) => chart.convertToPixel({ gridIndex: 0 }, [(begin + end) / 2, member])
    const [bars, arcs] = chart.getOption().series.map((one) => one.data)
    return { bars, places: bars.map(place), n_arcs: arcs.length }
}"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("population")
    drive(root, population_study(finalists={"top": 1, "seeds": 1}), by_rate)
    return root


@pytest.fixture(scope="module")
def page(store: Path) -> StudyPage:
    return build_page(store, "population", made_at=0.0, analyse=analyse, is_file=True)


@pytest.fixture(scope="module")
def history(store: Path) -> History:
    with open_history(store) as file:
        return file.history("population")


def test_page_tells_of_each_trial_whose_weights_it_began_with(page: StudyPage, history: History) -> None:
    told = {one.trial: one for one in page.population}
    assert sorted(told) == [trial.number for trial in history.trials]
    assert any(one.parent is not None for one in page.population)
    for trial in history.trials:
        one = told[trial.number]
        assert (one.parent, one.begin, one.value) == (trial.parent, trial.inherited, trial.value("val_loss"))
        assert one.end == max(trial.budget, trial.inherited)
        before = trial.earlier[-1].configuration if trial.earlier else trial.configuration
        assert {entry.name for entry in one.changed} == {
            name for name in before if before[name] != trial.configuration[name]
        }


def test_other_studies_tell_of_no_population(simulated_page: StudyPage) -> None:
    assert simulated_page.population == ()


def test_a_population_without_a_copy_has_no_tree(tmp_path: Path) -> None:
    drive(tmp_path, population_study(), by_rate, most_decisions=3)
    assert build_page(tmp_path, "population", made_at=0.0, analyse=analyse, is_file=True).population == ()


def test_tree_is_drawn_told_and_leads_to_its_trials(
    page: StudyPage, visit: Callable[..., Visit], tmp_path: Path, axe: str
) -> None:
    write_page(page, tmp_path / "page.html")
    seen = visit((tmp_path / "page.html").as_uri(), bypass_csp=True)  # for the script of axe-core
    seen.page.locator("#population .chart").scroll_into_view_if_needed()
    seen.page.wait_for_selector("#population canvas")

    drawn = seen.page.evaluate(BARS)
    copies = [one for one in page.population if one.parent is not None]
    assert drawn["bars"] == [[one.begin, one.end, one.member] for one in page.population]
    assert drawn["n_arcs"] == len(copies)

    place = next(n for n, one in enumerate(page.population) if one.parent is not None and one.end > one.begin)
    copy = page.population[place]
    x, y = drawn["places"][place]
    seen.page.hover("#population .chart", position={"x": x, "y": y})
    tip = seen.page.locator(".tip").filter(has_text=f"Trial {copy.trial},")
    told = tip.inner_text()
    assert f"trial {copy.parent}" in told
    assert f"{copy.begin} to {copy.end}" in told
    assert all(entry.name in told for entry in copy.changed)

    seen.page.click("#population button:has-text('Show as table')")
    assert seen.page.locator("#population tbody tr").count() == len(page.population)
    seen.page.add_script_tag(content=axe)
    assert seen.violations() == []
    seen.page.click("#population button:has-text('Show as chart')")
    seen.page.click("#population .chart", position={"x": x, "y": y})
    assert f"trial={copy.trial}" in seen.page.url
    assert seen.complaints == []


def test_other_studies_show_no_tree(visit: Callable[..., Visit], page_file: str) -> None:
    assert visit(page_file).page.locator("#population").is_hidden()
