import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pegbox.datasets.csv_text import read_header
from pegbox.datasets.table_files import FileSource, QuerySource
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError

Write = Callable[..., str]


def source(name: str, **data: Any) -> FileSource:
    return FileSource(DataSpec(source=name, **data))


def load(name: str) -> pa.Table:
    return source(name).load().table


def test_csv_columns_get_their_types(csv: Write) -> None:
    table = load(csv("n,word,day,flag\n1,a,2024-01-31,true\n2.5,b,2024-02-01,false\n"))

    assert [str(each) for each in table.schema.types] == ["double", "string", "date32[day]", "bool"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(csv: Write, delimiter: str) -> None:
    table = load(csv("a,b,c\n1,2,3\n".replace(",", delimiter)))

    assert table.to_pylist() == [{"a": 1, "b": 2, "c": 3}]


@pytest.mark.parametrize("mark", ["", " ", "NA", "N/A", "NaN", "null", "None", "?"])
def test_marks_of_missing_values_leave_a_column_numeric(csv: Write, mark: str) -> None:
    table = load(csv(f"a,b\n1,2\n{mark},3\n"))

    assert table["a"].to_pylist() == [1, None]


def test_type_is_taken_from_all_rows(csv: Write) -> None:
    text = "a,b\n" + "1,2\n" * 30_000 + "late,2\n"

    assert load(csv(text))["a"].to_pylist()[-2:] == ["1", "late"]


def test_quoted_delimiters_and_line_ends_are_read(csv: Write) -> None:
    table = load(csv('a,b\r\n"x, y",1\r\n"say ""hi""",2\r\n'))

    assert table["a"].to_pylist() == ["x, y", 'say "hi"']


def test_byte_order_mark_is_no_part_of_a_name(here: Path) -> None:
    Path("data.csv").write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")

    assert load("data.csv").column_names == ["a", "b"]


def test_compressed_csv_is_read(here: Path) -> None:
    Path("data.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))

    assert load("data.csv.gz").to_pylist() == [{"a": 1, "b": 2}]


def test_name_with_a_pattern_in_it_is_one_file(csv: Write) -> None:
    csv("a,b\n9,9\n", "data1.csv")

    assert load(csv("a,b\n1,2\n", "data[1].csv")).to_pylist() == [{"a": 1, "b": 2}]


def test_header_is_read_without_the_rows(csv: Write) -> None:
    assert source(csv("a,b\n1,2\n3,4,5\n")).columns() == ("a", "b")


def test_parquet_columns_are_the_top_level_ones(parquet: Write) -> None:
    name = parquet({"a": [1], "nested": [{"x": 1, "y": {"z": 2}}], "many": [[1, 2]], "b": [2]})

    assert source(name).columns() == ("a", "nested", "many", "b")


def test_repeated_names_are_kept_as_they_are_written(here: Path) -> None:
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), "data.parquet")

    assert source("data.parquet").columns() == ("a", "a")


def test_missing_file_names_its_neighbour(csv: Write) -> None:
    csv("a,b\n1,2\n", "train.csv")

    with pytest.raises(DataError, match=r"no file 'trian\.csv' below '.*here'. Did you mean 'train\.csv'\?"):
        load("trian.csv")


def test_missing_directory_is_named(here: Path) -> None:
    with pytest.raises(DataError, match=r"there is no directory '.*here/nowhere'"):
        load("nowhere/train.csv")


def test_empty_file_is_refused(csv: Write) -> None:
    with pytest.raises(DataError, match=r"'data\.csv' is empty"):
        load(csv(""))


def test_ragged_line_is_named(csv: Write) -> None:
    with pytest.raises(DataError, match="line 3 has 4 fields where the header has 2"):
        load(csv("a,b\n1,2\n3,4,5,6\n5,6\n"))


def test_file_that_begins_with_a_blank_line_is_refused(csv: Write) -> None:
    with pytest.raises(DataError, match="begins with a blank line instead of column names"):
        load(csv("\n\na,b\n1,2\n"))


def test_several_files_are_left_to_a_query(here: Path) -> None:
    with pytest.raises(DataError, match=r"Name several files in an SQL query, as FROM 'part-\*\.csv'"):
        load("part-*.csv")


def test_binary_file_is_no_csv(here: Path) -> None:
    Path("data.csv").write_bytes(bytes(range(256)) * 10)

    with pytest.raises(DataError, match=r"'data\.csv' is no CSV file in UTF-8"):
        load("data.csv")


def test_other_encoding_is_refused(here: Path) -> None:
    Path("data.csv").write_bytes("name,b\ncafé,1\n".encode("latin-1"))

    with pytest.raises(DataError, match=r"no.*UTF-8"):
        load("data.csv")


def test_parquet_named_csv_says_so(parquet: Write) -> None:
    with pytest.raises(DataError, match=r"is named \.csv and is a Parquet file"):
        load(parquet({"a": [1]}, "data.csv"))


def test_csv_named_parquet_is_refused(csv: Write) -> None:
    with pytest.raises(DataError, match=r"cannot be read:.*magic bytes.*Write it again as Parquet"):
        load(csv("a,b\n1,2\n3,4\n5,6\n", "data.parquet"))


def test_digest_follows_the_bytes(csv: Write) -> None:
    before = source(csv("a,b\n1,2\n")).digest()

    assert source(csv("a,b\n1,2\n", "copy.csv")).digest() == before
    assert source(csv("a,b\n1,3\n")).digest() != before


def test_query_joins_files(csv: Write, parquet: Write) -> None:
    csv("id,x\n1,10\n2,20\n", "sizes.csv")
    parquet({"id": [1, 2], "y": ["no", "yes"]}, "answers.parquet")

    table = QuerySource("SELECT x, y FROM 'sizes.csv' JOIN 'answers.parquet' USING (id) ORDER BY id").load().table

    assert table.to_pylist() == [{"x": 10, "y": "no"}, {"x": 20, "y": "yes"}]


def test_query_gives_its_columns_without_running(csv: Write) -> None:
    csv("id,x\n1,10\n")

    assert QuerySource("SELECT *, error('ran') AS y FROM 'data.csv'").columns() == ("id", "x", "y")


@pytest.mark.parametrize("sql", ["SELECT 1; SELECT 2", "WITH a AS (SELECT 1) INSERT INTO b FROM a", "SELECT"])
def test_only_one_query_is_run(here: Path, sql: str) -> None:
    with pytest.raises(DataError, match=r"data\.source: (expected one SELECT query|the query cannot be run)"):
        QuerySource(sql).load()


def test_query_writes_no_file(here: Path) -> None:
    with pytest.raises(DataError, match="expected one SELECT query"):
        QuerySource("COPY (SELECT 1) TO 'out.csv'").load()
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "WITH x AS (COPY (SELECT 1) TO 'written.csv') FROM x",
        "with x as materialized (copy (select 1) to 'written.csv') select * from x",
        "WITH x AS (COPY (SELECT 1) TO 'a.csv') SELECT * FROM 'a.csv'",
        "WITH a AS (SELECT 1), x AS (COPY (FROM a) TO 'written.parquet') SELECT * FROM a, x",
        "FROM query('WITH x AS (COPY (SELECT 1) TO ''written.csv'') FROM x')",
        "FROM enable_logging('QueryLog', level='debug', storage='file', storage_config={'path': 'written'})",
        "FROM enable_profiling('json', save_location='written.json')",
        "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "FROM sqlite_scan('written.db', 'a')",
    ],
)
def test_what_is_called_a_query_and_writes_is_refused(csv: Write, here: Path, sql: str) -> None:
    csv("x,y\n1,2\n", "a.csv")
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    for ask in (QuerySource(sql).columns, QuerySource(sql).load):
        with pytest.raises(DataError, match=r"data\.source: the query (must only read|cannot be run)"):
            ask()
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_a_query_may_speak_of_what_writes(csv: Write) -> None:
    csv("x,y\n1,2\n", "a.csv")
    assert QuerySource("WITH b AS (FROM 'a.csv') SELECT 'COPY TO' AS w, x FROM b").load().table.num_rows == 1


def test_query_does_not_see_variables_of_python(here: Path) -> None:
    # DuckDB would look among the names of the module that calls it.
    with pytest.raises(DataError, match="Table with name MISSING does not exist"):
        QuerySource("SELECT * FROM MISSING").load()


def test_query_over_a_missing_file_names_it(here: Path) -> None:
    with pytest.raises(DataError, match=r"the query cannot be run:.*none\.csv"):
        QuerySource("SELECT * FROM 'none.csv'").columns()


def test_query_that_fails_on_a_row_is_refused(csv: Write) -> None:
    csv("a,b\n1,x\n")

    with pytest.raises(DataError, match=r'the query failed: .*Could not convert string "x"'):
        QuerySource("SELECT CAST(b AS INTEGER) AS n FROM 'data.csv'").load()


def test_a_header_of_very_many_names_is_read_by_its_delimiter(tmp_path: Path) -> None:
    names = [f"column_{number}" for number in range(20_000)]  # longer as a whole than a field of csv may be
    (tmp_path / "wide.csv").write_text(";".join(names) + "\n" + ";".join("1" for _ in names) + "\n")

    header = read_header(tmp_path / "wide.csv")

    assert (header.delimiter, len(header.names)) == (";", 20_000)
