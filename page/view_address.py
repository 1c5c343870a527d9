"""A view that was fixed into a file: the part of an address that says what is looked at, checked against the page."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from pegbox.page.document import StudyPage
from pegbox.schemas.errors import PageError

KNOWN = {
    "trial": "the trial whose page is open",
    "q": "what the search field asks",
    "brush": "a stretch of an axis, as name:low:high",
    "compare": "a trial that is chosen to be compared",
    "with": "a study that is compared with it",
    "view": "compare, for the page that compares the chosen trials; studies, for that of the studies",
    "scale": "log, for logarithmic axes of values",
    "sort": "the column by which the table is sorted",
    "hide": "a column that is hidden",
    "show": "a column that is shown besides",
    "differ": "only parameters that differ",
    "across": "what progress is drawn over",
    "at": "the rung at which progress compares",
    "effect": "the quantity whose effects are drawn",
    "cost": "what stands across cost against quality",
    "pareto": "what stands across the front",
    "pair": "the pair of the heat map",
}
"""What an address may say of a view, as frontend/src/address.js reads it."""

_VIEWS = ("compare", "studies")
_ELSEWHERE = {"study", "token"}
"""Says which page is asked for, and by whom: the file is that page, and a token must not leave with it."""


def study_in(address: str) -> str | None:
    """The study that an address names; None where it names none."""
    return dict(_pairs(address)).get("study")


def studies_beside(address: str) -> list[str]:
    """The studies that an address compares its own with."""
    return [value for name, value in _pairs(address) if name == "with"]


def view_beside(others: Sequence[str]) -> str:
    """The view that compares a study with others."""
    return urlencode([("view", "studies"), *(("with", other) for other in others)])


def view_of(address: str, page: StudyPage) -> str:
    """What an address says of the view, ready to stand behind the # of a file.

    Args:
        address: As it stands in the browser: with a query, or with what follows a #.
        page: The study's page, which must hold what is asked for.

    Raises:
        PageError: It says something that is not known, or that the page does not hold.
    """
    pairs = _pairs(address)
    named = dict(pairs).get("study")
    if named not in {None, page.head.study}:
        raise PageError(
            f"--view names the study {named!r}, and the report is of {page.head.study!r}. Name the same in both places."
        )
    kept = [(name, value) for name, value in pairs if name not in _ELSEWHERE]
    for name, value in kept:
        _check(name, value, page)
    return urlencode(kept)


def _pairs(address: str) -> list[tuple[str, str]]:
    split = urlsplit(address)
    text = split.fragment or split.query
    if not text:
        raise PageError(f"--view wants an address with a view in it, such as '?q=state:failed', got {address!r}.")
    return parse_qsl(text, keep_blank_values=True)


def _check(name: str, value: str, page: StudyPage) -> None:
    if name not in KNOWN:
        known = ", ".join(f"{one} ({words})" for one, words in KNOWN.items())
        raise PageError(f"--view says {name}={value!r}, which no page understands. Known: {known}.")
    if name in {"trial", "compare"} and value not in {
        str(number) for number in (page.everything or page.trials).number
    }:
        raise PageError(f"--view asks for trial {value!r}, which {page.head.study!r} does not have.")
    if name == "view" and value not in _VIEWS:
        raise PageError(f"--view asks for the page {value!r}; an address knows {' and '.join(map(repr, _VIEWS))}.")
    if (name, value) == ("view", "studies") and page.compared is None:
        raise PageError("--view compares studies and names none. Name them in it as with=NAME, or with --compare.")
    axes = {*(one.name for one in page.parameters), *(goal.metric for goal in page.head.goals)}
    if name == "brush" and value.rsplit(":", 2)[0] not in axes:
        raise PageError(f"--view brushes {value!r}, which is no axis of the page. Its axes: {', '.join(sorted(axes))}.")
