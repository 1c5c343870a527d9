"""What a study tells those who follow it elsewhere, from a real store."""

import pytest

from pegbox.report.artifact_texts import LEADERS, artifact_texts


@pytest.fixture(scope="module")
def bulletin(simulated_store):
    return artifact_texts(simulated_store, "higgs-mlp")


def test_the_table_holds_the_best_trials_best_first(bulletin):
    values = [row["val_loss"] for row in bulletin.leaderboard]

    assert values == sorted(values)
    assert len(values) == LEADERS
    assert {"trial", "val_loss", "lr"} <= set(bulletin.leaderboard[0])


def test_the_budget_is_a_share_and_words(bulletin):
    assert 0 < bulletin.percent <= 100
    assert "/" in bulletin.budget


def test_the_page_has_its_picture(bulletin):
    assert "](data:image/svg+xml;base64," in bulletin.page
