"""What a user installs: an sdist, the wheel that is made from it, and a fresh environment outside of the checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = {".py", ".sql", ".json", ".yaml"}
NOT_SHIPPED = ("page/frontend/", "__pycache__")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the sdist of this checkout, and the wheel that was made from that sdist."""
    out = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return out


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel; it borrows the libraries of the one that runs the tests."""
    home = tmp_path_factory.mktemp("fresh")
    venv.create(home, with_pip=False)
    programs = home / "bin"
    (wheel,) = built.glob("*.whl")
    _run(
        sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q", "--no-deps", "--no-index", wheel
    )
    (own,) = home.glob("lib/python*/site-packages")
    # A path that a .pth file names is searched, but its own .pth files, an editable install among them, are not read.
    (own / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def test_wheel_from_the_sdist_holds_every_file_of_every_room(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    rooms = [link for link in (ROOT / "src" / "pegbox").iterdir() if link.is_symlink()]
    files = {path.relative_to(ROOT).as_posix() for room in rooms for path in (ROOT / room.name).rglob("*")}
    expected = {
        name for name in files if Path(name).suffix in SHIPPED and not any(part in name for part in NOT_SHIPPED)
    }

    shipped = {name.removeprefix("pegbox/") for name in zipfile.ZipFile(wheel).namelist()}

    assert expected - shipped == set()
    assert {"page/frontend/built/page.js", "page/frontend/built/page.css", "py.typed"} <= shipped
    assert not [name for name in shipped if name.startswith("page/frontend/src")]


def test_sdist_holds_each_file_once(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()

    assert not [one.name for one in members if one.issym()]
    assert len([one.name for one in members if one.name.endswith("/flows/tune.py")]) == 1


def test_installed_program_runs_from_its_own_files(installed: Path, tmp_path: Path) -> None:
    where = _run(installed / "python", "-c", "import pegbox.cli.app as app; print(app.__file__)", cwd=tmp_path)
    said = _run(installed / "pegbox", "--help", cwd=tmp_path)

    assert Path(where.strip()).is_relative_to(installed.parent)
    assert "demo" in said
    assert "Exit codes" in said


@pytest.mark.flow
def test_installed_program_tunes_and_reports(installed: Path, prefect_api: str, tmp_path: Path) -> None:
    pegbox, api = installed / "pegbox", {"PREFECT_API_URL": prefect_api}
    _run(pegbox, "init", "function", cwd=tmp_path)
    study = tmp_path / "study.yaml"
    short = re.sub(r"trials: \d+", "trials: 2", study.read_text(encoding="utf-8"))
    study.write_text(re.sub(r"top: \d+, seeds: \d+", "top: 1, seeds: 1", short), encoding="utf-8")
    _run(pegbox, "run", "study.yaml", cwd=tmp_path, env=api)
    _run(pegbox, "report", "--out", "page.html", cwd=tmp_path)

    assert "page-data" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_installed_program_runs_its_demo(installed: Path, tmp_path: Path) -> None:
    said = _run(installed / "pegbox", "demo", cwd=tmp_path)

    assert "val_loss" in said


def _run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What a program prints; its own environment knows nothing of the checkout."""
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean | (env or {}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout
