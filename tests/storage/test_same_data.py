from typing import Any

import pytest

from pegbox.schemas.errors import StudyMismatchError
from pegbox.schemas.events import RunStarted
from pegbox.storage.layout import StoreLayout
from pegbox.storage.study_log import open_study


def _run(name: str, fingerprint: str | None) -> RunStarted:
    return RunStarted(study="digits", run=name, host="h", pid=1, data_fingerprint=fingerprint)


@pytest.fixture
def trained(store: StoreLayout, new_spec: Any, recorder: Any) -> None:
    """A study of one trial, which was trained on the data `aaaaaaaaaaaa`."""
    with open_study(store, new_spec(), _run("first", "aaaaaaaaaaaa")) as log:
        recorder(log).complete({"lr": 0.01, "layers": 2, "optimizer": "adamw"}, 0.5)


@pytest.mark.usefixtures("trained")
def test_a_study_does_not_go_on_with_other_data(store: StoreLayout, new_spec: Any) -> None:
    with pytest.raises(StudyMismatchError, match="from aaaaaaaa to bbbbbbbb, and trials on other data cannot be"):
        open_study(store, new_spec(), _run("second", "bbbbbbbbbbbb"))


def test_a_study_without_trials_begins_on_the_data_of_today(store: StoreLayout, new_spec: Any) -> None:
    open_study(store, new_spec(), _run("first", "aaaaaaaaaaaa")).close()

    second = open_study(store, new_spec(), _run("second", "bbbbbbbbbbbb"))

    assert second.history.data_fingerprint == "bbbbbbbbbbbb"
    second.close()


@pytest.mark.usefixtures("trained")
def test_a_study_goes_on_with_the_same_data(store: StoreLayout, new_spec: Any) -> None:
    second = open_study(store, new_spec(), _run("second", "aaaaaaaaaaaa"))

    assert second.history.data_fingerprint == "aaaaaaaaaaaa"
    second.close()


@pytest.mark.usefixtures("trained")
def test_the_refused_driver_lets_go_of_the_study(store: StoreLayout, new_spec: Any) -> None:
    with pytest.raises(StudyMismatchError):
        open_study(store, new_spec(), _run("second", "bbbbbbbbbbbb"))

    open_study(store, new_spec(), _run("third", "aaaaaaaaaaaa")).close()
