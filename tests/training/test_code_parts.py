"""What counts as the code of a study: changed meaning is seen, unchanged meaning is not."""

import importlib.metadata
import sys

import pytest
from pydantic import TypeAdapter

from pegbox.schemas.code import Code, CodePart
from pegbox.schemas.errors import StudyError
from pegbox.schemas.plan import RunSpec
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import TrainSpec
from pegbox.training import code_parts
from pegbox.training.kinds.registry import check_training, code_of, own_code

TRAIN = TypeAdapter(TrainSpec)


def study_of(train, **run):
    """As much of a study as its code is read from."""
    return StudySpec.model_construct(train=TRAIN.validate_python(train), run=RunSpec(**run))


OBJECTIVE = "import lib\ndef run(x):\n    return lib.f(x)\n"
FUNCTION = {"kind": "function", "function": "obj:run"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory with a small project, and a folder on the path beside it."""
    work, beside = tmp_path / "work", tmp_path / "beside"
    for name, text in {
        "obj.py": OBJECTIVE,
        "lib.py": "def f(x): return x\n",
        "pkg/__init__.py": "",
        "pkg/m.py": "K = 1\n",
        "cfg.json": "1",
        "conf.yaml": "a: 1",
    }.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    beside.mkdir()
    (beside / "beside_lib.py").write_text("def f(x): return x\n")
    monkeypatch.chdir(work)
    monkeypatch.syspath_prepend(str(beside))
    monkeypatch.delenv("K", raising=False)
    sys.path_importer_cache.clear()
    return work


def code(train=FUNCTION):
    sys.path_importer_cache.clear()  # files are written faster than their folder's time of change can tell
    return code_of(study_of(train))


def command(*arguments):
    return {"kind": "command", "command": list(arguments)}


LIB_CHANGES = ("lib.py", "def f(x): return 2 * x\n")


@pytest.mark.parametrize(
    ("objective", "changed"),
    [
        (OBJECTIVE, LIB_CHANGES),
        ("def run(x):\n    import lib\n    return lib.f(x)\n", LIB_CHANGES),
        ("from pkg import m\ndef run(x): return m.K\n", ("pkg/m.py", "K = 2\n")),
        ("import pkg.m\ndef run(x): return pkg.m.K\n", ("pkg/__init__.py", "import os\n")),
        ("import importlib\ndef run(x): return importlib.import_module('lib').f(x)\n", LIB_CHANGES),
        ("import lib\ndef run(x): return getattr(lib, 'f')(x)\n", LIB_CHANGES),
        ("import lib\ndef run(x, name='f'): return getattr(lib, name)(x)\n", LIB_CHANGES),
        ("import json\ndef run(x): return json.load(open('cfg.json')) * x\n", ("cfg.json", "5")),
        ("from pathlib import Path\nC = 'cfg.json'\ndef run(x): return Path(C).read_text()\n", ("cfg.json", "5")),
        (
            "from pathlib import Path\ndef run(x): return (Path(__file__).parent / 'cfg.json').read_text()\n",
            ("cfg.json", "5"),
        ),
        (
            "import beside_lib\ndef run(x): return beside_lib.f(x)\n",
            ("../beside/beside_lib.py", "def f(x): return 2 * x\n"),
        ),
        ("K = 1\ndef run(x): return K * x\n", ("obj.py", "K = 2\ndef run(x): return K * x\n")),
        (
            "def run(x): return inner(x)\ndef inner(x): return x\n",
            ("obj.py", "def run(x): return inner(x)\ndef inner(x): return 2\n"),
        ),
    ],
)
def test_a_change_of_what_is_computed_is_seen(here, objective, changed):
    (here / "obj.py").write_text(objective)
    before = code()

    (here / changed[0]).write_text(changed[1])

    assert code().fingerprint != before.fingerprint


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("obj.py", OBJECTIVE + "# a comment\n"),
        ("lib.py", "'''What it is.'''\ndef f(x):\n    'doc'\n    return x\n"),
        ("obj.py", "import lib\n\n\ndef run(\n    x,\n):\n    return (lib.f(x))\n"),
        ("obj.py", OBJECTIVE + "def plot(): pass\n"),
        ("obj.py", OBJECTIVE.replace("\n", "\r\n")),
        ("unrelated.py", "x = 1\n"),
        ("lib.py", "def f(x): return x\ndef unused(): return 3\nclass Unused: pass\n"),
    ],
)
def test_unchanged_meaning_is_no_change(here, file, text):
    before = code()

    (here / file).write_text(text)

    assert code() == before


@pytest.mark.parametrize(
    ("arguments", "file", "text"),
    [
        (("python", "obj.py", "--config=conf.yaml", "--lr={lr}"), "conf.yaml", "a: 2"),
        (("python", "obj.py", "--config", "conf.yaml"), "conf.yaml", "a: 2"),
        (("python", "-m", "pkg.m", "--lr={lr}"), "pkg/m.py", "K = 2\n"),
        (("bash", "run.sh", "{lr}"), "lib.py", "def f(x): return 2 * x\n"),
        (("bash", "run.sh", "{lr}"), "conf.yaml", "a: 2"),
    ],
)
def test_what_a_command_names_is_seen(here, arguments, file, text):
    (here / "obj.py").write_text(OBJECTIVE + "print(run(1))\n")
    (here / "run.sh").write_text("set -e\n# python nothing.py\npython obj.py --config=conf.yaml $1\n")
    before = code(command(*arguments))

    (here / file).write_text(text)

    assert code(command(*arguments)) != before


def test_what_training_writes_is_none_of_its_code(here):
    (here / "obj.py").write_text(
        "from pathlib import Path\ndef run(x):\n    with Path('log.txt').open('a') as log: log.write('x')\n"
        "    Path('n').write_text(Path('n').read_text())\n"
    )
    function, program = code(), code(command("python", "obj.py", "--out=log.txt", "--log-file", "n"))
    (here / "log.txt").write_text("1")
    (here / "n").write_text("1")

    assert code() == function
    assert code(command("python", "obj.py", "--out=log.txt", "--log-file", "n")) == program


def test_variables_that_are_asked_for_count_and_secrets_do_not(here, monkeypatch):
    (here / "obj.py").write_text(
        "import os\ndef run(x): return os.environ['K'], os.getenv('API_KEY'), os.environ.get('HOME')\n"
    )
    before = code()

    monkeypatch.setenv("API_KEY", "abc")
    monkeypatch.setenv("HOME", "/elsewhere")
    assert code() == before
    monkeypatch.setenv("K", "hunter2")

    assert code() != before
    assert "hunter2" not in code().model_dump_json()


def test_versions_of_imported_packages_count_by_what_pip_calls_them(here, monkeypatch):
    (here / "obj.py").write_text("import numpy, sklearn.svm, lib\ndef run(x): return numpy.sin(x)\n")
    before = code()

    monkeypatch.setattr(code_parts, "_version", lambda name: "99")

    assert before.differences(code()) == (
        f"package numpy was {importlib.metadata.version('numpy')}, is 99",
        f"package sklearn was scikit-learn {importlib.metadata.version('scikit-learn')}, is 99",
    )


def test_what_a_study_says_it_depends_on_counts(here, monkeypatch):
    depends = {**FUNCTION, "depends": ["conf.yaml", "pkg", "env:K", "numpy", "package:torch"]}
    before = code(depends)
    kinds = [part.kind for part in before.parts]
    assert kinds.count("package") == 2
    assert kinds.count("environment") == 1

    (here / "pkg" / "m.py").write_text("K = 3\n")
    assert before.differences(code(depends)) == ("pkg/m.py changed",)
    assert code({**depends, "version": 2}).differences(code({**depends, "version": 3})) == ("version was 2, is 3",)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("nowhere.yaml", "no file 'nowhere.yaml' below"),
        ("package:nowhere", "no package 'nowhere' is installed"),
        ("env:WANDB_API_KEY", "looks like a secret"),
        ("numpy", "is a file here and an installed package: write './numpy' or 'package:numpy'"),
    ],
)
def test_what_cannot_be_depended_on_is_named(here, hill, entry, message):
    if entry == "numpy":
        (here / "numpy").mkdir()
    (here / "hill.py").write_text("def run(x): return x\n")
    train = {"kind": "function", "function": "hill:run", "depends": [entry]}

    (problem,) = check_training(hill(train=train))

    assert message in problem.message
    assert problem.path == ("train", "depends", 0)
    with pytest.raises(StudyError, match=r"train\.depends"):
        code(train)


def test_a_module_of_the_project_may_lie_below_pythons_own_prefix(here, monkeypatch):
    before = code()
    monkeypatch.setattr(sys, "base_prefix", str(here))

    assert code() == before
    assert any(part.name == "obj" for part in before.parts)


def test_differences_are_told_in_words():
    was = Code.of([CodePart(kind="module", name="lib", value="1"), CodePart(kind="package", name="torch", value="1")])
    now = Code.of([CodePart(kind="module", name="lib", value="2"), CodePart(kind="environment", name="K", value="3")])

    assert was.differences(now) == ("environment K is new", "lib changed", "package torch counts no more")


def test_what_a_schedule_watches_as_data_is_none_of_its_code(here, hill):
    (here / "hill.py").write_text("def run(x): return x, open('cfg.json'), open('pkg/rows.csv')\n")
    (here / "pkg" / "rows.csv").write_text("1")
    schedule = {"cron": "0 * * * *", "watch": ["pkg"]}
    spec = hill(schedule=schedule)

    code = own_code(spec)

    assert [part.name for part in code.parts] == ["cfg.json", "hill"]


def test_how_many_processes_train_a_trial_is_part_of_what_is_computed(here):
    one, two, four = (
        code_of(study_of(FUNCTION, **run)) for run in ({}, {"processes_per_trial": 2}, {"gpus_per_trial": 4})
    )

    assert one.differences(two) == ("processes is new",)
    assert two.differences(four) == ("processes was 2, is 4",)
