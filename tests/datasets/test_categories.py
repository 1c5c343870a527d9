import pytest

from pegbox.datasets.categories import category_problem

IDENTIFIERS = tuple(f"id-{i}" for i in range(60))


@pytest.mark.parametrize(
    ("vocabulary", "n_present"),
    [(("blue", "green"), 2), (IDENTIFIERS, 120), (IDENTIFIERS[:50], 50)],
    ids=["words", "many, each twice", "few rows"],
)
def test_texts_that_repeat_are_categories(vocabulary: tuple[str, ...], n_present: int) -> None:
    assert category_problem("a", vocabulary, n_present) is None


def test_texts_that_are_no_categories_are_refused() -> None:
    problem = category_problem("a", IDENTIFIERS, 119)

    assert problem is not None
    assert problem.message.startswith("the column 'a' has 60 distinct texts in 119 rows, such as 'id-0'")
