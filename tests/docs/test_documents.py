"""What the documents say is so: the reference equals the schemas, commands and files that are named exist."""

import re
import runpy
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from pegbox.cli.app import COMMANDS, GROUPS, app
from pegbox.report.check_study import check_study
from pegbox.schemas.study_file import read_study

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND_LINE = re.compile(r"(?:`|^    )pegbox ([a-z][a-z-]*)([^`\n]*)", re.MULTILINE)


def options_of(name):
    """Of a command, or of all that a group of commands holds."""
    commands = [app[name][own] for own in app[name] if not own.startswith("-")] if name in GROUPS else [app[name]]
    return {option for one in commands for argument in one.assemble_argument_collection() for option in argument.names}


@pytest.mark.parametrize(
    ("name", "script", "write"),
    [
        ("study-file.md", "make_reference.py", "write_reference"),
        ("study.schema.json", "make_reference.py", "write_reference"),
        ("command-line.md", "make_command_line.py", "write_command_line"),
        ("sql.md", "make_sql_reference.py", "write_sql_reference"),
    ],
)
def test_the_reference_is_what_its_source_says(tmp_path, name, script, write):
    runpy.run_path(str(ROOT / "docs" / script))[write](tmp_path)

    written, kept = ((folder / name).read_text(encoding="utf-8") for folder in (tmp_path, ROOT / "docs"))
    assert written == kept, f"run `python docs/{script}`"


def test_the_readmes_study_is_valid_as_pasted(tmp_path):
    (study,) = re.findall(r"```yaml[^\n]*\n(.*?)```", README, re.DOTALL)
    (tmp_path / "study.yaml").write_text(study)

    assert check_study(read_study(tmp_path / "study.yaml").spec) == ()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path):
    named = {command for command, _ in COMMAND_LINE.findall(path.read_text(encoding="utf-8"))}

    assert named <= set(COMMANDS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_that_is_named_exists(path):
    lines = COMMAND_LINE.findall(path.read_text(encoding="utf-8"))
    named = {(command, option) for command, rest in lines for option in re.findall(r" (--[a-z-]+)", rest)}

    assert named <= {(command, option) for command in COMMANDS for option in options_of(command)}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path):
    links = re.findall(r"\]\(((?!https?:)[^)#]+)", path.read_text(encoding="utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_map_names_every_room():
    rooms = {link.name for link in (ROOT / "src" / "pegbox").iterdir() if (ROOT / link.name / "__init__.py").exists()}
    drawn = set(re.findall(r"^([a-z]+)/ ", README, re.MULTILINE))

    assert drawn == rooms - {"__pycache__"}


@pytest.mark.parametrize("name", ["run.svg", "answer.svg"])
def test_a_picture_is_one_and_asks_no_other_host(name):
    path = ROOT / "docs" / name

    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert "url(" not in re.sub(r"url\(#", "", path.read_text(encoding="utf-8"))


def test_every_decision_has_its_parts():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:4] for path in decisions]

    assert numbers == sorted(set(numbers))
    for path in decisions:
        headings = re.findall(r"^## (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings[:3] == ["Context", "Decision", "Consequences"], path.name
