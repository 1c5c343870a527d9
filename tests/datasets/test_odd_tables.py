"""Tables as people have them: each is read as it was meant, or refused with the column, a value and the remedy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pegbox.datasets.frame import Frame, build_frame
from pegbox.datasets.source import Loaded
from pegbox.datasets.source_kinds import source_of
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError


def read(content: str | bytes, **data: Any) -> Frame:
    Path("odd.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = DataSpec(**{"source": "odd.csv", "target": "y", **data})
    return build_frame(spec, None, source_of(spec).load())


def column(cells: Sequence[str], others: Sequence[str] | None = None, delimiter: str = ";") -> str:
    """A file with these cells as column a, and b beside it."""
    rows = [f"{cell}{delimiter}{(others or ['0.5', '1.25'])[i % 2]}{delimiter}{i % 2}" for i, cell in enumerate(cells)]
    return "\n".join([f"a{delimiter}b{delimiter}y", *rows, ""])


COMMA = ["0,5", "1,25"]
"""Beside a column that could be read in two ways: in this file a comma stands before decimals."""


@pytest.mark.parametrize(
    ("cells", "others", "values"),
    [
        (["3.5", "4", "-2"], None, [3.5, 4, -2]),
        (["3,5", "4", "-2"], COMMA, [3.5, 4, -2]),
        (["3,5", "4", "-2,25"], ["1", "2"], [3.5, 4, -2.25]),
        (["1.205", "2.310", "999"], COMMA, [1205, 2310, 999]),
        (["1.205,13", "2.310.000,5"], COMMA, [1205.13, 2310000.5]),
        (["1,205", "2,310", "999"], None, [1205, 2310, 999]),
        (["1,205", "2,310,000"], ["1", "2"], [1205, 2310000]),
        (["1,205.13", "999.5"], None, [1205.13, 999.5]),
        (["1 205,5", "1\u00a0205,5", "1\u202f205"], COMMA, [1205.5, 1205.5, 1205]),
        (["1'205.50", "7"], None, [1205.5, 7]),
        (["12,34,567", "3,456"], None, [1234567, 3456]),
        (["5%", "12.5 %", "0"], None, [5, 12.5, 0]),
        (["$1,205.00", "$7.50"], None, [1205, 7.5]),
        (["€ 7,50", "€ 1.205,00"], COMMA, [7.5, 1205]),
        (["7,50 €", "-8,00 €"], COMMA, [7.5, -8]),
        (["USD 5", "USD 6"], None, [5, 6]),
        (["(5.5)", "7"], None, [-5.5, 7]),
        (["5.5-", "7"], None, [-5.5, 7]),
        (["\u22125", "7"], None, [-5, 7]),
        (["5 kg", "7.5 kg"], None, [5, 7.5]),
        (["21°C", "23.5°C"], None, [21, 23.5]),
        (["80 km/h", "120 km/h"], None, [80, 120]),
        (["1e-3", "2E+5", ".5"], None, [1e-3, 2e5, 0.5]),
        (["1,5e3", "2"], COMMA, [1500, 2]),
        (["1", "NA", "n/a", "#N/A", "null", "?", "", " "], None, [1, *[np.nan] * 7]),
        (["1.5", "-", "3.5"], None, [1.5, np.nan, 3.5]),
        (["Yes", "no", "YES"], None, [1, 0, 1]),
        (["TRUE", "False", "true"], None, [1, 0, 1]),
        (["2024-01-02", "2024-01-03"], None, [19724, 19725]),
        (["2024-01-02T12:00:00+00:00", "2024-01-03T00:00:00+12:00"], None, [19724.5, 19724.5]),
        (["31/01/2024", "02/01/2024"], None, [19753, 19724]),
        (["01/31/2024", "01/02/2024"], None, [19753, 19724]),
        (["2.1.2024", "3.1.2024"], None, [19724, 19725]),
        (["2 Jan 2024", "3 January 2024"], None, [19724, 19725]),
        (["Jan 2, 2024", "Jan 3, 2024"], None, [19724, 19725]),
        (["1/2/24 6:00 PM", "1/31/24 6:00 AM"], None, [19724.75, 19753.25]),
    ],
)
def test_numbers_and_dates_are_read_as_they_are_meant(
    here: Path, cells: list[str], others: list[str] | None, values: list[float]
) -> None:
    frame = read(column(cells, others))

    assert frame.numeric_names[0] == "a"
    np.testing.assert_allclose(frame.numeric[:, 0], values, rtol=1e-12)


@pytest.mark.parametrize(
    ("cells", "others", "message"),
    [
        (["1,205", "2,310"], ["1", "2"], "'a' can be read in two ways: '1,205' is 1205 or 1.205. Write `decimal: ','`"),
        (
            ["3,5", "4.25"],
            ["1", "2"],
            "'a' must write all numbers with the same mark before decimals, got '4.25' and '3,5'",
        ),
        (["5 kg", "300 g"], None, "'a' must write all numbers in one unit, got '5 kg' and '300 g'"),
        (["$5", "€6"], None, "'a' must write all numbers in one unit, got '\\$5' and '€6'"),
        (["5%", "0.05"], None, "'a' must write all numbers in one unit, got '5%' and '0.05'"),
        (["1", "2", "3", "unknown"], None, "'a' must hold numbers only, got 'unknown' .* `missing: \\['unknown'\\]`"),
        (["inf", "1.5"], None, "'a' must hold finite numbers that fit a float32, got inf in row 1"),
        (["1e300", "2e300"], None, "'a' must hold finite numbers that fit a float32, got 1e\\+300 in row 1"),
        (["9223372036854775807", "9223372036854775806"], None, "'a' holds whole numbers too long for a double"),
        (["18446744073709551616", "18446744073709551617"], None, "'a' holds whole numbers too long for a double"),
        (["03/04/2024", "05/04/2024"], None, "'a' can be read in two ways: '03/04/2024' may begin with the day"),
        (["31/01/2024", "01/31/2024"], None, "'a' must hold dates in one order of day and month"),
        (["31/01/2024", "02/01/2024", "soon"], None, "'a' must hold dates only, got 'soon' among 2 distinct dates"),
        (["", "", "NA"], None, "'a' holds nothing but missing values. Add it to data.drop"),
        ([f"user {i}" for i in range(60)], None, "'a' has 60 distinct texts in 60 rows, such as 'user 0'"),
    ],
)
def test_what_has_no_single_reading_is_refused(
    here: Path, cells: list[str], others: list[str] | None, message: str
) -> None:
    with pytest.raises(DataError, match=r"^data\.source: .*" + message):
        read(column(cells, others))


@pytest.mark.parametrize(
    "cells",
    [
        ["red", "blue"],
        ["XS", "S", "32"],
        ["c1", "c2"],
        ["0-17", "18-25", "55+"],
        [">50K", "<=50K"],
        ["1.2.3", "1.2.4"],
        ["four\nlines", 'say "hi"'],
    ],
)
def test_words_are_categories(here: Path, cells: list[str]) -> None:
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]

    frame = read(column(quoted))

    assert frame.levels == (tuple(sorted(cells)),)


@pytest.mark.parametrize("entry", [{"categorical": ["a"]}, {"drop": ["a"]}])
def test_the_remedies_of_a_refused_column_work(here: Path, entry: dict[str, Any]) -> None:
    frame = read(column(["5 kg", "300 g"]), **entry)

    assert "a" not in frame.numeric_names


@pytest.mark.parametrize(
    ("cells", "entry", "values"),
    [
        (["1,205", "2,310"], {"decimal": ","}, [1.205, 2.31]),
        (["1,205", "2,310"], {"decimal": "."}, [1205, 2310]),
        (["03/04/2024", "05/04/2024"], {"day_first": True}, [19816, 19818]),
        (["03/04/2024", "05/04/2024"], {"day_first": False}, [19786, 19847]),
        (["1", "2", "unknown"], {"missing": ["unknown"]}, [1, 2, np.nan]),
        (["1", "2", "-999"], {"missing": [-999]}, [1, 2, np.nan]),
    ],
)
def test_one_word_says_which_reading_is_meant(
    here: Path, cells: list[str], entry: dict[str, Any], values: list[float]
) -> None:
    frame = read(column(cells, ["1", "2"]), **entry)

    np.testing.assert_allclose(frame.numeric[:, 0], values)


@pytest.mark.parametrize(
    "content",
    [
        "a,b,y\n1,2,0\n3,4,1\n",
        "a;b;y\n1;2;0\n3;4;1\n",
        "a\tb\ty\n1\t2\t0\n3\t4\t1\n",
        "a|b|y\n1|2|0\n3|4|1\n",
        "a,b,y\r\n1,2,0\r\n3,4,1\r\n\r\n\r\n",
        "a,b,y\r1,2,0\r3,4,1\r",
        "a,b,y\n\n1,2,0\n\n3,4,1\n",
        " a , b ,y\n1, 2,0\n3 ,4,1\n",
        "\ufeffa,b,y\n1,2,0\n3,4,1\n",
        "a,b,y\n1,2,0\n3,4,1\n".encode("utf-16"),
        "a,b,y\n1,2,0\n3,4,1\n".encode("utf-16-be").join([b"\xfe\xff", b""]),
        '"a","b","y"\n"1","2","0"\n"3","4","1"\n',
    ],
)
def test_every_way_to_write_a_table_is_read(here: Path, content: str | bytes) -> None:
    frame = read(content)

    assert frame.numeric_names == ("a", "b")
    assert frame.numeric.tolist() == [[1, 2], [3, 4]]


def test_a_delimiter_in_a_name_does_not_divide(here: Path) -> None:
    assert read("size, cm;weight, kg;y\n1;2;0\n3;4;1\n").numeric_names == ("size, cm", "weight, kg")


def test_a_line_end_in_a_name_is_part_of_it(here: Path) -> None:
    assert read('"a\n(cm)",y\n9.5,0\n0.5,1\n').numeric_names == ("a\n(cm)",)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "mac-roman"])
def test_an_encoding_is_read_by_its_name(here: Path, encoding: str) -> None:
    frame = read("größe,y\n1,klein\n2,größer\n".encode(encoding), encoding=encoding)

    assert (frame.numeric_names, frame.target.classes) == (("größe",), ("größer", "klein"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("größe,y\n1,0\n2,1\n".encode("latin-1"), "no CSV file in UTF-8: .* `encoding: cp1252`"),
        ("a,y\n1,0\n2,ä\n".encode("latin-1"), "no CSV file in UTF-8: .* `encoding: cp1252`"),
        ("a,a,y\n1,2,0\n", "columns must have different names, got 'a' twice. Rename one"),
        ("9.5,1.25,0\n9.6,1.5,1\n", "must begin with a line of column names, got numbers such as '9.5'"),
        ("# exported\na,y\n1,0\n", "must begin with column names, got the comment '# exported'. Delete that line"),
        ("a,b,y\n", "has columns and no rows"),
        ("a,b,y\n1,2,0,\n3,4,1,\n", "line 2 has 4 fields where the header has 3"),
        ("a,y\n1,0\n", "'y' holds one class, '0', in all rows"),
        ("a,y\n1,0\n2,0\n", "'y' holds one class, '0', in all rows"),
        ("a,y\n1,\n2,\n", "'y' holds nothing but missing values"),
        ("a,y\n1,2024-01-01\n2,2024-01-02\n", "'y' holds dates or times, expected classes or numbers"),
    ],
)
def test_a_file_that_cannot_serve_is_refused(here: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(content)


@pytest.mark.parametrize(
    ("cells", "task", "classes"),
    [
        (["1,5", "2,25"], "regression", ()),
        (["10%", "12.5%"], "regression", ()),
        (["1.0", "2.0"], "classification", ("1", "2")),
        (["yes", "no"], "classification", ("no", "yes")),
        (["T", "F"], "classification", ("F", "T")),
        (["1000000000.25", "1000000003.5"], "regression", ()),
    ],
)
def test_a_target_is_read_like_any_column(here: Path, cells: list[str], task: str, classes: tuple[str, ...]) -> None:
    frame = read(f"a;y\n1;{cells[0]}\n2;{cells[1]}\n")

    assert (frame.target.task, frame.target.classes) == (task, classes)


def test_texts_of_other_sources_are_read_too() -> None:
    code = pa.array(["1", "2"]).dictionary_encode()
    table = pa.table({"a": ["1.205,5", "7"], "code": code, "y": ["1", "2"]})

    frame = build_frame(DataSpec(source="my.data:load", target="y"), None, Loaded(table))

    assert frame.numeric[:, 0].tolist() == [1205.5, 7]
    assert frame.categorical_names == ("code",)  # whoever made it a category meant it


def test_all_mistakes_of_a_table_are_told_at_once(here: Path) -> None:
    with pytest.raises(DataError) as raised:
        read("a;b;c;d;y\n5 kg;inf;;1;x\n6 g;2;;2;x\n")

    wrong = ["'a' must write", "'y' holds one class", "'b' must hold finite", "'c' holds nothing"]
    assert len(raised.value.problems) == len(wrong)
    assert all(any(words in problem.message for problem in raised.value.problems) for words in wrong)


def test_nested_columns_are_refused_by_type(parquet: Any) -> None:
    name = parquet({"a": [{"x": 1}, {"x": 2}], "b": [[1], [2]], "c": [b"1", b"2"], "y": [0, 1]})
    spec = DataSpec(source=name, target="y")

    with pytest.raises(DataError) as raised:
        build_frame(spec, None, source_of(spec).load())

    assert [problem.message.split(" holds")[0] for problem in raised.value.problems] == [
        f"the column '{name}'" for name in "abc"
    ]
