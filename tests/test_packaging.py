"""The house as it is shipped: the rooms, their links, and what a light command may load."""

import subprocess
import sys
from pathlib import Path

import pegbox

ROOT = Path(__file__).parents[1]
ROOMS = {
    "analysis",
    "api",
    "cli",
    "datasets",
    "execution",
    "flows",
    "integrations",
    "models",
    "page",
    "report",
    "schemas",
    "search",
    "storage",
    "tasks",
    "testing",
    "training",
}


def test_every_room_is_linked_into_the_package() -> None:
    links = {path.name: path.readlink() for path in (ROOT / "src/pegbox").iterdir() if path.is_symlink()}

    assert links == {room: Path(f"../../{room}") for room in ROOMS}


def test_every_room_says_what_it_is() -> None:
    sentences = {room: (ROOT / room / "__init__.py").read_text() for room in ROOMS}

    assert all(text.startswith('"""') for text in sentences.values())


def test_package_carries_its_version() -> None:
    assert pegbox.__version__ != "0+unknown"


def test_public_names_are_sorted_and_there() -> None:
    assert list(pegbox.__all__) == sorted(pegbox.__all__)
    assert all(getattr(pegbox, name) is not None for name in pegbox.__all__)


def test_checkout_without_links_still_imports(tmp_path: Path) -> None:
    package = tmp_path / "src" / "pegbox"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text((ROOT / "src/pegbox/__init__.py").read_text())
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")

    done = _python("import pegbox.schemas.base as room; print(room.__file__)", tmp_path / "src")

    assert done.stdout.strip() == str(tmp_path / "schemas" / "base.py")


def test_worker_module_loads_neither_prefect_nor_duckdb() -> None:
    done = _python("import sys, pegbox.execution.segment_worker; print({'prefect', 'duckdb'} & set(sys.modules))")

    assert done.stdout.strip() == "set()"


def _python(code: str, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(path)} if path else None,
    )
