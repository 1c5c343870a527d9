"""The page of an answer reads as it was meant, whatever a study is called."""

import re

import pytest
from markdown_it import MarkdownIt

from pegbox.report.answer import answer_of
from pegbox.report.incumbent import BrokenConstraint
from pegbox.report.markdown import answer_page, code, table, text
from pegbox.report.next_steps import next_steps
from pegbox.report.progress import Tally
from pegbox.report.status import RunState, status_of
from pegbox.schemas.selection import Finalist, FrontPoint, Interval, Selection
from pegbox.schemas.study import StudySpec

HOSTILE = "<img src=x onerror=alert(1)> | [a](javascript:b) `c` **d** \x1b https://e.f ![g](h)"


def rendered(markdown: str) -> str:
    """As HTML, by a reader that lets HTML through."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    reader.validateLink = lambda url: True
    return reader.render(markdown)


def page_of(selection: Selection | None = None, name: str = "s", **tally: object) -> str:
    spec = StudySpec.model_validate(
        {
            "name": name,
            "train": {"kind": "function", "function": "a:b"},
            "space": {"x": [1, 2, 3]},
            "objective": {"metric": "val_loss"},
            "budget": {"trials": 3},
        }
    )
    status = status_of(spec, Tally.model_validate(tally), RunState(status="completed"))
    return answer_page(answer_of(spec, status, selection, "study_s", next_steps(status, ())), "<svg/>")


FINALIST = Finalist(
    trial=2,
    configuration={HOSTILE: HOSTILE},
    search_value=0.4,
    values=(0.5, 0.6),
    mean=0.55,
    interval=Interval(low=0.45, high=0.65),
    probability_best=0.9,
)
SELECTION = Selection(
    study="s",
    metric="val_loss",
    goal="minimize",
    winner=2,
    configuration=FINALIST.configuration,
    finalists=(FINALIST,),
    reason=HOSTILE,
    test_metrics={HOSTILE: 0.6},
    checkpoint="a|b.pt",
)


@pytest.mark.parametrize("made", [text(HOSTILE), f"# {text(HOSTILE)}", table(("a",), [(code(HOSTILE),)])])
def test_a_hostile_text_neither_formats_nor_links_nor_runs(made):
    html = rendered(made)

    assert set(re.findall(r"<(\w+)", html)) <= {"p", "h1", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


@pytest.mark.parametrize("raw", ["plain", "a`b", "``", "`", " ", "a|b", "", "ends with `"])
def test_code_shows_every_character(raw):
    html = rendered(table(("a",), [(code(raw),)]))

    shown = re.search(r"<td>(?:<code>)?(.*?)(?:</code>)?</td>", html)
    assert shown is not None
    assert shown[1].strip() == raw.strip()


def test_the_page_of_a_winner_holds_the_whole_answer():
    html = rendered(page_of(SELECTION, counts={"completed": 3}, search_end="All 3 trials have been tried."))

    for words in ("0.55 ± 0.10", "90 %", "a|b.pt", "It ended: All 3 trials have been tried.", "pegbox sql"):
        assert words in html
    assert 'src="data:image/svg+xml;base64,' in html
    assert html.count("<img") == 1


def test_the_page_of_a_study_with_a_hostile_name_has_one_image():
    assert rendered(page_of(name=HOSTILE)).count("<img") == 1


def test_a_page_without_a_value_says_why():
    html = rendered(page_of(counts={"failed": 2}, failures={"error": 2}))

    assert "all 2 trials failed (2 error)" in html
    assert "What to run" not in html
    assert "pegbox retry s" in html


def test_a_front_is_a_table_of_all_objectives():
    points = (FrontPoint(trial=2, estimates={"val_loss": 0.5, "speed": 3.0}, probability=0.75),)

    html = rendered(page_of(SELECTION.model_copy(update={"front": points})))

    assert "<th>speed</th>" in html
    assert "75 %" in html


def test_a_constraint_that_is_broken_is_told():
    broken = BrokenConstraint(metric="size", limit="at most 9", n_broken=2)

    assert "2 completed break size at most 9" in rendered(page_of(counts={"completed": 3}, broken=[broken]))
