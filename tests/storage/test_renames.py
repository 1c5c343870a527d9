"""Studies are renamed, forgotten and restored by events, whatever comes after and in whatever order lines are read."""

from collections.abc import Callable
from typing import Any

import pytest

from pegbox.schemas.errors import NotFoundError, StoreError
from pegbox.schemas.foreign_study import ForeignStudy
from pegbox.storage.amending import forget_study, forgotten_studies, rename_study, restore_study
from pegbox.storage.garbage import collect_garbage
from pegbox.storage.history_file import open_history
from pegbox.storage.import_study import write_study
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import rebuild

ADAM = {"lr": 0.1, "layers": 1, "optimizer": "adamw"}
Begin = Callable[..., Any]


def values(store: StoreLayout) -> dict[str, list[float]]:
    """Name of each study that is seen, with the values of its trials as the tables and the events have them."""
    with open_history(store.root) as file:
        rows = file.sql(
            "SELECT study, list(value ORDER BY number) FROM studies LEFT JOIN trials USING (study) GROUP BY study"
        ).fetchall()
        for study, found in rows:
            history = file.history(study)
            assert history.spec.name == study
            assert [trial.value("val_loss") for trial in history.trials] == found
            assert file.sql("SELECT count(*) FROM metrics WHERE study = ?", [study]).fetchall()[0][0] == 6 * len(found)
            view = file.sql_name_of(study)
            assert view is not None
            assert len(file.trials(study).fetchall()) == len(found)
        return dict(rows)


def record(begin: Begin, *losses: float, spec: Any = None, run: str = "run-1") -> None:
    recorder = begin(spec, run)
    for loss in losses:
        recorder.complete(ADAM, value=loss)
    recorder.log.close()


def test_a_renamed_study_keeps_all_and_goes_on(store: StoreLayout, begin: Begin, new_spec: Begin) -> None:
    record(begin, 1.0, 0.5)

    rename_study(store, "digits", "mnist")
    record(begin, 0.25, spec=new_spec("mnist"), run="run-2")

    assert values(store) == {"mnist": [1.0, 0.5, 0.25]}


def test_a_forgotten_study_is_seen_nowhere_and_comes_back(store: StoreLayout, begin: Begin) -> None:
    record(begin, 1.0, 0.5)

    forget_study(store, "digits")
    assert values(store) == {}
    assert [one.study for one in forgotten_studies(store)] == ["digits"]

    restore_study(store, "digits")
    record(begin, 0.25, run="run-2")
    assert values(store) == {"digits": [1.0, 0.5, 0.25]}
    assert forgotten_studies(store) == ()


def test_names_go_round_and_a_rebuild_says_the_same(store: StoreLayout, begin: Begin, new_spec: Begin) -> None:
    record(begin, 1.0)
    forget_study(store, "digits")
    record(begin, 2.0, run="run-2")
    rename_study(store, "digits", "second")
    restore_study(store, "digits")
    record(begin, 1.5, run="run-3")
    rename_study(store, "second", "third")
    record(begin, 2.5, spec=new_spec("third"), run="run-4")
    forget_study(store, "digits")
    record(begin, 4.0, run="run-5")
    expected = {"third": [2.0, 2.5], "digits": [4.0]}
    assert values(store) == expected

    rebuild(store)

    assert values(store) == expected
    rename_study(store, "digits", "fourth")
    restore_study(store, "digits")
    assert values(store) == {"third": [2.0, 2.5], "fourth": [4.0], "digits": [1.0, 1.5]}


def test_a_name_that_is_taken_is_refused(store: StoreLayout, begin: Begin, new_spec: Begin) -> None:
    record(begin, 1.0)
    record(begin, 2.0, spec=new_spec("other"), run="run-2")

    with pytest.raises(StoreError, match="holds a study 'other' already"):
        rename_study(store, "digits", "other")
    forget_study(store, "digits")
    record(begin, 3.0, run="run-3")
    with pytest.raises(StoreError, match="holds a study 'digits' already"):
        restore_study(store, "digits")
    with pytest.raises(NotFoundError, match="holds no study 'mnist'"):
        forget_study(store, "mnist")
    with pytest.raises(NotFoundError, match=r"No study 'other' can be restored.* `pegbox store gc`: digits"):
        restore_study(store, "other")
    assert values(store) == {"digits": [3.0], "other": [2.0]}


def test_garbage_collection_makes_forgetting_final(store: StoreLayout, begin: Begin) -> None:
    record(begin, 1.0)
    forget_study(store, "digits")

    collect_garbage(store, dry_run=True)
    assert len(forgotten_studies(store)) == 1
    collect_garbage(store)

    assert forgotten_studies(store) == ()
    with pytest.raises(NotFoundError, match="can be restored"):
        restore_study(store, "digits")


def test_an_import_under_a_name_that_became_free_is_another_study(
    store: StoreLayout, begin: Begin, new_spec: Begin
) -> None:
    record(begin, 1.0)
    forget_study(store, "digits")

    write_study(store, ForeignStudy(new_spec(), (), "trials.db"))
    rebuild(store)

    with open_history(store.root) as file:
        assert file.history("digits").trials == ()
    assert [one.study for one in forgotten_studies(store)] == ["digits"]
