"""A model's file that is damaged, strange or of another time is refused by name, and runs nothing."""

import json
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_model import TREE, customers, make_model, segment_for

from pegbox.models.artefact import MANIFEST, content_hash, open_artefact
from pegbox.models.files_model import FilesModel
from pegbox.models.load_model import load_model
from pegbox.models.study_model import StudyModel
from pegbox.schemas.errors import ModelError
from pegbox.schemas.train import SklearnTrain
from pegbox.training.sklearn_model import open_estimator

Change = Callable[[dict[str, bytes]], dict[str, bytes]]


def rewritten(path: Path, to: Path, change: Change, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(to, "w", compression) as archive:
        for name, content in change(members).items():
            archive.writestr(name, content)
    return to


def manifest_with(**changes: Any) -> Change:
    return lambda members: members | {MANIFEST: json.dumps(json.loads(members[MANIFEST]) | changes).encode()}


def weights_cut(members: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content if name == MANIFEST else content[:-9] for name, content in members.items()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (manifest_with(format=99), "has the format 99, and this pegbox reads 1"),
        (manifest_with(lineage={}), "is damaged: its manifest is not valid at 'lineage.study'"),
        (weights_cut, "is not what was written"),
        (lambda members: {MANIFEST: members[MANIFEST]}, "cannot be read"),
        (lambda members: {MANIFEST: b"[]"}, "is damaged: its manifest is no JSON"),
        (lambda members: {"other": b""}, "it is no file of a model"),
    ],
    ids=["other format", "half a manifest", "cut weights", "no weights", "no object", "other archive"],
)
def test_damaged_file_is_refused_by_name(model_file: Path, tmp_path: Path, change: Change, said: str) -> None:
    path = rewritten(model_file, tmp_path / "odd.pegbox", change)

    with pytest.raises(ModelError, match=re.escape(said)):
        load_model(path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 torn"])
def test_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.pegbox").write_bytes(content)

    with pytest.raises(ModelError, match="is damaged: it is no file of a model"):
        load_model(tmp_path / "odd.pegbox")


def test_every_cut_of_a_file_is_refused(model_file: Path, tmp_path: Path) -> None:
    whole = model_file.read_bytes()

    for length in range(0, len(whole), len(whole) // 7):
        (tmp_path / "cut.pegbox").write_bytes(whole[:length])
        with pytest.raises(ModelError):
            load_model(tmp_path / "cut.pegbox")


def test_compressed_member_is_refused_before_it_is_unpacked(model_file: Path, tmp_path: Path) -> None:
    path = rewritten(model_file, tmp_path / "odd.pegbox", lambda one: one, zipfile.ZIP_DEFLATED)

    with pytest.raises(ModelError, match="compressed"):
        load_model(path)


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no file"):
        load_model(tmp_path / "none.pegbox")


def test_weights_that_are_a_program_are_not_run(model_file: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    evil = pickle.dumps(Evil())

    def change(members: dict[str, bytes]) -> dict[str, bytes]:
        import hashlib

        manifest = json.loads(members[MANIFEST])
        manifest["members"] = dict.fromkeys(manifest["members"], hashlib.sha256(evil).hexdigest())
        return dict.fromkeys(members, evil) | {MANIFEST: json.dumps(manifest).encode()}

    with pytest.raises(ModelError):
        load_model(rewritten(model_file, tmp_path / "evil.pegbox", change))

    assert not (tmp_path / "ran").exists()


def test_estimator_of_a_strange_class_is_refused_by_name() -> None:
    import skops.io

    written = skops.io.dumps({"estimator": Path("x")})

    with pytest.raises(ModelError, match=r"needs '.*Path'.*trusted="):
        open_estimator(written)
    assert open_estimator(written, trusted=skops.io.get_untrusted_types(data=written)) == {"estimator": Path("x")}


LIGHTGBM, XGBOOST = (
    SklearnTrain(kind="sklearn", estimator=one) for one in ("lightgbm:LGBMClassifier", "xgboost:XGBClassifier")
)
FEW_TREES: dict[str, Any] = {"n_estimators": 3, "n_jobs": 1}


@pytest.mark.parametrize(
    ("train", "configuration"),
    [(None, {}), (TREE, {}), (LIGHTGBM, FEW_TREES | {"verbosity": -1}), (XGBOOST, FEW_TREES)],
    ids=["torch", "sklearn", "lightgbm", "xgboost"],
)
def test_equal_models_are_equal_bytes_and_answer(
    tmp_path: Path, train: SklearnTrain | None, configuration: dict[str, Any]
) -> None:
    found = set()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        arguments: dict[str, Any] = {} if train is None else {"train": train, "configuration": configuration}
        path = make_model(tmp_path / name, customers(), drop=("id",), **arguments)
        with open_artefact(path) as artefact:
            found.add(json.dumps(artefact.manifest.members))
    model = load_model(path)

    assert len(found) == 1
    assert isinstance(model, StudyModel)
    assert model.predict_proba(customers()).sum(axis=1) == pytest.approx(1)


def test_files_of_a_users_code_are_named_and_handed_out(tmp_path: Path) -> None:
    from small_model import CARD

    from pegbox.models.write_model import ModelRequest, write_model
    from pegbox.schemas.model import Lineage
    from pegbox.schemas.train import FunctionTrain

    kept = tmp_path / "kept"
    (kept / "deep").mkdir(parents=True)
    (kept / "deep" / "w.bin").write_bytes(b"weights")
    segment = segment_for(FunctionTrain(kind="function", function="train:run"), {"lr": 0.1}, 1)
    lineage = Lineage(study="mine", trial=0, seed=1, epochs=1, code="c")
    request = ModelRequest(tmp_path / "m.pegbox", segment, kept, None, "best", "r", CARD, lineage)
    record = write_model(request)

    model = load_model(request.path)

    assert isinstance(model, FilesModel)
    assert record.content == content_hash(request.path)
    assert model.files == ("deep/w.bin",)
    assert model.configuration == {"lr": 0.1}
    assert (model.unpack(tmp_path / "out") / "deep" / "w.bin").read_bytes() == b"weights"
    with pytest.raises(ModelError, match=r"trained by train:run \(kind 'function'\) and is the files that it left"):
        model.predict([{"x": 1}])


def test_name_that_leads_out_of_the_directory_is_refused(tmp_path: Path, model_file: Path) -> None:
    def change(members: dict[str, bytes]) -> dict[str, bytes]:
        manifest = json.loads(members[MANIFEST]) | {"form": "files", "members": {"checkpoint/../../out": "0"}}
        return {MANIFEST: json.dumps(manifest).encode()}

    model = load_model(rewritten(model_file, tmp_path / "odd.pegbox", change))

    assert isinstance(model, FilesModel)
    with pytest.raises(ModelError, match="leads out of it"):
        model.unpack(tmp_path / "here")
