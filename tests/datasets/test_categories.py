import pytest

from pegbox.datasets.categories import check_categories
from pegbox.schemas.errors import DataError

NUMBERS = tuple(map(str, range(20)))
IDENTIFIERS = tuple(f"id-{i}" for i in range(60))


@pytest.mark.parametrize(
    ("vocabulary", "n_present"),
    [
        (("blue", "green"), 2),
        (NUMBERS, 100),
        (("XS", "S", "M", "32", "34"), 10),
        (IDENTIFIERS, 120),
        (IDENTIFIERS[:50], 50),
        (("1,5", "high"), 2),
    ],
    ids=["words", "codes", "words and numbers", "many, each twice", "few rows", "a comma among words"],
)
def test_texts_that_repeat_are_categories(vocabulary: tuple[str, ...], n_present: int) -> None:
    check_categories("a", vocabulary, n_present)


@pytest.mark.parametrize(
    ("vocabulary", "n_present", "message"),
    [
        ((*NUMBERS, "unknown"), 100, "'a' must hold numbers only, got 'unknown' among 20 distinct numbers"),
        (IDENTIFIERS, 119, "'a' has 60 distinct texts in 119 rows, such as 'id-0': these are no categories"),
        (("-1,5", "2,25"), 2, "'a' must write numbers with a decimal point, got '-1,5'"),
    ],
)
def test_texts_that_are_no_categories_are_refused(vocabulary: tuple[str, ...], n_present: int, message: str) -> None:
    with pytest.raises(DataError, match=f"^data.source: the column {message}"):
        check_categories("a", vocabulary, n_present)
