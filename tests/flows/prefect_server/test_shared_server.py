"""When the server of a store looks for migrations of its database; that it serves is tested by every flow."""

from importlib.metadata import version
from pathlib import Path

import pytest

from pegbox.flows.prefect_server.shared_server import _is_migrated


@pytest.mark.parametrize(
    ("database", "noted", "is_migrated"),
    [(True, version("prefect"), True), (True, "3.0.0", False), (True, None, False), (False, version("prefect"), False)],
)
def test_database_is_migrated_once_by_each_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: bool, noted: str | None, is_migrated: bool
) -> None:
    monkeypatch.delenv("PREFECT_SERVER_DATABASE_MIGRATE_ON_START", raising=False)
    files = {"prefect.db": "" if database else None, "migrated": noted}
    for name, content in files.items():
        _write(tmp_path / name, content)

    assert _is_migrated(tmp_path) is is_migrated


def _write(path: Path, content: str | None) -> None:
    if content is not None:
        path.write_text(content)
