"""The fenced blocks of a document, and how each is put to the test; what pages there are is the tests' matter.

A page is one sitting in one folder, which holds `study.yaml` and `train.py` of `tests/docs/project` at first:

- a block with a `title` is saved under that name, and a study that is saved must be valid;
- `sh` is run by bash, `python` by Python, `sql` by `pegbox sql`;
- `yaml` without a title holds sections of a study: they replace those of `study.yaml`, and the whole must be valid;
- `text` shows what something looks like, and is not run.

A comment above a block says what is not as usual: `<!-- test: exit 137 -->`, `<!-- test: until it speaks -->` for what
runs until it is stopped, `<!-- test: not run, it installs -->`. A comment of several lines that begins with `test` is
run by bash, unseen by the reader.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pegbox.schemas.yaml_text import parse_yaml

_BLOCK = re.compile(
    r"(?:<!-- test: (?P<note>[^\n]*?) -->\s*?\n\s*)?"
    r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n(?P<text>.*?)^(?P=indent)```"
    r"|<!-- test\n(?P<hidden>.*?)-->",
    re.DOTALL | re.MULTILINE,
)
REASONS_NOT_TO_RUN = (
    "it installs",
    "it needs a bucket",
    "it needs another machine",
    "it needs another study",
    "it waits for a clock",
)
PATIENCE_SECONDS = 300
STOPPED = (0, 130, 143, -signal.SIGINT, -signal.SIGTERM)


class Block(NamedTuple):
    """One block of a document.

    Attributes:
        language: As the fence says it; `sh` for a hidden one.
        title: The file that it is saved as, if any.
        note: What is not as usual.
        text: Without the fences.
        line: Where it begins.
    """

    language: str
    title: str
    note: str
    text: str
    line: int


def blocks_of(document: str) -> list[Block]:
    """All blocks, in the order of the page."""
    found = []
    for match in _BLOCK.finditer(document):
        line = document.count("\n", 0, match.start()) + 1
        text = re.sub(rf"^{match['indent'] or ''}", "", match["text"] or match["hidden"] or "", flags=re.MULTILINE)
        language = "sh" if match["hidden"] else match["language"]
        found.append(Block(language, match["title"] or "", match["note"] or "", text, line))
    return found


def try_block(block: Block, folder: Path, environment: Mapping[str, str]) -> None:
    """Put one block to the test.

    Raises:
        AssertionError: It does not do what the document says.
    """
    if block.note.startswith("not run"):
        assert block.note.removeprefix("not run, ") in REASONS_NOT_TO_RUN, block
        return
    if block.title:
        (folder / block.title).parent.mkdir(parents=True, exist_ok=True)
        (folder / block.title).write_text(block.text, encoding="utf-8")
        return
    match block.language:
        case "sh":
            _run(["bash", "-eo", "pipefail", "-c", block.text], block, folder, environment)
        case "python":
            _run([sys.executable, "-c", block.text], block, folder, environment)
        case "sql":
            _run(["pegbox", "sql", block.text], block, folder, environment)
        case "yaml":
            _check_sections(block.text, folder / "study.yaml", environment)
        case language:
            assert language == "text", f"line {block.line}: nobody knows how to try a block of {language!r}"


def _run(command: list[str], block: Block, folder: Path, environment: Mapping[str, str]) -> None:
    speaks_only = block.note == "until it speaks"
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline() if speaks_only else ""
            if speaks_only:
                os.killpg(process.pid, signal.SIGTERM)  # Ctrl-C is ignored by what was started in the background
            said += process.communicate(timeout=PATIENCE_SECONDS)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    wanted = STOPPED if speaks_only else (int(block.note.removeprefix("exit ") or 0),)
    assert process.returncode in wanted, f"line {block.line}: {block.text}\nended with {process.returncode}: {said}"
    assert said or not speaks_only, f"line {block.line}: {block.text}\nsaid nothing"


def _check_sections(text: str, study: Path, environment: Mapping[str, str]) -> None:
    sections = parse_yaml(text).value
    assert isinstance(sections, dict), f"no sections of a study: {text}"
    whole = parse_yaml(study.read_text(encoding="utf-8")).value | sections
    whole["name"] = "merged"  # none of the store, with which `validate` would compare it
    merged = study.with_name("merged.yaml")
    merged.write_text(json.dumps(whole), encoding="utf-8")
    check_study_file(merged, environment)


def check_study_file(path: Path, environment: Mapping[str, str]) -> None:
    """Have `pegbox validate` look at a study.

    Raises:
        AssertionError: Something is wrong with it.
    """
    command = ["pegbox", "validate", path.name]
    done = subprocess.run(command, cwd=path.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{path.read_text(encoding='utf-8')}\n{done.stderr}"
