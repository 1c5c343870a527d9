import pytest

from pegbox.datasets.function import FunctionSource
from pegbox.datasets.sklearn_sets import SklearnSource
from pegbox.datasets.source import Source
from pegbox.datasets.source_kinds import source_of
from pegbox.datasets.table_files import FileSource, QuerySource
from pegbox.schemas.data import DataSpec
from pegbox.schemas.errors import DataError


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("sklearn:iris", SklearnSource("iris")),
        ("data/train.csv", FileSource(DataSpec(source="data/train.csv"))),
        ("data/TRAIN.CSV.GZ", FileSource(DataSpec(source="data/TRAIN.CSV.GZ"))),
        ("rows.tsv", FileSource(DataSpec(source="rows.tsv"))),
        ("select.parquet", FileSource(DataSpec(source="select.parquet"))),
        ("my data.csv", FileSource(DataSpec(source="my data.csv"))),
        ("SELECT * FROM 'a.csv'", QuerySource("SELECT * FROM 'a.csv'")),
        ("select a from b.parquet", QuerySource("select a from b.parquet")),
        ("\n  from 'a.csv'", QuerySource("\n  from 'a.csv'")),
        ("my_project.data:load", FunctionSource("my_project.data:load")),
    ],
)
def test_text_names_its_kind_of_source(text: str, source: Source) -> None:
    assert source_of(DataSpec(source=text)) == source


@pytest.mark.parametrize("text", ["rows.xlsx", "data", "my-project:load", "https://example.org/rows"])
def test_anything_else_is_refused_with_what_is_known(text: str) -> None:
    with pytest.raises(DataError, match=r"expected sklearn:<name>, a path that ends in \.csv.* got '"):
        source_of(DataSpec(source=text))
