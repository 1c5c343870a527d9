"""The page in a real browser: it draws, filters, asks nobody else, and stays whole whatever a study is called."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from page_visit import Visit
from simulated_study import SPACE, Simulation, write_simulation

from pegbox.page.analysis_blocks import analyse
from pegbox.page.build import build_page
from pegbox.page.document import StudyPage
from pegbox.page.html_file import write_page
from pegbox.page.studies_block import study_rows
from pegbox.report.number_format import duration, metric, number
from pegbox.schemas.events import DecisionMade, RunStarted, SegmentStarted, SegmentTrained, TrialEvaluated, TrialFailed
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

CHARTS = ("sureness", "knobs", "interaction", "progress", "curves", "cost", "workers", "rungs")


def brush(visit: Visit, axis: str, low: float, high: float) -> None:
    """Drag along an axis of the parallel coordinates, from 0 at its foot to 1 at its head."""
    handle = visit.page.locator(f'.axis[data-name="{axis}"]')
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    middle, foot = box["x"] + box["width"] / 2, box["y"] + box["height"]
    visit.page.mouse.move(middle, foot - low * box["height"])
    visit.page.mouse.down()
    visit.page.mouse.move(middle, foot - high * box["height"], steps=4)
    visit.page.mouse.up()


def test_offline_page_draws_all_without_a_complaint_or_request(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file, offline=True)

    seen.look_at_everything()

    assert seen.complaints == []
    assert seen.requests == [page_file]
    assert [chart for chart in CHARTS if seen.page.locator(f"#{chart} canvas").count() == 0] == []


def test_answer_shows_the_winner_and_its_configuration(
    visit: Callable[..., Visit], page_file: str, simulated_page: StudyPage
) -> None:
    seen = visit(page_file)
    answer = simulated_page.answer

    assert answer is not None
    assert seen.page.inner_text("#answer .big") == answer.text.split()[0]
    assert seen.page.locator("#answer dd").all_inner_texts() == list(answer.configuration.values())


def test_yaml_is_copied_as_it_is(visit: Callable[..., Visit], page_file: str, simulated_page: StudyPage) -> None:
    seen = visit(page_file, permissions=["clipboard-read", "clipboard-write"])

    seen.page.click("#answer button:has-text('YAML')")
    seen.page.wait_for_selector("#answer button:has-text('Copied')")

    assert simulated_page.answer is not None
    assert seen.page.evaluate("navigator.clipboard.readText()") == simulated_page.answer.recipe.yaml


def test_each_chart_has_a_sentence_and_a_table(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file)
    labels = [seen.page.get_attribute(f"#{chart} .chart", "aria-label") for chart in CHARTS]

    for chart in CHARTS:
        seen.page.click(f"#{chart} button:has-text('Show as table')")

    assert [label for label in labels if not re.search(r"\. \w.+", label or "")] == []
    assert [chart for chart in CHARTS if seen.page.locator(f"#{chart} tbody tr").count() == 0] == []


def test_tables_hold_the_figures_of_the_history(
    visit: Callable[..., Visit], page_file: str, simulated_page: StudyPage
) -> None:
    seen = visit(page_file)

    seen.page.click("#progress button:has-text('Show as table')")
    values = seen.page.locator("#progress tbody tr td:nth-child(2)").all_inner_texts()

    assert values == [metric(value) for value in simulated_page.best.value]


def test_best_trial_leads_the_table_of_trials(
    visit: Callable[..., Visit], page_file: str, simulated_page: StudyPage
) -> None:
    seen = visit(page_file)

    first = seen.page.locator("#trials tbody tr:first-child td").all_inner_texts()

    assert first[1] == str(simulated_page.best.number[-1])
    assert first[3] == metric(simulated_page.best.value[-1])


def test_brushing_filters_every_view(visit: Callable[..., Visit], page_file: str, simulated_page: StudyPage) -> None:
    seen = visit(page_file)
    optimizers = simulated_page.trials.parameters["optimizer"]

    brush(seen, "optimizer", 0.02, 0.45)

    chosen = f"{optimizers.count(0.0)} of 120 trials selected"
    seen.page.wait_for_function("text => document.querySelector('.selection span').innerText === text", arg=chosen)
    seen.page.wait_for_function("() => document.querySelector('#trials .about').innerText.includes('selected')")
    assert set(seen.page.locator("#trials tbody tr td:nth-child(14)").all_inner_texts()) == {"adamw"}
    chosen_trials = {
        n for n, optimizer in zip(simulated_page.trials.number, optimizers, strict=True) if optimizer == 0.0
    }
    n_segments = sum(bar.trial in chosen_trials for bar in simulated_page.timeline.bars)
    seen.page.click("#workers button:has-text('Show as table')")
    assert sum(map(int, seen.page.locator("#workers tbody td:nth-child(2)").all_inner_texts())) == n_segments


def test_clearing_the_selection_brings_all_trials_back(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file)
    brush(seen, "optimizer", 0.02, 0.45)

    seen.page.click(".selection button")

    seen.page.wait_for_function("() => document.querySelectorAll('#trials tbody tr').length === 100")
    assert not seen.page.is_visible(".selection")


def test_an_axis_can_be_brushed_from_the_keyboard(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file)
    from playwright.sync_api import expect

    axis = seen.page.locator('.axis[data-name="dropout"]')

    axis.focus()
    seen.page.keyboard.press("ArrowUp")
    expect(axis).to_have_attribute("aria-valuetext", "0 to 0.168")
    seen.page.keyboard.press("Escape")

    expect(axis).to_have_attribute("aria-valuetext", "all")


def test_a_pointer_shows_what_a_mark_stands_for(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file)
    bars = seen.page.locator("#knobs .chart")
    bars.scroll_into_view_if_needed()
    seen.page.wait_for_selector("#knobs canvas")
    box = bars.bounding_box()

    for share in range(20, 60, 2):
        seen.page.mouse.move(box["x"] + box["width"] * share / 100, box["y"] + 34)
    seen.page.wait_for_selector(".tip-box .tip")

    assert "share" in seen.page.inner_text(".tip-box .tip")
    assert seen.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_scheme(visit: Callable[..., Visit], page_file: str, scheme: str) -> None:
    seen = visit(page_file, color_scheme=scheme)

    ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert ground == {"light": "rgb(247, 247, 245)", "dark": "rgb(19, 20, 23)"}[scheme]


def test_scheme_can_be_chosen_by_hand(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file, color_scheme="light")

    seen.page.click("button.theme")
    seen.page.click("button.theme")

    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 20, 23)"
    assert seen.complaints == []


@pytest.mark.parametrize("width", [360, 768, 1320])
def test_nothing_reaches_beyond_the_screen(visit: Callable[..., Visit], page_file: str, width: int) -> None:
    seen = visit(page_file, viewport={"width": width, "height": 800})

    seen.look_at_everything()

    assert seen.page.evaluate("document.documentElement.scrollWidth") == width


def test_numbers_are_rounded_as_everywhere_else(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file)
    values = [0.20314159, 284, 1.23e-3, 12840.6, 1e6, -3e-7, 0.000123456, 99999.5, 0.1 + 0.2]

    seen.page.click("#workers button:has-text('Show as table')")
    shown = seen.page.evaluate("values => values.map(pegbox.number)", values)

    assert shown == [number(value) for value in values]
    assert seen.page.evaluate("values => values.map(value => pegbox.duration(value))", [0.25, 48, 75, 900, 5040]) == [
        duration(value) for value in (0.25, 48, 75, 900, 5040)
    ]


def test_paper_shows_every_chart_in_light_colours(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file, color_scheme="dark")

    printed = seen.page.pdf(print_background=True)

    assert len(printed) > 200_000
    assert seen.complaints == []


def test_a_hostile_name_is_shown_as_it_is(visit: Callable[..., Visit], simulated_store: Path, tmp_path: Path) -> None:
    with HistoryFile(StoreLayout(simulated_store)) as file:
        hostile = next(row.study for row in study_rows(file) if "<" in row.study)
    write_page(build_page(simulated_store, hostile, 0.0, analyse), tmp_path / "page.html")

    seen = visit((tmp_path / "page.html").as_uri())
    seen.look_at_everything()

    assert seen.page.inner_text("h1") == hostile
    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.locator("img").count() == 0
    assert seen.complaints == []


def test_live_list_leads_to_every_study(
    visit: Callable[..., Visit], serve_live: Callable[..., str], simulated_store: Path
) -> None:
    seen = visit(serve_live(simulated_store))
    seen.page.wait_for_selector("tbody a")

    for link in seen.page.locator("tbody a").all_inner_texts():
        seen.page.goto(seen.requests[0])
        seen.page.locator("tbody a", has_text=link).click()
        seen.page.wait_for_selector("#answer")
        assert seen.page.inner_text("h1") == link

    assert seen.complaints == []


def test_sql_console_runs_refuses_and_draws(
    visit: Callable[..., Visit], serve_live: Callable[..., str], simulated_store: Path
) -> None:
    seen = visit(f"{serve_live(simulated_store)}/?study=higgs-mlp")
    area = seen.page.locator("#sql textarea")

    area.fill("SELECT state, count(*) AS n FROM trials WHERE study = 'higgs-mlp' GROUP BY ALL")
    area.press("Control+Enter")
    seen.page.wait_for_selector("#sql tbody tr")
    counts = seen.page.locator("#sql .result > .scroll tbody td:nth-child(2)").all_inner_texts()
    seen.page.locator("#sql .chart").scroll_into_view_if_needed()
    seen.page.wait_for_selector("#sql canvas")
    area.fill("DROP TABLE trials")
    area.press("Control+Enter")
    seen.page.wait_for_selector("#sql .error")

    assert sum(map(int, counts)) == 120
    assert "refused" in seen.page.inner_text("#sql .error")


def test_sql_console_shows_whole_numbers_in_full_and_marks_what_it_rounds(
    visit: Callable[..., Visit], serve_live: Callable[..., str], simulated_store: Path
) -> None:
    seen = visit(f"{serve_live(simulated_store)}/?study=higgs-mlp")
    seen.page.fill(
        "#sql textarea",
        "SELECT 1234567 AS a, 9007199254740993::BIGINT AS b, 12345678::DOUBLE AS c, 0.25::DOUBLE AS d, 1 / 3 AS e",
    )
    seen.page.click("#sql button:has-text('Run')")
    seen.page.wait_for_selector("#sql tbody tr")
    cells = seen.page.locator("#sql .result > .scroll tbody td")

    assert cells.all_inner_texts() == ["1234567", "9007199254740993", "12345678", "0.25", "≈\u20090.333333"]
    assert cells.last.get_attribute("title") == "0.3333333333333333"
    assert "rounded to 6 digits" in seen.page.inner_text("#sql [role=status]")


def test_a_sample_says_of_how_many_trials_are_selected(
    visit: Callable[..., Visit], tmp_path: Path, simulated_page: StudyPage
) -> None:
    trials = simulated_page.trials.model_copy(update={"n_total": 5000, "note": "A sample."})
    write_page(simulated_page.model_copy(update={"trials": trials}), tmp_path / "page.html")
    seen = visit((tmp_path / "page.html").as_uri())

    brush(seen, "optimizer", 0.02, 0.45)

    n = simulated_page.trials.parameters["optimizer"].count(0.0)
    chosen = f"{n} of the 120 drawn trials (5,000 in all)"
    seen.page.wait_for_function(
        "text => document.querySelector('.selection span').innerText.startsWith(text)", arg=chosen
    )
    seen.page.wait_for_function(
        "text => document.querySelector('#progress .about').innerText.includes(text)", arg=chosen
    )
    counts = re.findall(r"\d+", seen.page.inner_text("#progress .legend"))
    assert sum(map(int, counts)) == n


def test_sql_console_completes_names(
    visit: Callable[..., Visit], serve_live: Callable[..., str], simulated_store: Path
) -> None:
    seen = visit(f"{serve_live(simulated_store)}/?study=higgs-mlp")
    area = seen.page.locator("#sql textarea")
    with seen.page.expect_response("**/api/catalog"):
        area.focus()

    area.fill("")
    area.press_sequentially("FROM evalu")
    seen.page.wait_for_selector("#completions li")
    area.press("Tab")

    assert area.input_value() == "FROM evaluations"


def test_csv_is_downloaded(visit: Callable[..., Visit], serve_live: Callable[..., str], simulated_store: Path) -> None:
    seen = visit(f"{serve_live(simulated_store)}/?study=higgs-mlp")
    seen.page.fill("#sql textarea", "SELECT number FROM trials WHERE study = 'higgs-mlp' ORDER BY number")

    with seen.page.expect_download() as download:
        seen.page.click("#sql button:has-text('CSV')")

    lines = Path(download.value.path()).read_text().splitlines()
    assert lines == ["number", *map(str, range(120))]


def test_new_trials_appear_while_the_study_runs(
    visit: Callable[..., Visit], serve_live: Callable[..., str], tmp_path: Path
) -> None:
    kinds = (DecisionMade, SegmentStarted, SegmentTrained, TrialEvaluated, TrialFailed)
    simulation = Simulation("running", n_trials=12)
    events = [event for _, event in simulation.events() if isinstance(event, kinds)]
    with open_study(
        open_store(tmp_path), simulation.spec, RunStarted(study="running", run="r", host="h", pid=1)
    ) as study:
        study.record(*events[:10])
        time.sleep(2.5)
        seen = visit(f"{serve_live(tmp_path)}/?study=running")
        seen.page.wait_for_function("() => document.querySelector('.live')?.textContent === 'live'")
        seen.page.wait_for_timeout(1000)
        before = seen.page.inner_text("header .facts")
        study.record(*events[10:40])
        seen.page.wait_for_function(
            "text => document.querySelector('header .facts').innerText !== text", arg=before, timeout=10_000
        )
        expected = len(study.history.trials)
        seen.page.wait_for_function(
            "n => document.querySelector('header .facts').innerText.startsWith(`${n} trials`)",
            arg=expected,
            timeout=10_000,
        )

    assert seen.complaints == []


def test_a_running_query_can_be_cancelled(
    visit: Callable[..., Visit], serve_live: Callable[..., str], simulated_store: Path
) -> None:
    seen = visit(f"{serve_live(simulated_store)}/?study=higgs-mlp")
    seen.page.fill("#sql textarea", "SELECT count(*) FROM range(1000000000000) a WHERE hash(a.range) = 1")

    seen.page.click("#sql button:has-text('Run')")
    seen.page.wait_for_timeout(1500)
    seen.page.click("#sql button:has-text('Cancel')")
    seen.page.wait_for_selector("#sql .error")

    assert seen.page.inner_text("#sql .error") == "The query was cancelled."
    assert seen.page.is_enabled("#sql button:has-text('Run')")


@pytest.fixture(scope="module")
def many_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of two objectives, a limit, and a parameter with forty categories."""
    root = tmp_path_factory.mktemp("many")
    objectives = [{"metric": "val_loss"}, {"metric": "latency_ms"}]
    limits = [{"metric": "latency_ms", "max": 1.4}]
    space = SPACE | {"patience": [5, *range(100, 139)]}
    several = {"objective": None, "objectives": objectives, "constraints": limits, "space": space}
    write_simulation(root, Simulation("two", n_trials=140, **several))
    write_page(build_page(root, "two", 0.0, analyse), root / "page.html")
    return (root / "page.html").as_uri()


def test_several_objectives_have_a_front_and_its_growth(visit: Callable[..., Visit], many_file: str) -> None:
    seen = visit(many_file, offline=True)

    seen.look_at_everything()
    seen.page.click("#pareto button:has-text('Show as table')")

    assert seen.complaints == []
    assert [chart for chart in ("pareto", "volume") if "intervals" in seen.page.inner_text(f"#{chart} .about")] == [
        "pareto"
    ]
    assert seen.page.locator("#pareto tbody tr").count() > 0
    assert seen.page.locator("#volume canvas").count() > 0
    assert "latency_ms at most 1.4" in seen.page.inner_text("header .facts")


def test_effects_turn_to_the_training_time(visit: Callable[..., Visit], page_file: str) -> None:
    seen = visit(page_file)

    seen.page.click(".heading button:has-text('training time')")

    assert seen.page.inner_text("#effects") == "How each hyperparameter affects the training time"
    seen.page.click("section[aria-labelledby=effects] .card >> nth=0 >> text=Show as table")
    assert re.search(r"\d (s|min)", seen.page.inner_text("section[aria-labelledby=effects] tbody"))


def test_of_many_categories_the_best_are_drawn_and_all_are_in_the_table(
    visit: Callable[..., Visit], many_file: str
) -> None:
    seen = visit(many_file)
    seen.page.click("text=Show all")
    card = seen.page.locator("section[aria-labelledby=effects] .card", has_text="patience")

    card.scroll_into_view_if_needed()
    card.locator("text=Show as table").click()

    assert "The best 12 of 40 values are drawn" in card.locator(".about").inner_text()
    assert card.locator("tbody tr").count() == 40


def test_studies_with_one_objective_are_drawn_beside_each_other(
    visit: Callable[..., Visit], simulated_store: Path, tmp_path: Path
) -> None:
    write_page(build_page(simulated_store, "higgs-mlp", 0.0, analyse), tmp_path / "page.html")
    seen = visit((tmp_path / "page.html").as_uri())

    seen.look_at_everything()

    assert seen.page.locator("#comparison .legend > span").count() == 2
    assert seen.page.locator("#comparison canvas").count() == 1
    assert seen.complaints == []


def test_rungs_of_something_else_are_not_called_epochs(visit: Callable[..., Visit], tmp_path: Path) -> None:
    sizes = {"of": "image_size", "schedule": "asha", "min": 3, "max": 27, "factor": 3}
    write_simulation(tmp_path, Simulation("pictures", n_trials=12, fidelity=sizes))
    write_page(build_page(tmp_path, "pictures", 0.0, analyse), tmp_path / "page.html")

    seen = visit((tmp_path / "page.html").as_uri(), offline=True)
    seen.look_at_everything()

    assert "at each amount of image_size" in seen.page.inner_text("#curves .about")
    assert "image_size" in seen.page.inner_text("#trials thead")
    assert "epoch" not in seen.page.inner_text("#curves") + seen.page.inner_text("#trials thead")
    assert seen.complaints == []
