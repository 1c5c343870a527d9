"""The studies of a store for one that learns from them."""

from collections.abc import Callable
from typing import Any

import pytest

from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.warm_start import EarlierStudy
from pegbox.storage.ingest import ingest
from pegbox.storage.layout import StoreLayout
from pegbox.storage.past_studies import past_history, past_studies

CONFIGURATION = {"lr": 0.1, "layers": 1, "optimizer": "adamw"}
Begin = Callable[..., Any]


def test_the_latest_study_comes_first(store: StoreLayout, begin: Begin, new_spec: Callable[..., Any]) -> None:
    first = begin(new_spec("first"))
    first.complete(CONFIGURATION, 0.5)
    begin(new_spec("second"))
    ingest(store, wait=True, force=True)

    past = past_studies(store)

    assert [(one.spec.name, one.n_completed) for one in past] == [("second", 0), ("first", 1)]
    assert past[1].pinned == EarlierStudy(study="first", version=first.log.history.version)


def test_a_study_is_remembered_as_it_was(store: StoreLayout, begin: Begin) -> None:
    recorder = begin()
    recorder.complete(CONFIGURATION, 0.5)
    then = recorder.log.history
    recorder.complete(CONFIGURATION | {"layers": 2}, 0.4)
    ingest(store, wait=True, force=True)

    assert past_history(store, EarlierStudy(study="digits", version=then.version), "learner") == then


@pytest.mark.parametrize("earlier", [EarlierStudy(study="digits", version=999), EarlierStudy(study="gone", version=2)])
def test_what_the_store_does_not_hold_any_more_is_named(
    store: StoreLayout, begin: Begin, earlier: EarlierStudy
) -> None:
    begin().complete(CONFIGURATION, 0.5)
    ingest(store, wait=True, force=True)

    with pytest.raises(NotFoundError, match=f"learns from study '{earlier.study}' as it was at version"):
        past_history(store, earlier, "learner")
