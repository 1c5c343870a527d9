"""Writes docs/sql.md from the comments that a history itself holds: `python docs/make_sql_reference.py`."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pegbox.schemas.events import RunStarted
from pegbox.schemas.study import StudySpec
from pegbox.storage.completion import Word, completion_words
from pegbox.storage.history_file import open_history
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

HERE = Path(__file__).parent
HIDDEN = ("schema_migrations", "schema_views", "journals", "study_digits")
HEAD = """# Tables, views and macros

<!-- Written by docs/make_sql_reference.py from the comments in the database; change those, not this page. -->

What `pegbox sql`, the console of `pegbox ui`, `pegbox.open(store).sql` and any program that opens
`.pegbox/history.duckdb` may ask. `.help NAME` at the prompt of `pegbox sql` tells the same. Beside these there is a
view `study_<name>` for each study, with a typed column for each of its parameters.
"""
KINDS = {
    "macro": "Macros are called like tables: `FROM top('digits', k := 5)`. Parameters after the study may be left out "
    "where the example leaves them out.",
    "view": "Views are asked like tables.",
    "table": "The tables that views and macros are made of.",
}


COLUMNS = """SELECT table_name, column_name, data_type, coalesce(comment, '') FROM duckdb_columns()
WHERE database_name = 'store' AND NOT internal ORDER BY table_name, column_index"""


class Column(NamedTuple):
    """A column of a table or view."""

    table: str
    name: str
    type: str
    comment: str


def write_sql_reference(folder: Path = HERE) -> None:
    """Write the page."""
    words, columns = _words_and_columns()
    shown = [word for word in words if word.name not in HIDDEN]
    parts = [HEAD, *(_section(kind, (word for word in shown if word.kind == kind)) for kind in KINDS)]
    names = [word.name for word in shown if word.kind in {"table", "view"}]
    parts += ["## Columns\n", *(_columns(name, (one for one in columns if one.table == name)) for name in names)]
    (folder / "sql.md").write_text("\n".join(parts), encoding="utf-8")


def _columns(table: str, columns: Iterable[Column]) -> str:
    rows = [f"| `{one.name}` | {one.type} | {one.comment} |".replace("\n", " ") for one in columns]
    return "\n".join([f"### {table}\n", "| column | type | |", "|---|---|---|", *rows]) + "\n"


def _words_and_columns() -> tuple[tuple[Word, ...], list[Column]]:
    """Of a history with one study and no trial."""
    spec = StudySpec.model_validate(
        {
            "name": "digits",
            "train": {"kind": "function", "function": "train:run"},
            "space": {"lr": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": "val_loss"},
            "budget": {"trials": 1},
        }
    )
    with TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        with open_study(store, spec, RunStarted(study=spec.name, run="run", host="host", pid=1)):
            pass
        with open_history(store.root) as history:
            columns = [Column(*row) for row in history.sql(COLUMNS).fetchall()]
        return completion_words(store), columns


def _section(kind: str, words: Iterable[Word]) -> str:
    rows = [_row(word) for word in words]
    return "\n".join([f"## {kind.title()}s\n\n{KINDS[kind]}\n", "| | | example |", "|---|---|---|", *rows]) + "\n"


def _row(word: Word) -> str:
    name = f"{word.name}({word.parameters})" if word.kind == "macro" else word.name
    said, _, example = word.comment.partition(" Example: ")
    shown = f"`{example.rstrip(';')}`" if example else ""
    return f"| `{name}` | {said} | {shown} |".replace("\n", " ")


if __name__ == "__main__":
    write_sql_reference()
