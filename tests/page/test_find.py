"""Trials are found by words and conditions, in a table of all of them; what is looked at stands in the address."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from page_visit import Visit

from pegbox.page.document import StudyPage
from pegbox.page.html_file import write_page
from pegbox.page.trials_block import draw_trials
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.layout import StoreLayout

ROWS = "#trials tbody tr"


@pytest.fixture(scope="module")
def seen(browser: Any, page_file: str) -> Iterator[Visit]:
    """One open file for all tests of this module; each goes where it wants to."""
    visit = Visit(browser, page_file)
    yield visit
    visit.context.close()


def look(seen: Visit, address: str, n_selected: int) -> None:
    """Go to an address within the page, and wait until so many trials are in the table."""
    seen.page.evaluate("hash => { location.hash = hash }", address)
    seen.page.wait_for_function(
        "n => [n, Math.min(n, 100)].includes(document.querySelectorAll('#trials tbody tr').length)", arg=n_selected
    )


def column(seen: Visit, name: str) -> list[str]:
    heads = seen.page.locator("#trials thead th").all_inner_texts()
    return seen.page.locator(f"{ROWS} td:nth-child({heads.index(name) + 1})").all_inner_texts()


def expected(page: StudyPage, test: Callable[[int], bool]) -> list[str]:
    return [str(number) for row, number in enumerate(page.trials.number) if test(row)]


def test_conditions_and_words_select_together(seen: Visit, simulated_page: StudyPage) -> None:
    trials = simulated_page.trials
    lr, optimizer = trials.parameters["lr"], trials.parameters["optimizer"]
    wanted = expected(simulated_page, lambda row: (lr[row] or 0) <= 1e-3 and optimizer[row] == 0)

    look(seen, "q=lr<=1e-3 optimizer=adamw", len(wanted))

    assert sorted(column(seen, "trial")) == sorted(wanted)[:100]
    assert f"{len(wanted)} of 120 trials selected" in seen.page.inner_text(".selection")


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("state:failed", lambda trials, row: trials.state[row] == "failed"),
        ("state!=failed trial<50", lambda trials, row: trials.state[row] != "failed" and trials.number[row] < 50),
        ("kind:out_of", lambda trials, row: trials.failure[row] == "out_of_memory"),
        ('message:"does not fit"', lambda trials, row: trials.failure[row] == "out_of_memory"),
        ("silu", lambda trials, row: trials.parameters["activation"][row] == 2),
        ("17", lambda trials, row: trials.number[row] == 17),
        ("momentum>0", lambda trials, row: (trials.parameters["momentum"][row] or 0) > 0),
        (
            "val_loss>=0.3 state:stopped",
            lambda trials, row: trials.state[row] == "stopped" and trials.metrics["val_loss"][row] >= 0.3,
        ),
    ],
)
def test_each_kind_of_condition_finds_its_trials(
    seen: Visit, simulated_page: StudyPage, query: str, holds: Callable[[Any, int], bool]
) -> None:
    wanted = expected(simulated_page, lambda row: holds(simulated_page.trials, row))
    assert 0 < len(wanted) <= 100

    look(seen, f"q={query}", len(wanted))

    assert sorted(column(seen, "trial")) == sorted(wanted)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("lrr<1", 'Nothing is called "lrr". Did you mean "lr"'),
        ("lr<small", "lr is a number"),
        ("optimizer=adam", 'never "adam". Did you mean "adamw"'),
        ("optimizer<adamw", "has no order"),
    ],
)
def test_what_is_not_understood_is_said_and_selects_nothing(seen: Visit, query: str, said: str) -> None:
    look(seen, f"q={query}", 0)

    assert said in seen.page.inner_text("#trials .error")


def test_the_field_and_the_choices_write_the_address(seen: Visit, simulated_page: StudyPage) -> None:
    look(seen, "", 120)

    seen.page.fill("#trials .find", "silu")
    seen.page.wait_for_function("() => location.hash.includes('silu')")
    seen.page.select_option("#trials select[aria-label='state']", "failed")
    seen.page.wait_for_function("() => location.hash.includes('state')")

    wanted = simulated_page.trials
    both = expected(
        simulated_page, lambda row: wanted.state[row] == "failed" and wanted.parameters["activation"][row] == 2
    )
    assert sorted(column(seen, "trial")) == sorted(both)


def test_rows_come_in_pages_and_in_the_wanted_order(seen: Visit, simulated_page: StudyPage) -> None:
    look(seen, "", 120)

    seen.page.click("#trials thead button:has-text('units')")
    assert seen.page.inner_text("#trials .pager [role=status]") == "Rows 1 to 100 of 120"
    seen.page.click("#trials .pager button:has-text('Later')")

    units = sorted(int(value or 0) for value in simulated_page.trials.parameters["units"])
    assert column(seen, "units") == [str(value) for value in units[100:]]
    assert "sort=units" in seen.page.url


def test_only_parameters_that_differ_among_the_selected_stand_there(seen: Visit, simulated_page: StudyPage) -> None:
    adamw = simulated_page.trials.parameters["optimizer"].count(0.0)

    look(seen, "q=optimizer=adamw&differ=1&hide=epochs", adamw)

    heads = seen.page.locator("#trials thead th").all_inner_texts()
    assert {"lr", "units"} <= set(heads)
    assert not {"optimizer", "momentum", "epochs"} & set(heads)


def test_chosen_charts_stand_in_the_address_and_come_back(seen: Visit) -> None:
    look(seen, "", 120)
    pressed = "#progress button[aria-pressed=true]"

    seen.page.click("#progress button:has-text('cost')")
    assert "across=spent" in seen.page.url
    look(seen, "at=9", 120)

    assert seen.page.locator(pressed).all_inner_texts() == ["trial", "at 9", "linear"]


def test_a_brush_stands_in_the_address(seen: Visit, simulated_page: StudyPage) -> None:
    look(seen, "brush=optimizer:0:0.5", simulated_page.trials.parameters["optimizer"].count(0.0))

    assert set(column(seen, "optimizer")) == {"adamw"}
    assert seen.complaints == []


def test_a_file_opens_with_its_view(visit: Callable[..., Visit], tmp_path: Path, simulated_page: StudyPage) -> None:
    write_page(simulated_page, tmp_path / "page.html", "q=state%3Afailed&sort=-units")
    opened = visit((tmp_path / "page.html").as_uri())

    n_failed = simulated_page.trials.state.count("failed")
    assert opened.page.locator(ROWS).count() == n_failed
    assert opened.page.inner_text(".selection span") == f"{n_failed} of 120 trials selected"


def test_filters_know_the_trials_that_are_not_drawn(
    visit: Callable[..., Visit], tmp_path: Path, simulated_page: StudyPage, simulated_store: Path
) -> None:
    from pegbox.storage.queries.studies import declared

    with HistoryFile(StoreLayout(simulated_store)) as file:
        few = draw_trials(file, declared(file, "higgs-mlp").spec, most=70)
    assert {"completed", "failed", "stopped"} == set(few.state)
    write_page(
        simulated_page.model_copy(update={"trials": few, "everything": simulated_page.trials}), tmp_path / "page.html"
    )
    opened = visit((tmp_path / "page.html").as_uri() + "#q=val_loss<0.21")

    wanted = [
        v
        for v, s in zip(simulated_page.trials.metrics["val_loss"], simulated_page.trials.state, strict=True)
        if v and v < 0.21
    ]
    assert opened.page.inner_text(".selection span") == f"{len(wanted)} of 120 trials selected"
    assert opened.page.locator(ROWS).count() == len(wanted)
