"""Every option, placeholder, state and column that a user can meet stands on a page."""

import inspect
import re
from pathlib import Path

import pytest

from pegbox.cli.app import COMMANDS, GROUPS, app
from pegbox.schemas.events import RunStarted
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.study_schema import study_schema
from pegbox.schemas.trial import TrialState
from pegbox.search.methods import METHODS, SCHEDULES
from pegbox.storage.history_file import open_history
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study
from pegbox.training.command_line import ALL_PARAMETERS, COMMAND_NAMES
from pegbox.training.command_output import METRICS_FORMS
from pegbox.training.printed_line import KINDS, PARTS, STEP_NAMES
from pegbox.training.trial_handle import TrialHandle

ROOT = Path(__file__).parents[2]
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
EVERYWHERE = "\n".join(PAGES.values())
PROGRAMS = PAGES["tune-any-program.md"]
ROOMS = ["cli", "execution", "flows", "report", "storage", "tasks", "training"]
OWN_MARKS = {"PEGBOX_PROCESS"}
"""Environment variables that programs inherit and nobody sets or reads but pegbox itself."""
WRITTEN_BY_PEGBOX = {"narrowed_by"}
"""Keys of a study that pegbox writes when it begins, and nobody else."""


def quoted(name, page=EVERYWHERE):
    """True if a name stands on a page by itself, as code."""
    return re.search(rf"[`({{\"'| ]{re.escape(name)}(?![\w-])", page) is not None


@pytest.mark.parametrize("name", [*COMMAND_NAMES, *ALL_PARAMETERS])
def test_every_placeholder_is_told(name):
    template = (ROOT / "cli" / "templates" / "command" / "study.yaml").read_text(encoding="utf-8")

    assert f"`{{{name}}}`" in PROGRAMS
    assert f"{{{name}}}" in template


def test_every_environment_variable_is_told():
    sources = [path.read_text(encoding="utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"PEGBOX_[A-Z_]*[A-Z]", text)}
    given = {f"PEGBOX_{name.upper()}" for name in COMMAND_NAMES}

    assert [name for name in sorted(read | given - OWN_MARKS) if name not in EVERYWHERE and name not in OWN_MARKS] == []


@pytest.mark.parametrize("form", METRICS_FORMS)
def test_every_way_to_read_metrics_is_told(form):
    assert f"`{form.partition('<')[0]}" in PROGRAMS


@pytest.mark.parametrize("word", [*STEP_NAMES, *sorted(PARTS), *sorted(KINDS)])
def test_every_word_that_the_reader_knows_is_told(word):
    assert f"`{word}`" in PROGRAMS


def test_every_key_of_a_study_is_told():
    schema = study_schema()
    keys = {key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})}

    assert [
        key
        for key in sorted(keys - WRITTEN_BY_PEGBOX)
        if not re.search(rf"`{re.escape(key)}`|\b{re.escape(key)}: ", EVERYWHERE)
    ] == []


@pytest.mark.parametrize(("name", "kind"), [*METHODS.items(), *SCHEDULES.items()])
def test_every_method_and_schedule_is_told_with_its_options(name, kind):
    assert [one for one in (name, *kind.model_fields) if f"`{one}`" not in EVERYWHERE] == []


def test_every_command_and_option_is_told():
    commands = {name: app[name] for name in COMMANDS}
    for group in GROUPS:
        commands |= {f"{group} {own}": app[group][own] for own in app[group] if not own.startswith("-")}
    options = {
        option
        for name, command in commands.items()
        if name not in GROUPS
        for argument in command.assemble_argument_collection()
        if argument.index is None  # what has a place needs no option
        for option in argument.names
        if option.startswith("--")
    }

    page = PAGES["command-line.md"]
    assert [name for name in (*commands, *sorted(options)) if not quoted(name, page)] == []


@pytest.mark.parametrize("word", [*TrialState, *FailureKind])
def test_every_state_and_kind_of_failure_is_told(word):
    assert word is FailureKind.STORE or quoted(word.value)  # a store's failure ends the run and is never recorded


def test_all_that_a_function_may_ask_its_trial_is_told():
    attributes = re.findall(r"self\.([a-z]\w*)[^=\n]* =", inspect.getsource(TrialHandle.__init__))
    names = [*attributes, *(name for name in vars(TrialHandle) if not name.startswith("_"))]

    assert [name for name in names if not re.search(rf"\b{name}\b", PAGES["train-your-function.md"])] == []


def test_every_column_is_told(tmp_path):
    raw = {"name": "digits", "train": {"kind": "function", "function": "train:run"}, "space": {"lr": [1, 2]}}
    spec = StudySpec.model_validate({**raw, "objective": {"metric": "val_loss"}, "budget": {"trials": 1}})
    with open_study(open_store(tmp_path), spec, RunStarted(study="digits", run="r", host="h", pid=1)):
        pass
    with open_history(tmp_path) as history:
        columns = history.sql(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'store' AND NOT internal"
        ).fetchall()
    hidden = {"schema_migrations", "schema_views", "journals", "study_digits"}

    untold = [one for one in columns if one[0] not in hidden and f"| `{one[1]}` |" not in section(one[0])]
    assert untold == []


def section(table):
    return PAGES["sql.md"].partition(f"\n### {table}\n")[2].partition("\n### ")[0]
