"""What `pegbox init` writes is valid, and replaces nothing unasked."""

import json

import pytest

from pegbox.schemas.study_schema import study_schema


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("study", {"study.yaml", "study.schema.json"}),
        ("function", {"study.yaml", "study.schema.json", "train.py"}),
        ("command", {"study.yaml", "study.schema.json", "train.py"}),
        ("demo", {"study.yaml", "study.schema.json"}),
    ],
)
def test_each_kind_writes_a_study_that_validates(pegbox, tmp_path, monkeypatch, kind, files):
    monkeypatch.chdir(tmp_path)

    written = pegbox("init", kind)
    checked = pegbox("validate", "study.yaml")

    assert {path.name for path in tmp_path.iterdir()} == files
    assert written.out.splitlines()[-1] == "next: pegbox run study.yaml"
    assert (written.code, checked.code, checked.err) == (0, 0, "")


def test_the_schema_beside_the_study_is_the_schema(pegbox, tmp_path):
    pegbox("init", "--directory", tmp_path)

    first_line = (tmp_path / "study.yaml").read_text().splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=./study.schema.json"
    assert json.loads((tmp_path / "study.schema.json").read_text()) == study_schema()


def test_nothing_is_replaced_and_nothing_half_written(pegbox, tmp_path):
    (tmp_path / "train.py").write_text("mine")

    said = pegbox("init", "function", "-d", tmp_path)

    assert said.code == 2
    assert "train.py: it is there already, and nothing was written" in said.err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"train.py": "mine"}


def test_force_replaces(pegbox, tmp_path):
    (tmp_path / "study.yaml").write_text("mine")

    said = pegbox("init", "-d", tmp_path, "--force")

    assert said.code == 0
    assert "name: digits-mlp" in (tmp_path / "study.yaml").read_text()


def test_a_place_that_cannot_be_written_is_named(pegbox, tmp_path):
    (tmp_path / "file").write_text("")

    said = pegbox("init", "-d", tmp_path / "file" / "below")

    assert said.code == 2
    assert "cannot be written" in said.err


def test_a_new_directory_is_made_and_named_in_the_next_command(pegbox, tmp_path):
    said = pegbox("init", "-d", tmp_path / "new")

    assert said.out.splitlines()[-1] == f"next: cd {tmp_path / 'new'} && pegbox run study.yaml"
