"""Models in the history: their standing, promotion in one step, and the way back."""

import threading
from pathlib import Path

import pytest
from small_model import customers, make_model

from pegbox.cli.app import execute
from pegbox.models.load_model import load_model
from pegbox.schemas.errors import ModelError
from pegbox.schemas.events import ModelMade, RunStarted
from pegbox.schemas.model import ModelRecord
from pegbox.schemas.study import StudySpec
from pegbox.storage.amending import forget_study, rename_study, restore_study
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import rebuild
from pegbox.storage.model_files import LATEST, model_path, put_under
from pegbox.storage.model_log import Promotion, former_of, listed_models, newest_run, promote_model
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study


def made(store: StoreLayout, run: str, content: bytes, study: str = "churn") -> None:
    """What a run leaves behind that ends in a model."""
    raw = {"name": study, "train": {"kind": "function", "function": "train:run"}, "space": {"lr": [1, 2]}}
    spec = StudySpec.model_validate({**raw, "objective": {"metric": "val_loss"}, "budget": {"trials": 1}})
    path = model_path(store, study, run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    record = ModelRecord(
        trial=0, form="torch", final="best", path="p", content="0", n_bytes=len(content), metrics={"test_loss": 0.5}
    )
    with open_study(store, spec, RunStarted(study=study, run=run, host="h", pid=1)) as log:
        log.report(ModelMade(study=study, run=run, model=record))
    put_under(path, model_path(store, study, LATEST))


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    found = open_store(tmp_path / "store")
    made(found, "first", b"1")
    made(found, "second", b"2")
    return found


def standings(store: StoreLayout) -> dict[str, str]:
    with open_history(store.root) as file:
        return {model.run: model.standing for model in listed_models(file)}


def promote(store: StoreLayout, run: str, study: str = "churn", source: str = "churn") -> bytes:
    promote_model(store, Promotion(study, source, run))
    return model_path(store, study, "current").read_bytes()


def test_promoted_model_is_current_and_the_former_can_come_back(store: StoreLayout) -> None:
    assert standings(store) == {"first": "earlier", "second": "latest"}
    assert promote(store, "first") == b"1"
    assert promote(store, "second") == b"2"
    assert standings(store) == {"first": "former", "second": "current"}

    source, run = former_of(store, "churn")

    assert promote(store, run, source=source) == b"1"
    assert standings(store) == {"first": "current", "second": "former"}
    assert model_path(store, "churn", "second").read_bytes() == b"2"


def test_standing_is_the_same_after_a_rebuild_from_the_journals(store: StoreLayout) -> None:
    promote(store, "first")
    before = standings(store)
    rebuild(store)

    assert standings(store) == before


def test_models_follow_a_study_that_is_renamed_or_forgotten(store: StoreLayout) -> None:
    promote(store, "first")
    rename_study(store, "churn", "leavers")

    with open_history(store.root) as file:
        assert [(one.study, one.standing, one.is_gone) for one in listed_models(file)] == [
            ("leavers", "latest", False),
            ("leavers", "current", False),
        ]
    forget_study(store, "leavers")
    assert not model_path(store, "leavers", "current").exists()
    restore_study(store, "leavers")
    assert model_path(store, "leavers", "current").read_bytes() == b"1"


def test_model_of_another_study_is_promoted_under_a_name(store: StoreLayout) -> None:
    made(store, "third", b"3", study="churn@1a2b")

    assert promote(store, "third", source="churn@1a2b") == b"3"
    assert newest_run(store, "churn@1a2b") == "third"
    assert newest_run(store, "none") is None
    with open_history(store.root) as file:
        assert [one.run for one in listed_models(file, "churn")] == ["third", "second", "first"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["promote", "churn@thrid"], "has no model of a run 'thrid'. Known: first, second"),
        (["promote", "none"], "The study 'none' has no model"),
        (["promote", "churn", "--back"], "No other model of 'churn' was promoted before"),
    ],
)
def test_what_cannot_be_promoted_is_told(
    store: StoreLayout, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert execute([*arguments, "--store", str(store.root)]) == 1
    assert said in capsys.readouterr().err


def test_model_whose_file_is_gone_is_told_and_the_current_one_stays(
    store: StoreLayout, capsys: pytest.CaptureFixture[str]
) -> None:
    promote(store, "first")
    model_path(store, "churn", "second").unlink()

    with pytest.raises(ModelError, match="The file of the model churn@second is gone"):
        promote(store, "second")

    assert model_path(store, "churn", "current").read_bytes() == b"1"
    assert execute(["models", "--store", str(store.root)]) == 0
    assert "latest, gone" in capsys.readouterr().out
    model_path(store, "churn", "current").unlink()
    with pytest.raises(ModelError, match="There is no model 'churn@current'"):
        load_model("churn@current", store=store.root)


def test_commands_promote_and_list(store: StoreLayout, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--store", str(store.root)]

    assert execute(["promote", "churn@first", *where]) == 0
    assert execute(["promote", "churn", *where]) == 0
    assert execute(["promote", "churn", "--back", *where]) == 0
    assert "churn@current is churn@first now" in capsys.readouterr().err
    assert execute(["models", "churn", *where]) == 0
    assert "current of churn" in capsys.readouterr().out
    assert execute(["models", "--json", *where]) == 0


def test_reader_never_meets_a_mixture_while_models_are_promoted(tmp_path: Path) -> None:
    files = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        files.append(make_model(folder, customers(60 * seed), drop=("id",)))
    current = tmp_path / "current.pegbox"
    put_under(files[0], current)
    done = threading.Event()

    def switch() -> None:
        for turn in range(60):
            put_under(files[turn % 2], current)
        done.set()

    writer = threading.Thread(target=switch)
    writer.start()
    expected = {path.read_bytes() for path in files}
    n_read = 0
    while not done.is_set() or not n_read:
        load_model(current, device="cpu")  # compares the hash of the weights with the manifest's
        assert current.read_bytes() in expected
        n_read += 1
    writer.join()
