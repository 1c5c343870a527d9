"""Tab offers what may stand at the cursor."""

import pytest

from pegbox.cli.sql_words import Completer
from pegbox.storage.completion import Word

WORDS = [
    Word("trials", "table", "", ""),
    Word('"study_first-study"', "view", "", ""),
    Word("marginal", "macro", "study, parameter", ""),
    Word("lr", "column", "", ""),
    Word("trial", "column", "", ""),
]


@pytest.mark.parametrize(
    ("text", "before", "offered"),
    [
        ("tri", "FROM ", ["trial", "trials"]),
        ("TRIALS", "FROM ", ["trials"]),
        ("marg", "FROM ", ["marginal("]),
        ("study_f", "FROM ", ['"study_first-study"']),
        ('"study_first-s', "FROM ", ['"study_first-study"']),
        ("sel", "", ["SELECT"]),
        ("dig", "FROM marginal('", ["digits'"]),
        ("l", "FROM marginal('digits', '", ["lr'"]),
        ("dig", "FROM marginal('digits', ", []),
        ("zzz", "FROM ", []),
    ],
)
def test_a_begun_word_gets_what_fits_its_place(text, before, offered):
    assert Completer(WORDS, ["digits"]).matches(text, before) == offered


def test_nothing_begun_offers_names_and_no_keywords():
    assert len(Completer(WORDS, []).matches("", "FROM ")) == len(WORDS)
