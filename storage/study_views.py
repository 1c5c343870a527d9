"""Gives each study a view with one typed column for each of its parameters; reads only the study's space."""

import duckdb
from pydantic import ValidationError

from pegbox.schemas.domains import AnyDomain, Categorical, Constant, Float, Integer, Ordinal
from pegbox.schemas.study import StudySpec
from pegbox.storage.master import identifier, quoted
from pegbox.storage.transaction import transaction

FIXED = (
    "number",
    "state",
    "value",
    "competes",
    "budget",
    "seconds",
    "failure_kind",
    "attempt",
    "started_at",
    "ended_at",
)
"""Columns of `trials` that every study's view begins with."""
MOST_COMMENTS = 100
"""A comment takes time that grows with the view; wider spaces go without."""


def refresh_study_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the views of studies that are new or were changed.

    A view is named `study_<name>`; where another study's name differs only by case, ` (2)` is added.
    """
    waiting = connection.execute("SELECT study, spec FROM studies WHERE view_name IS NULL ORDER BY created_at, study")
    for study, spec in waiting.fetchall():
        try:
            parsed = StudySpec.model_validate_json(spec)
        except ValidationError:  # written by another version; the study goes without a view of its own
            connection.execute("UPDATE studies SET view_name = '' WHERE study = ?", [study])
            continue
        name = _free_name(connection, study)
        with transaction(connection):
            _make_view(connection, name, parsed)
            connection.execute(
                "UPDATE studies SET view_name = ?, rungs = ? WHERE study = ?", [name, list(parsed.rungs), study]
            )


def _free_name(connection: duckdb.DuckDBPyConnection, study: str) -> str:
    rows = connection.execute("SELECT lower(view_name) FROM studies WHERE view_name IS NOT NULL").fetchall()
    taken = {row[0] for row in rows}
    # DuckDB folds the case of names, studies do not: Digits and digits are two.
    name, count = f"study_{study}", 1
    while name.lower() in taken:
        count += 1
        name = f"study_{study} ({count})"
    return name


def _make_view(connection: duckdb.DuckDBPyConnection, name: str, spec: StudySpec) -> None:
    columns = column_names(spec)
    typed = [
        # A typed column over one VARIANT: at a million trials a heat map took 150 ms typed, 279 over VARIANT, 3,450
        # over JSON and 3,275 over rows of entity, attribute and value (DuckDB 2.0). TRY_CAST, because a value of an
        # earlier, wider domain may not fit: NULL, and no query that fails.
        f"TRY_CAST(variant_extract(params, {quoted(parameter)}) AS {sql_type(spec.space.parameters[parameter])}) "
        f"AS {identifier(column)}"
        for parameter, column in columns.items()
    ]
    query = f"SELECT {', '.join([*FIXED, *typed])} FROM trials WHERE study = {quoted(spec.name)}"  # noqa: S608 - quoted
    connection.execute(f"CREATE OR REPLACE VIEW {identifier(name)} AS {query}")
    text = f"Trials of the study {spec.name}, one typed column for each parameter; NULL where it was not active."
    connection.execute(f"COMMENT ON VIEW {identifier(name)} IS {quoted(text)}")
    if len(columns) <= MOST_COMMENTS:
        described = {column: describe(spec.space.parameters[parameter]) for parameter, column in columns.items()}
        for column, said in (_fixed_comments(connection) | described).items():
            connection.execute(f"COMMENT ON COLUMN {identifier(name)}.{identifier(column)} IS {quoted(said)}")


def _fixed_comments(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What the comments of `trials` say of the columns that every study's view begins with."""
    query = (
        "SELECT column_name, comment FROM duckdb_columns() WHERE database_name = current_database() "
        "AND table_name = 'trials' AND comment IS NOT NULL AND list_contains(?, column_name)"
    )
    return dict(connection.execute(query, [FIXED]).fetchall())


def column_names(spec: StudySpec) -> dict[str, str]:
    """Parameter to column; a name that is taken (names differ by more than case in SQL) gets `param_` before it."""
    taken = set(FIXED)
    columns = {}
    for parameter in spec.space.parameters:
        column = parameter
        while column.lower() in taken:
            column = f"param_{column}"
        taken.add(column.lower())
        columns[parameter] = column
    return columns


def sql_type(domain: AnyDomain) -> str:
    """The SQL type that holds every value of a domain."""
    match domain:
        case Float():
            return "DOUBLE"
        case Integer():
            return "BIGINT"
        case Categorical(values=values) | Ordinal(values=values):
            return _common_type(values)
        case Constant(value=value):
            return _common_type((value,))


def _common_type(values: tuple[object, ...]) -> str:
    if all(isinstance(value, bool) for value in values):
        return "BOOLEAN"
    # Mixed with numbers: as text, or True and 1 would be one level.
    if any(isinstance(value, bool) for value in values):
        return "VARCHAR"
    if all(isinstance(value, int) and abs(value) < 1 << 63 for value in values):
        return "BIGINT"
    if all(isinstance(value, int | float) for value in values):
        return "DOUBLE"
    return "VARCHAR"


def describe(domain: AnyDomain) -> str:
    """The domain in a few words."""
    match domain:
        case Float() | Integer():
            kind = "integer" if isinstance(domain, Integer) else "float"
            text = f"{kind} from {domain.min:g} to {domain.max:g}{' on a log scale' if domain.log else ''}"
        case Categorical(values=values) | Ordinal(values=values):
            text = f"{'ordered ' if domain.ordered else ''}one of {', '.join(map(str, values))}"
        case Constant(value=value):
            text = f"always {value}"
    conditions = [f"{parent} is {wanted}" for parent, wanted in domain.when.items()]
    return text + (f"; active where {' and '.join(conditions)}" if conditions else "")
