"""The models of a study on its page: standing, card, commands; a damaged file costs its card and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from page_visit import Visit

from pegbox.models.artefact import write_artefact
from pegbox.page.document import StudyPage
from pegbox.page.html_file import write_page
from pegbox.page.models_block import models
from pegbox.page.models_document import ModelRow, Models
from pegbox.schemas.base import Schema
from pegbox.schemas.events import ModelMade, RunStarted
from pegbox.schemas.model import Lineage, ModelCard, ModelManifest, ModelRecord
from pegbox.schemas.selection import Interval
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.model_files import model_path
from pegbox.storage.model_log import Promotion, promote_model
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

CARD = ModelCard(
    title="model of the study 'digits'",
    n_rows={"train": 120, "test": 30},
    metric="val_loss",
    goal="minimize",
    expected=0.25,
    interval=Interval(low=0.2, high=0.3, level=0.95),
    limits=("It knows no rows of winter.",),
)


def write_models(root: Path, *runs: str) -> StoreLayout:
    """A study of which each run ended in a model."""
    store = open_store(root)
    spec = StudySpec.model_validate(
        {
            "name": "digits",
            "train": {"kind": "function", "function": "my_project:train"},
            "space": {"x": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": "loss"},
            "budget": {"trials": 1},
        }
    )
    for run in runs:
        path = model_path(store, "digits", run)
        lineage = Lineage(study="digits", trial=3, seed=1, epochs=9, code="c0de", versions={"torch": "2.13.0"})
        manifest = ModelManifest(
            form="torch",
            final="best",
            recipe="r",
            train=spec.train,
            configuration={"x": 0.5},
            lineage=lineage,
            card=CARD,
            members={},
        )
        write_artefact(path, manifest, {"weights": b"1"})
        record = ModelRecord(trial=3, form="torch", final="best", path=str(path), content="0", n_bytes=1)
        with open_study(store, spec, RunStarted(study="digits", run=run, host="h", pid=1)) as log:
            log.report(ModelMade(study="digits", run=run, model=record))
            log.close("completed")
    return store


def found(store: StoreLayout) -> Models:
    with open_history(store.root) as file:
        return models(file, "digits")


def test_the_promoted_model_comes_first_with_its_card_and_commands(tmp_path: Path) -> None:
    store = write_models(tmp_path, "one", "two")
    promote_model(store, Promotion("digits", "digits", "one"))

    current, latest = found(store).rows

    assert (current.name, current.standing, current.card) == ("digits@one", "current of digits", CARD)
    assert current.commands == ("pegbox predict digits@one rows.csv --out predictions.csv",)
    assert (latest.name, latest.commands[-1]) == ("digits@two", "pegbox promote digits@two")
    assert current.lineage is not None
    assert current.lineage.versions == {"torch": "2.13.0"}


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_file_that_is_gone_or_damaged_is_said(tmp_path: Path, is_gone: bool) -> None:
    store = write_models(tmp_path, "one")
    path = model_path(store, "digits", "one")
    if is_gone:
        path.unlink()
    else:
        path.write_bytes(b"no archive")

    (row,) = found(store).rows

    assert row.card is None
    assert ("is gone" if is_gone else "is damaged") in row.note
    assert bool(row.commands) is not is_gone


def test_a_study_without_a_model_says_why(tmp_path: Path) -> None:
    store = write_models(tmp_path)
    spec = StudySpec.model_validate(
        {"name": "digits", "train": {"kind": "function", "function": "a:b"}, "space": {"x": {"min": 0, "max": 1}},
         "objective": {"metric": "loss"}, "budget": {"trials": 1}}
    )  # fmt: skip
    with open_study(store, spec, RunStarted(study="digits", run="r", host="h", pid=1)) as log:
        log.report(ModelMade(study="digits", run="r", reason="Training left no files."))
        log.close("completed")

    assert found(store) == Models(absence="Training left no files.")


class Slice(Schema):
    where: str
    n_rows: int
    interval: Interval


class LaterCard(ModelCard):
    """A card of a later version, with shapes that this one does not know."""

    confusion_matrix: tuple[tuple[int, ...], ...]
    slices: tuple[Slice, ...]
    by_class: dict[str, dict[str, float]]
    calibration: dict[str, tuple[float, ...]]
    is_calibrated: bool


class LaterRow(ModelRow):
    card: LaterCard


class LaterModels(Models):
    rows: tuple[LaterRow, ...]


class LaterPage(StudyPage):
    models: LaterModels


@pytest.fixture(scope="module")
def card_file(simulated_page: StudyPage, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with a card of shapes that the page has never heard of."""
    interval = Interval(low=0.1, high=0.2, level=0.95)
    card = LaterCard(
        **CARD.model_dump(),
        confusion_matrix=((28, 2), (1, 19)),
        slices=(Slice(where="<b>winter</b>", n_rows=12, interval=interval),),
        by_class={"yes": {"recall": 0.75, "precision": 0.5}, "no": {"recall": 0.25}},
        calibration={"said": (0.1, 0.9), "seen": (0.2, 0.8)},
        is_calibrated=True,
    )
    row = LaterRow(
        name="digits@one", standing="latest", trial=3, form="torch", final="best", metrics={}, made_at=1.0, n_bytes=1,
        is_gone=False, card=card, lineage=None,
    )  # fmt: skip
    whole = simulated_page.model_dump() | {"models": LaterModels(rows=(row,)).model_dump()}
    path = tmp_path_factory.mktemp("card") / "page.html"
    write_page(LaterPage.model_validate(whole), path)
    return path.as_uri()


def test_whatever_a_card_holds_is_shown(card_file: str, visit: Callable[..., Visit]) -> None:
    seen = visit(card_file)
    text = seen.page.inner_text("#models")
    tables = seen.page.locator("#models table").all_inner_texts()

    assert "0.2000 to 0.3000 (95 % interval)" in text
    assert "It knows no rows of winter." in text
    assert "is calibrated\nyes" in text
    assert [one.split() for one in tables] == [
        ["row", "1", "2", "1", "28", "2", "2", "1", "19"],
        ["where", "n", "rows", "interval", "<b>winter</b>", "12", "0.1000", "to", "0.2000", "(95", "%", "interval)"],
        ["of", "recall", "precision", "yes", "0.75", "0.5", "no", "0.25", "–"],
        ["said", "seen", "0.1", "0.2", "0.9", "0.8"],
    ]
    assert seen.complaints == []


def test_a_card_breaks_no_rule_of_accessibility(card_file: str, visit: Callable[..., Visit], axe: str) -> None:
    seen = visit(card_file, bypass_csp=True)
    seen.page.add_script_tag(content=axe)

    assert seen.violations() == []
