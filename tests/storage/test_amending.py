from typing import Any

import pytest

from pegbox.schemas.errors import NotFoundError, StoreBusyError
from pegbox.schemas.events import StudyOpened, TrialRetried
from pegbox.schemas.trial import TrialState
from pegbox.storage.amending import amend_study
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout

ADAM = {"lr": 0.1, "layers": 1, "optimizer": "adamw"}


def test_retried_trial_is_proposed_again_in_memory_and_in_the_tables(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    recorder.fail(ADAM)
    recorder.log.close()

    after = amend_study(store, "digits", lambda history: [TrialRetried(study="digits", trial=0, attempt=2)])

    assert after.trials[0].state is TrialState.PROPOSED
    assert after.trials[0].attempt == 2
    assert after.trials[0].failure is None
    with open_history(store.root) as file:
        rows = file.sql("SELECT state, failure_kind, ended_at FROM trials").fetchall()
        assert rows == [("proposed", None, None)]
        assert file.history("digits") == after
        assert file.sql("FROM quarantine").fetchall() == []


def test_next_driver_goes_on_from_what_was_amended(store: StoreLayout, begin: Any, new_spec: Any) -> None:
    begin().log.close()
    spec = new_spec()
    longer = spec.model_copy(update={"budget": spec.budget.model_copy(update={"trials": 77})})

    after = amend_study(store, "digits", lambda history: [StudyOpened(study="digits", spec=longer)])

    second = begin(longer, "run-2")
    assert second.log.history.spec.budget.trials == 77
    assert second.log.history.version == after.version + 1


def test_nothing_is_written_where_nothing_changes(store: StoreLayout, begin: Any) -> None:
    begin().log.close()
    before = sorted(path.name for path in store.journal.iterdir())

    amend_study(store, "digits", lambda history: [])

    assert sorted(path.name for path in store.journal.iterdir()) == before


def test_a_study_that_is_driven_cannot_be_amended(store: StoreLayout, begin: Any) -> None:
    begin()

    with pytest.raises(StoreBusyError, match="is being driven by process"):
        amend_study(store, "digits", lambda history: [])


def test_an_unknown_study_cannot_be_amended(store: StoreLayout, begin: Any) -> None:
    begin().log.close()

    with pytest.raises(NotFoundError, match="no study 'other'"):
        amend_study(store, "other", lambda history: [])
