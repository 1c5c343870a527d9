"""Studies beside each other: the document, what is refused, and the page that shows it, live and in a file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from page_visit import Visit
from simulated_study import Simulation, write_simulation

from pegbox.cli.app import execute
from pegbox.page.analysis_blocks import analyse
from pegbox.page.comparison_block import MOST_BESIDE, compared_studies
from pegbox.page.comparison_document import StudiesCompared
from pegbox.report.answer_sentences import gain_in_words
from pegbox.report.compare import compare_in_store
from pegbox.schemas.errors import NotFoundError, PageError

TITLE = "main:not([hidden]) h1:has-text('3 studies beside each other')"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("beside") / "store"
    write_simulation(root, Simulation("first", n_trials=20))
    write_simulation(root, Simulation("second", n_trials=14, seed=3, search={"method": "random"}))
    write_simulation(
        root, Simulation("maximised", n_trials=6, objective={"metric": "val_accuracy", "goal": "maximize"})
    )
    return root


@pytest.fixture(scope="module")
def found(store: Path) -> StudiesCompared:
    return compared_studies(store, ["first", "second", "maximised"], analyse)


def test_the_difference_is_that_of_the_command_line(store: Path, found: StudiesCompared) -> None:
    said = compare_in_store(store, "first", "second")
    difference = found.studies[1].difference

    assert difference is not None
    assert (difference.sentence, difference.probability_first) == (said.sentence, said.probability_left)
    assert said.gain is not None
    assert difference.gain == gain_in_words(said.gain)


def test_another_objective_has_a_sentence_and_no_interval(found: StudiesCompared) -> None:
    difference = found.studies[2].difference

    assert difference is not None
    assert "no objective in common" in difference.sentence
    assert difference.low is None
    assert found.studies[0].difference is None


def test_settings_hold_what_the_study_files_say(found: StudiesCompared) -> None:
    methods = [one.settings["search.method"] for one in found.studies]

    assert methods == ["bayes", "random", "bayes"]
    assert "name" not in found.studies[0].settings


def test_what_cannot_stand_beside_each_other_is_refused(store: Path) -> None:
    with pytest.raises(NotFoundError, match="no study 'thrid'"):
        compared_studies(store, ["first", "thrid"], analyse)
    for names in (["first", "first"], [f"study-{place}" for place in range(MOST_BESIDE + 1)]):
        with pytest.raises(PageError, match="can be compared, got"):
            compared_studies(store, names, analyse)


@pytest.fixture(scope="module")
def beside_file(store: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("file") / "beside.html"
    others = [word for name in ("second", "maximised") for word in ("--compare", name)]
    assert execute(["report", "first", "--store", str(store), "--out", str(path), *others]) == 0
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_comparison_breaks_no_rule_of_accessibility(
    beside_file: str, visit: Callable[..., Visit], axe: str, scheme: str
) -> None:
    seen = visit(beside_file, bypass_csp=True, color_scheme=scheme)
    seen.page.wait_for_selector(TITLE)
    seen.look_at_everything()
    seen.page.add_script_tag(content=axe)

    assert seen.violations() == []


def test_a_file_opens_with_the_comparison_it_was_asked_for(
    beside_file: str, visit: Callable[..., Visit], found: StudiesCompared
) -> None:
    seen = visit(beside_file, offline=True)
    seen.page.wait_for_selector(TITLE)
    seen.look_at_everything()

    heads = seen.page.locator("#studies-settings thead th").all_inner_texts()
    entries = seen.page.locator("#studies-settings tbody td:first-child").all_inner_texts()
    difference = found.studies[1].difference
    assert difference is not None
    assert heads == ["entry", "first", "second", "maximised"]
    assert {"search.method", "budget.trials", "objective.goal"} <= set(entries)
    assert difference.sentence in seen.page.inner_text("#studies-difference")
    charts = ("answers", "progress", "importance")
    assert [name for name in charts if not seen.page.locator(f"#studies-{name} canvas").count()] == []

    seen.page.click("#trial .back")
    seen.page.wait_for_selector("#study h1")
    seen.page.evaluate("() => { location.hash = 'view=studies&with=elsewhere' }")
    seen.page.wait_for_selector("#trial .error:has-text('does not hold the study \"elsewhere\"')")
    assert seen.complaints == []


def test_the_live_list_leads_to_the_comparison_and_back(
    store: Path, visit: Callable[..., Visit], serve_live: Callable[..., str]
) -> None:
    live = visit(serve_live(store))
    for name in ("first", "maximised", "second"):
        live.page.check(f"input[aria-label='Compare {name}']")
    live.page.click("a:has-text('Compare')")
    live.page.wait_for_selector(TITLE)

    assert live.page.url.endswith("?study=first&view=studies&with=maximised&with=second")
    live.page.click("#trial .back")
    live.page.check("#studies input[aria-label='Compare with second']")
    live.page.click("#studies .bar button:has-text('Compare')")
    live.page.wait_for_selector("main:not([hidden]) h1:has-text('2 studies beside each other')")
    live.page.go_back()
    live.page.wait_for_selector("#study:not([hidden]) h1")
    assert live.complaints == []


def test_an_address_of_the_live_comparison_becomes_a_file(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "view.html"
    address = "http://localhost:8712/?study=first&view=studies&with=second"

    assert execute(["report", "--view", address, "--store", str(store), "--out", str(path)]) == 0

    assert 'data-view="view=studies&amp;with=second"' in path.read_text(encoding="utf-8")
