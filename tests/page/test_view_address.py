"""A view that is fixed into a file is checked against the page, and takes no token along."""

import pytest

from pegbox.page.document import StudyPage
from pegbox.page.view_address import study_in, view_of
from pegbox.schemas.errors import PageError


@pytest.mark.parametrize(
    ("address", "view"),
    [
        ("http://localhost:8712/?study=higgs-mlp&token=s3cret&q=state:failed", "q=state%3Afailed"),
        ("file:///tmp/page.html#trial=35", "trial=35"),
        ("?brush=lr:0:0.5&brush=units:0.2:1", "brush=lr%3A0%3A0.5&brush=units%3A0.2%3A1"),
    ],
)
def test_an_address_becomes_a_view(simulated_page: StudyPage, address: str, view: str) -> None:
    assert view_of(address, simulated_page) == view


def test_the_study_may_come_from_the_address() -> None:
    assert study_in("http://localhost:8712/?study=a%20b&q=x") == "a b"
    assert study_in("#trial=3") is None


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://localhost:8712/", "wants an address with a view"),
        ("?study=other&q=x", "names the study 'other'"),
        ("?colour=red", "no page understands"),
        ("?trial=999", "does not have"),
        ("?trial=three", "does not have"),
        ("?brush=width:0:1", "no axis of the page"),
        ("?view=gallery", "knows 'compare' and 'studies'"),
        ("?view=studies", "compares studies and names none"),
    ],
)
def test_what_the_page_cannot_show_is_refused(simulated_page: StudyPage, address: str, said: str) -> None:
    with pytest.raises(PageError, match=said):
        view_of(address, simulated_page)
