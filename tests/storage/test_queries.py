"""SQL has one home: no room above `storage` holds the text of a query that it runs."""

import ast
import re
from pathlib import Path

import pegbox

ROOMS = Path(pegbox.__file__).parent
ABOVE = ("report", "page", "execution", "tasks", "flows", "cli")
QUERY = re.compile(r"\bSELECT\b.*\bFROM\b|^\s*FROM\s|\bWITH\s+\w+\s+AS\s*\(", re.DOTALL | re.MULTILINE)
EXAMPLE = re.compile(r"^pegbox sql ")
"""Help of the command line, which nobody runs but its reader."""

OF_OTHERS = {"fresh_database.py"}
"""Files that ask a database which is not pegbox's: Prefect's own, before a server has it."""


def _queries(source: str) -> list[str]:
    nodes = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return [text for text in nodes if isinstance(text, str) and QUERY.search(text) and not EXAMPLE.search(text)]


def test_a_query_is_found_wherever_it_stands() -> None:
    asks = 'history.sql("SELECT state, count(*) " "FROM trials")\nother = f"FROM {view} ORDER BY value"'
    assert len(_queries(asks)) == 2
    assert _queries('print("one SELECT", "Rows come FROM the store", "from trials")') == []


def test_no_room_above_storage_holds_sql() -> None:
    sources = [path for room in ABOVE for path in (ROOMS / room).glob("**/*.py") if path.name not in OF_OTHERS]
    assert len(sources) > 100
    found = {path.name: _queries(path.read_text(encoding="utf-8")) for path in sources}
    assert {name: queries for name, queries in found.items() if queries} == {}
