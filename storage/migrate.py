"""Schema migrations of the master database: numbered SQL files, each applied once and never edited."""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pegbox.schemas.errors import StoreCorruptError

DIRECTORY = Path(__file__).parent / "migrations"

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER NOT NULL, name VARCHAR NOT NULL, checksum VARCHAR NOT NULL, applied_at TIMESTAMPTZ NOT NULL
)"""


class Migration(NamedTuple):
    """One numbered step of the schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Of the SQL text; a store remembers it, so that an edited migration is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def migrations(directory: Path = DIRECTORY) -> tuple[Migration, ...]:
    """All steps in order, read from files named `0001_what.sql`."""
    found = []
    for path in sorted(directory.glob("[0-9]*_*.sql")):
        number, name = re.fullmatch(r"(\d+)_(\w+)", path.stem).groups()  # type: ignore[union-attr]
        found.append(Migration(int(number), name, path.read_text(encoding="utf-8")))
    return tuple(found)


SCHEMA_VERSION = len(migrations())


def applied(connection: Any) -> dict[int, str]:
    """Number and checksum of the steps that a database has seen."""
    exists = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_migrations'")
    if not exists.fetchone()[0]:
        return {}
    return dict(connection.execute("SELECT version, checksum FROM schema_migrations").fetchall())


def migrate(connection: Any, steps: tuple[Migration, ...]) -> list[Migration]:
    """Apply the steps that are missing, each in a transaction of its own.

    Args:
        connection: To the master, under the ingest lock, of a schema that is not newer than the steps.
        steps: From the first to the one that is wanted.

    Returns:
        The steps that were applied now.

    Raises:
        StoreCorruptError: A step that was applied differs from the one of this program.
    """
    seen = applied(connection)
    from pegbox.storage.transaction import transaction  # here: `SCHEMA_VERSION` is asked for without a database

    missing = [step for step in steps if step.version not in seen]
    # All are compared before the first is applied: a store of another form is refused as it was found.
    for step in steps:
        if step.version in seen and seen[step.version] != step.checksum:
            raise StoreCorruptError(
                f"Migration {step.version} ({step.name}) must have checksum {step.checksum[:12]}, but the store was "
                f"made with {seen[step.version][:12]!r}. Run `pegbox store rebuild` to make the database again from "
                "its journals."
            )
    for step in missing:
        # One each: DuckDB rolls back DDL too, so that a kill between two leaves a schema with a number.
        with transaction(connection):
            connection.execute(_LEDGER)
            connection.execute(step.sql)
            connection.execute(
                "INSERT INTO schema_migrations VALUES (?, ?, ?, now())", [step.version, step.name, step.checksum]
            )
    return missing
