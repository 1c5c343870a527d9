"""Predictions go into a file piece by piece, from every source of rows."""

import io
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from small_model import customers, make_model, table_of

import pegbox.datasets.new_examples as batches
from pegbox.cli.app import execute
from pegbox.models.load_model import load_model
from pegbox.models.predict_rows import Rows, predict_to_file
from pegbox.schemas.errors import DataError, ModelError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pa_csv.write_csv(table_of(customers(50)), "rows.csv")
    pq.write_table(table_of(customers(50)), "rows.parquet")
    return tmp_path


def predicted(model: Any, source: str, keep: tuple[str, ...] = ()) -> pa.Table:
    predict_to_file(model, Rows(source, keep), Path("out.parquet"), lambda _: None)
    return pq.read_table("out.parquet")


def test_every_source_is_answered_alike_in_its_order(here: Path, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = model.predict(table_of(customers(50))).tolist()
    monkeypatch.setattr(batches, "BATCH_ROWS", 7)

    for source in ("rows.csv", "rows.parquet", "SELECT churn, since, * EXCLUDE (churn, since) FROM 'rows.parquet'"):
        found = predicted(model, source, ("id",))
        assert found["prediction"].to_pylist() == expected
        assert found["id"].to_pylist() == customers(50)["id"]
    assert found.column_names == ["id", "prediction", "probability_left", "probability_stays"]


def test_pipe_is_read_as_a_file(
    here: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in ("rows.csv", "rows.parquet"):
        with (here / name).open("rb") as file:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
            assert execute(["predict", str(model_file), "-"]) == 0
        said = capsysbinary.readouterr()
        assert said.out.splitlines()[0] == b'"prediction","probability_left","probability_stays"'
        assert len(said.out.splitlines()) == 51


def test_command_writes_a_file_and_tells_what_it_noticed(
    here: Path, model_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(table_of({**customers(3), "extra": [1, 2, 3]}), "new.parquet")

    assert execute(["predict", str(model_file), "new.parquet", "--out", "out.csv", "--keep", "id"]) == 0

    said = capsys.readouterr()
    assert "3 rows: out.csv" in said.err
    assert "note: the column 'extra' is not known" in said.err
    assert Path("out.csv").read_text().splitlines()[0] == '"id","prediction","probability_left","probability_stays"'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.csv", "-o", "out.csv"], "rows: no file 'none.csv'"),
        (["empty.csv", "-o", "out.csv"], "rows: 'empty.csv' is empty"),
        (["torn.csv", "-o", "out.csv"], "rows: 'torn.csv' cannot be read: line 3 has 2 fields where the header has 4"),
        (["few.csv", "-o", "out.csv"], "the column 'since' is missing"),
        (["rows.csv", "-o", "out.txt"], "Predictions are written as .parquet or .csv, got 'out.txt'"),
        (["rows.csv", "-o", "out.csv", "--keep", "ids"], "there is no column 'ids' to keep. Did you mean 'id'?"),
        (["rows.csv", "--json"], "Add --out"),
        (["rows.csv", "-o", "none/deep/out.csv", "--encoding", "klingon"], "no encoding 'klingon' is known"),
        (["DELETE FROM x", "-o", "out.csv"], "expected sklearn:<name>"),
    ],
)
def test_what_cannot_be_read_is_told_and_writes_nothing(
    here: Path, model_file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    Path("empty.csv").touch()
    Path("torn.csv").write_text("age,city,member,since\n1,Bonn,yes,2024-01-01\n2,Oslo\n")
    Path("few.csv").write_text("age,city,member\n1,Bonn,yes\n")

    assert execute(["predict", str(model_file), *arguments]) != 0

    assert said in capsys.readouterr().err
    assert not Path("out.csv").exists()


def test_file_with_a_header_alone_has_no_predictions(here: Path, model: Any) -> None:
    Path("none.csv").write_text("age,city,member,since\n")

    assert predicted(model, "none.csv").num_rows == 0
    assert predicted(model, "FROM 'rows.parquet' LIMIT 0").num_rows == 0


def test_row_of_an_error_counts_over_all_pieces(here: Path, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = customers(20)
    columns["age"] = ["old" if place == 17 else "30" for place in range(20)]
    pa_csv.write_csv(table_of(columns), "odd.csv")
    monkeypatch.setattr(batches, "BATCH_ROWS", 7)

    with pytest.raises(DataError, match="got 'old' in row 18"):
        predicted(model, "odd.csv")


def test_decimal_commas_are_read_as_in_training(here: Path) -> None:
    columns = {"x": [f"{i},5" for i in range(60)], "y": [0, 1] * 30}
    model: Any = load_model(make_model(here, columns), device="cpu")
    Path("new.csv").write_text('x\n"1,5"\n"1.000,25"\n')

    found = predicted(model, "new.csv")

    expected = model.predict_proba(pa.table({"x": [1.5, 1000.25]}))
    assert found["probability_1"].to_pylist() == expected[:, 1].tolist()


def test_model_of_files_does_not_predict(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["predict", "none", "rows.csv"]) == 1
    assert "There is no model 'none'" in capsys.readouterr().err
    with pytest.raises(ModelError, match="There is no model 'none'"):
        load_model("none")
