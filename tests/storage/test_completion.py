import subprocess
import sys

import pytest

import pegbox
from pegbox.storage.completion import Word, completion_words
from pegbox.storage.layout import StoreLayout


def test_names_of_all_kinds_are_offered(recorded: StoreLayout) -> None:
    words = {(word.name, word.kind): word for word in completion_words(recorded)}
    assert words["trials", "table"].comment.startswith("One row a trial")
    assert words["marginal", "macro"].parameters == "study, parameter, bins, scale"
    assert "Example: FROM marginal(" in words["marginal", "macro"].comment
    assert words["lr", "column"] == Word("lr", "column", "", "")
    assert ("study_digits", "view") in words


def test_names_that_need_quotes_come_with_them(recorded: StoreLayout) -> None:
    assert '"study_other/study ""x"""' in {word.name for word in completion_words(recorded) if word.kind == "view"}


def test_a_history_opens_from_the_package_itself(recorded: StoreLayout) -> None:
    with pegbox.open(recorded.root) as history:
        assert history.sql("SELECT count(*) FROM trials").fetchall() == [(23,)]


def test_the_package_alone_loads_nothing_heavy() -> None:
    program = "import sys, pegbox; print({'duckdb', 'pydantic'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    )


def test_the_package_has_no_other_surprises() -> None:
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        pegbox.opne  # noqa: B018
