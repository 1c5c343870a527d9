"""The page as a file: whole, strict, free of what a study's name may hold; and its parts as people paste them."""

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pegbox.page.analysis_blocks import analyse
from pegbox.page.build import build_page
from pegbox.page.document import StudyPage
from pegbox.page.html_file import BUILT, page_html, write_page
from pegbox.page.space_axes import axes, positions
from pegbox.report.configuration_formats import as_arguments, as_json, as_python, as_yaml
from pegbox.schemas.errors import PageError
from pegbox.schemas.space import Space
from pegbox.schemas.study import StudySpec

CONFIGURATION = {"lr": 1.23e-5, "widths": (64, 32), "off": "no", "flag": True, "nothing": None, "html": "<b>: 'x'"}


def test_yaml_gives_the_exact_configuration_back() -> None:
    loaded = YAML(typ="safe").load(as_yaml(CONFIGURATION))

    assert loaded == {**CONFIGURATION, "widths": [64, 32]}


def test_json_gives_the_exact_configuration_back() -> None:
    assert json.loads(as_json(CONFIGURATION)) == {**CONFIGURATION, "widths": [64, 32]}


def test_python_gives_the_exact_configuration_back() -> None:
    names: dict[str, object] = {}
    exec(as_python(CONFIGURATION), names)

    assert names["configuration"] == CONFIGURATION


def test_arguments_are_quoted_for_a_shell() -> None:
    said = as_arguments({"lr": 0.5, "name": "a b; rm -rf /"})

    assert said == "--lr 0.5 --name 'a b; rm -rf /'"


def test_study_file_of_the_page_is_the_same_study(simulated_page: StudyPage) -> None:
    loaded = YAML(typ="safe").load(simulated_page.lineage.spec)

    spec = StudySpec.model_validate(loaded)

    assert spec.name == "higgs-mlp"
    assert spec.space.parameters["layers"].contains(3)
    assert not spec.space.parameters["layers"].contains(2.5)


def test_true_is_not_the_category_one() -> None:
    space = Space.model_validate({"nesterov": [True, False, 1]})

    columns = positions(space, [{"nesterov": True}, {"nesterov": 1}, {}])

    assert columns["nesterov"] == (0.0, 2.0, None)


def test_a_value_beside_the_range_keeps_its_place() -> None:
    space = Space.model_validate({"decay": {"min": 1e-6, "max": 0.1, "log": True, "extra": [0.0, 0.01]}})

    assert axes(space)[0].extra == (0.0,)


def test_policy_allows_this_script_and_style_only(simulated_page: StudyPage) -> None:
    page = page_html(simulated_page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)

    assert policy is not None
    assert script is not None
    assert _hash(script[1]) in policy[1]
    assert policy[1].startswith("default-src 'none'")
    assert "unsafe" not in policy[1]


def test_data_of_the_page_is_the_document(simulated_page: StudyPage) -> None:
    packed = re.search(r'id="page-data" data-view="">([^<]*)<', page_html(simulated_page))

    assert packed is not None
    assert StudyPage.model_validate_json(gzip.decompress(base64.b64decode(packed[1]))) == simulated_page


def test_hostile_name_is_never_markup(simulated_store: Path) -> None:
    hostile = next(
        row.study for row in build_page(simulated_store, "higgs-mlp", 0.0, analyse).studies if "<" in row.study
    )

    page = page_html(build_page(simulated_store, hostile, 0.0, analyse))

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_a_file_that_cannot_be_written_is_named(simulated_page: StudyPage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PageError, match=r"file/page\.html"):
        write_page(simulated_page, tmp_path / "file" / "page.html")


def test_writing_leaves_the_page_alone(simulated_page: StudyPage, tmp_path: Path) -> None:
    write_page(simulated_page, tmp_path / "page.html")

    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_bundle_is_what_the_sources_build(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed; the committed bundle is taken as it is")
    sources = tmp_path / "frontend"
    shutil.copytree(BUILT.parent, sources, ignore=shutil.ignore_patterns("node_modules", "built"))
    got = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        check=False,
        cwd=sources,
        capture_output=True,
        text=True,
    )
    if got.returncode:
        pytest.skip(f"npm cannot install the build's libraries here: {got.stderr.strip()[-200:]}")

    subprocess.run(["node", "build.mjs"], cwd=sources, check=True)

    for name in ("page.js", "page.css", "THIRD-PARTY-LICENSES.txt"):
        assert (sources / "built" / name).read_bytes() == (BUILT / name).read_bytes(), f"{name}: run npm run build"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
