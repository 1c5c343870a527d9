"""Writes docs/sql.md from the comments that a history itself holds: `python docs/make_sql_reference.py`."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from pegbox.schemas.events import RunStarted
from pegbox.schemas.study import StudySpec
from pegbox.storage.completion import Word, completion_words
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


def write_sql_reference(folder: Path = HERE) -> None:
    """Write the page."""
    words = [word for word in _words() if word.name not in HIDDEN]
    parts = [HEAD, *(_section(kind, (word for word in words if word.kind == kind)) for kind in KINDS)]
    (folder / "sql.md").write_text("\n".join(parts), encoding="utf-8")


def _words() -> tuple[Word, ...]:
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
        return completion_words(store)


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
