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


CHURN = "visits,customer,churn\n" + "".join(f"{i % 7},C{i},{'left' if i % 3 else 'stayed'}\n" for i in range(60))


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(CHURN)
    return tmp_path


def test_a_table_becomes_a_study_that_validates(pegbox, table):
    written = pegbox("init", "data.csv", "--target", "churn", "--time", "3m")
    checked = pegbox("validate", "study.yaml")

    assert (written.code, checked.code, checked.err) == (0, 0, "")
    text = (table / "study.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=./study.schema.json\n")
    assert "# 'customer' has another value in every row" in text
    assert "whole: 180" in text
    assert json.loads((table / "study.schema.json").read_text()) == study_schema()


def test_a_study_in_another_directory_finds_the_table_from_there(pegbox, table, monkeypatch):
    written = pegbox("init", "data.csv", "--target", "churn", "-d", "below/here")
    monkeypatch.chdir(table / "below" / "here")

    assert written.out.splitlines()[-1] == "next: cd below/here && pegbox run study.yaml"
    assert pegbox("validate", "study.yaml").code == 0


def test_no_study_is_replaced_by_that_of_a_table(pegbox, table):
    (table / "study.yaml").write_text("mine")

    said = pegbox("init", "data.csv", "--target", "churn")

    assert (said.code, (table / "study.yaml").read_text()) == (2, "mine")
    assert "it is there already, and nothing was written" in said.err
    assert pegbox("init", "data.csv", "--target", "churn", "--force").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("data.csv", "--target", "chrun"), "Did you mean 'churn'?"),
        (("data.csv",), "no column to predict is named. Known: churn, customer, visits."),
        (("dat.csv", "--target", "churn"), "Did you mean 'data.csv'"),
        (("data.csv", "--target", "churn", "--time", "soon"), "expected a time such as 90s, 10m or 2h, got 'soon'"),
        (("empty.csv", "--target", "churn"), "is empty"),
        (("demo", "--target", "churn"), "are of a table, and 'demo' is none"),
        (("function", "--time", "5m"), "are of a table, and 'function' is none"),
        (("data.xlsx", "--target", "churn"), "'data.xlsx' is neither a table nor a study to begin with"),
        (("comand",), "Did you mean 'command'?"),
    ],
)
def test_what_no_study_can_be_made_of_is_refused_and_writes_nothing(pegbox, table, arguments, words):
    (table / "empty.csv").write_text("")

    said = pegbox("init", *arguments)

    assert said.code == 2
    assert words in " ".join(said.err.split())
    assert {path.name for path in table.iterdir()} == {"data.csv", "empty.csv"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target", "visits"), "with data.target 'churn' where the command asks for 'visits'"),
        (("--target", "churn", "--time", "30m"), "with budget.whole '600' where the command asks for '1800'"),
        (("--target", "churn", "--encoding", "cp1252"), "with data.encoding None where the command asks for 'cp1252'"),
    ],
)
def test_auto_goes_on_with_no_file_that_says_something_else(pegbox, table, arguments, words):
    pegbox("init", "data.csv", "--target", "churn")
    text = (table / "study.yaml").read_text()
    for name in ("data-churn.yaml", "data-visits.yaml"):
        (table / name).write_text(text)

    said = pegbox("auto", "data.csv", *arguments)

    assert said.code == 2
    assert words in " ".join(said.err.split())
    assert (table / "data-churn.yaml").read_text() == text
    assert not (table / ".pegbox").exists()


def test_auto_takes_a_table_and_nothing_else(pegbox, table):
    said = pegbox("auto", "demo", "--target", "churn")

    assert said.code == 2
    assert "expected sklearn:<name>" in said.err
    assert {path.name for path in table.iterdir()} == {"data.csv"}
