"""Folders and tables of pictures, as people have them: any size, any mode, and what goes wrong with them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pegbox.datasets.prepare import fingerprint, prepare
from pegbox.datasets.prepared import open_prepared, read_understanding
from pegbox.schemas.data import DECODED, DataSpec, PreparedData
from pegbox.schemas.errors import DataError

Image = pytest.importorskip("PIL.Image")

FOLDER = "images/"


def draw(path: Path, level: int = 100, size: tuple[int, int] = (6, 5), mode: str = "L") -> Path:
    """One picture of one level, of this height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[0], size[1], 3), level, np.uint8)
    pixels[0, 0] = (255, 0, 0)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


@pytest.fixture
def folder(here: Path) -> Path:
    """Twenty grey pictures of two classes, of one size."""
    for i in range(20):
        draw(here / "images" / ("cat" if i % 2 else "dog") / f"{i:02}.png", 10 * i)
    return here / "images"


def prepared_of(root: Path, **data: Any) -> PreparedData:
    return prepare(DataSpec(**{"source": FOLDER, **data}), None, root)


def refusal(root: Path, **data: Any) -> str:
    with pytest.raises(DataError) as caught:
        prepared_of(root, **data)
    return str(caught.value)


def told(data: PreparedData) -> str:
    understood = read_understanding(data.path)
    assert understood is not None
    return " ".join([*(column.told for column in understood.columns), *understood.warnings])


def test_small_pictures_of_one_size_stay_as_they_are(folder: Path, root: Path) -> None:
    data = prepared_of(root)

    assert (data.shape, data.classes, data.task) == ((6, 5), ("cat", "dog"), "classification")
    assert data.numeric == ()
    assert data.n_numeric == 30
    assert "20 pictures of 6 × 5; taken as grey" in told(data)


def test_arrays_are_in_deviations_of_the_training_pixels(folder: Path, root: Path) -> None:
    train = open_prepared(prepared_of(root), 0).train.numeric

    assert float(train.mean()) == pytest.approx(0, abs=1e-5)
    assert float(train.std()) == pytest.approx(1, abs=1e-5)


def test_sizes_and_modes_that_differ_become_one(folder: Path, root: Path) -> None:
    draw(folder / "cat" / "large.jpg", size=(90, 40), mode="RGB")
    draw(folder / "cat" / "palette.gif", size=(9, 9), mode="P")
    draw(folder / "dog" / "clear.png", size=(3, 3), mode="RGBA")
    draw(folder / "dog" / "cmyk.tif", size=(3, 3), mode="CMYK")

    data = prepared_of(root)

    assert data.shape == (32, 32, 3)
    assert "stretched to 32 × 32: data.images.size sets another" in told(data)
    assert "some with colours, some without" in told(data)
    assert prepared_of(root, images={"size": [8, 4], "mode": "grey"}).shape == (8, 4)


def test_sixteen_bits_keep_their_order(here: Path, root: Path) -> None:
    from pegbox.datasets.pictures import Reading, decode

    levels = np.array([[0, 255], [256, 65535]], dtype=np.uint16)
    Image.fromarray(levels).save(here / "deep.png")

    assert decode(here / "deep.png", Reading("grey", (2, 2))).tolist() == [[0, 0], [1, 255]]


def test_what_is_transparent_becomes_white(here: Path) -> None:
    from pegbox.datasets.pictures import Reading, decode

    Image.new("RGBA", (2, 2), (0, 0, 0, 0)).save(here / "clear.png")

    assert decode(here / "clear.png", Reading("grey", (2, 2))).tolist() == [[255, 255], [255, 255]]


def test_picture_stands_as_the_camera_was_held(here: Path) -> None:
    from pegbox.datasets.pictures import Reading, decode, look_at

    image = Image.fromarray(np.array([[0, 255]], dtype=np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6  # turned by a quarter to the right
    image.save(here / "turned.png", exif=exif)

    assert look_at([here / "turned.png"], ["turned"]).sizes == {(2, 1)}
    assert decode(here / "turned.png", Reading("grey", (2, 1))).tolist() == [[0], [255]]


def test_pictures_are_decoded_once(folder: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared_of(root)
    assert len(list((root / DECODED).iterdir())) == 1
    monkeypatch.setattr("pegbox.datasets.pictures.decode", lambda *_: pytest.fail("decoded again"))

    assert prepared_of(root, split={"seed": 1}).n_rows["train"] == 12
    assert prepare(DataSpec(source=FOLDER), None, root, learn_from="not held out").n_rows["train"] == 16


def test_fingerprint_is_that_of_the_files(folder: Path, root: Path) -> None:
    spec = DataSpec(source=FOLDER)
    before = fingerprint(spec, None)
    (folder / "cat" / "01.png").touch()
    assert fingerprint(spec, None) == before
    folder.rename(folder.with_name("moved"))
    assert fingerprint(DataSpec(source="moved"), None) == before

    (Path("moved") / "cat" / "01.png").rename(Path("moved") / "dog" / "01.png")
    assert fingerprint(DataSpec(source="moved"), None) != before


def test_folds_and_groups_are_those_of_tables(folder: Path, root: Path) -> None:
    data = prepared_of(root, split={"folds": 4, "stratify": True})

    assert data.n_folds == 4
    assert open_prepared(data, 3).valid.numeric.shape == (4, 30)


def test_hidden_and_unknown_files_are_told_by_name(folder: Path, root: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "cat" / ".hidden.png").write_bytes(b"x")
    (folder / "cat" / "notes.txt").write_text("x")
    (folder / ".cache").mkdir()

    said = told(prepared_of(root))

    for name in (".DS_Store", "cat/.hidden.png", "cat/notes.txt", ".cache/"):
        assert repr(name) in said


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "cat" / "00.png").write_bytes(b"no"), "1 of 21 pictures cannot be read: 'images/cat"),
        (lambda folder: (folder / "bird").mkdir(), "the class bird of 'images' has no picture"),
        (lambda folder: draw(folder / "loose.png"), "1 pictures such as 'loose.png' lie in 'images' itself"),
        (lambda folder: (folder / "cat").rename(folder.parent / "x"), "holds one class, 'dog'"),
        (lambda folder: folder.rename(folder.with_name("x")), "there is no folder 'images'"),
        (
            lambda folder: (folder / "cat" / "01.png").write_bytes((folder / "cat" / "01.png").read_bytes()[:60]),
            "cat/01.png",
        ),
    ],
)
def test_what_is_wrong_with_a_folder_is_told_by_name(
    folder: Path, root: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(folder)

    assert said in refusal(root)


def test_folder_of_parts_is_refused(here: Path, root: Path) -> None:
    for part in ("train", "test"):
        draw(here / "images" / part / "cat" / "1.png")

    assert "are parts (test, train), expected one for each class" in refusal(root)


def test_folder_without_pictures_says_how_tables_are_named(here: Path, root: Path) -> None:
    (here / "images").mkdir()

    assert "holds no folders of pictures" in refusal(root)


def test_file_that_goes_while_it_is_read_is_told(folder: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pegbox.datasets import picture_sources

    look = picture_sources.look_at

    def look_and_remove(*arguments: Any) -> Any:
        found = look(*arguments)
        (folder / "cat" / "01.png").unlink()
        return found

    monkeypatch.setattr(picture_sources, "look_at", look_and_remove)

    assert "cat/01.png" in refusal(root)


def test_missing_pillow_names_the_extra(folder: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)

    assert "pip install 'pegbox[images]'" in refusal(root)


@pytest.fixture
def table(folder: Path) -> str:
    """A table beside the folder of another directory, whose paths begin there."""
    rows = "\n".join(
        f"{path.relative_to(folder)},{i / 7},{i % 4}" for i, path in enumerate(sorted(folder.rglob("*.png")))
    )
    (folder / "faces.csv").write_text(f"file,age,who\n{rows}\n")
    return "images/faces.csv"


def test_table_of_paths_and_numbers(table: str, root: Path) -> None:
    data = prepared_of(root, source=table, target="age", images={"column": "file"}, split={"group": "who"})

    assert (data.task, data.shape) == ("regression", (6, 5))
    understood = read_understanding(data.path)
    assert understood is not None
    assert {one.name: one.kind for one in understood.columns} == {"file": "array", "who": "left out"}


def test_table_of_paths_is_known_by_its_files(table: str, root: Path, folder: Path) -> None:
    spec = DataSpec(source=table, target="age", images={"column": "file"})
    before = fingerprint(spec, None)
    draw(folder / "cat" / "01.png", 200)

    assert fingerprint(spec, None) != before


def test_query_of_paths_begins_where_the_study_says(table: str, root: Path) -> None:
    query = f"SELECT * FROM '{table}' ORDER BY file"

    data = prepared_of(root, source=query, target="age", images={"column": "file", "folder": "images"})

    assert data.shape == (6, 5)


def test_bytes_of_files_are_pictures_too(folder: Path, root: Path, parquet: Callable[..., str]) -> None:
    files = sorted(folder.rglob("*.png"))
    name = parquet({"bytes": [file.read_bytes() for file in files], "kind": [file.parent.name for file in files]})

    data = prepared_of(root, source=name, target="kind", images={"column": "bytes"})

    assert (data.shape, data.classes) == ((6, 5), ("cat", "dog"))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"images": {}}, "data.images.column: name the column"),
        ({"images": {"column": "fle"}}, "Did you mean 'file'?"),
        ({"images": {"column": "age"}}, "is the target"),
        ({"images": {"column": "who"}}, "must hold paths"),
        ({"images": {"column": "file", "folder": "nowhere"}}, "there is no picture 'nowhere/cat"),
        ({"source": "sklearn:digits", "images": {}}, "is neither"),
        ({"source": FOLDER, "images": {"column": "file"}}, "column and folder are of a table of paths"),
    ],
)
def test_what_is_wrong_with_a_table_of_paths_is_told(table: str, root: Path, entry: dict[str, Any], said: str) -> None:
    assert said in refusal(root, **{"source": table, "target": "age", **entry})
