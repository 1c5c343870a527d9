"""`pegbox.Study`: what it is made of, what it gives back, and closures that workers are handed."""

import asyncio
import importlib
import linecache
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import pegbox
from pegbox.api.closures import import_path_of, source_fingerprint
from pegbox.api.tables import as_form
from pegbox.schemas.errors import NotFoundError, QueryError, StudyError
from pegbox.storage.history_file import open_history

SECTIONS: dict[str, Any] = {
    "space": {"x": {"min": 0.0, "max": 1.0}},
    "objective": {"metric": "value"},
    "budget": {"trials": 3},
    "finalists": {"top": 1, "seeds": 1},
}


def test_the_door_is_seen_from_the_package():
    stubs = Path(pegbox.__file__).with_suffix(".pyi").read_text(encoding="utf-8")

    assert dir(pegbox) == sorted(pegbox.__all__)
    # What editors and type checkers are told is what there is.
    told = set(re.findall(r" as (\w+)$", stubs, re.MULTILINE))
    assert told == {name for name in pegbox.__all__ if name != "__version__"}
    # Without `tune`, which loads Prefect.
    assert all(getattr(pegbox, name) is not None for name in pegbox.__all__ if name != "tune")


def test_a_file_a_mapping_and_keywords_are_one_study(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(
        "name: s\ntrain: {kind: function, function: 'train:run'}\nspace: {x: {min: 0.0, max: 1.0}}\n"
        "objective: {metric: value}\nbudget: {trials: 3}\nfinalists: {top: 1, seeds: 1}\n"
    )
    train = {"kind": "function", "function": "train:run"}

    of_file = pegbox.Study(file)
    assert of_file.spec == pegbox.Study({"name": "s", "train": train, **SECTIONS}).spec
    assert of_file.spec == pegbox.Study(name="s", train=train, **SECTIONS).spec
    assert pegbox.Study(file, budget={"trials": 9}).spec.budget.trials == 9


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: pegbox.Study(name="s"), "space"),
        (lambda: pegbox.Study(3), "a study is a path, a mapping or keywords, got 3"),
        (lambda: pegbox.Study("nowhere.yaml"), "there is no such file"),
        (lambda: pegbox.Study(name="s", **SECTIONS | {"space": {"x": pegbox.Float(1, 0)}}), "min"),
        (lambda: pegbox.Study(name="s", speed=3, **SECTIONS), "speed"),
    ],
)
def test_a_study_that_is_not_valid_is_refused_when_it_is_made(made, says):
    with pytest.raises(StudyError, match=says):
        made()


def test_domains_in_code_are_those_of_a_file():
    mine = pegbox.Study(
        name="s",
        **SECTIONS
        | {
            "space": {
                "lr": pegbox.Float(1e-4, 1e-1, log=True),
                "n": pegbox.Int(2, 8, step=2),
                "size": pegbox.Choice([1, 2, 4], ordered=True),
                "kind": pegbox.Choice(["a", "b"]),
                "momentum": pegbox.Float(0, 1, when={"kind": "a"}),
                "width": pegbox.Const(7),
            }
        },
    )

    said = {name: type(domain).__name__ for name, domain in mine.spec.space.parameters.items()}
    assert said == {
        "lr": "Float",
        "n": "Integer",
        "size": "Ordinal",
        "kind": "Categorical",
        "momentum": "Float",
        "width": "Constant",
    }


def helper(x):
    return x + 1


def test_a_closure_is_known_by_its_source_and_by_what_it_holds():
    def make(offset, verbose=False):
        def train(x):
            return helper(x) + offset

        return train

    def other(x):
        return helper(x) + 1 + 1

    assert source_fingerprint(make(1)) == source_fingerprint(make(1))
    assert source_fingerprint(make(1)) != source_fingerprint(make(2))
    assert source_fingerprint(make(1)) != source_fingerprint(other)


def test_a_function_of_a_file_goes_by_its_name(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_training.py").write_text("def run(x):\n    return x\n")
    import own_training

    assert import_path_of(own_training.run, "s", tmp_path) == "own_training:run"


def test_a_closure_is_known_by_the_classes_and_modules_that_it_uses(tmp_path, monkeypatch):
    """Of a notebook: a class of a cell, and a module of the project."""

    def notebook(method, helper):
        (tmp_path / "closure_lib.py").write_text(f"def f(x): return {helper}\ndef unused(): return {helper}0\n")
        sys.modules.pop("closure_lib", None)
        sys.path_importer_cache.clear()
        importlib.invalidate_caches()
        source = (
            "import closure_lib\nclass Net:\n    def forward(self): return " + method + "\n"
            "def run(x): return Net().forward() + closure_lib.f(x)\n"
        )
        name = f"<cell {method}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        cell = {"__name__": "__main__"}
        exec(compile(source, name, "exec"), cell)
        return source_fingerprint(cell["run"])

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    assert notebook("1", "x") == notebook("1", "x")
    assert notebook("1", "x") != notebook("2", "x")
    assert notebook("1", "x") != notebook("1", "2 * x")


def test_a_closure_is_imported_from_the_store(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    offset = 2

    module, _, name = import_path_of(lambda x: x + offset, "my study", tmp_path).partition(":")

    assert getattr(__import__(module), name)(1) == 3
    assert (tmp_path / "functions" / f"{module}.pkl").stat().st_mode & 0o777 == 0o600


class OnAGpu:
    is_cuda = True


@pytest.mark.parametrize(
    ("held", "says"),
    [
        (lambda folder: (folder / "log.txt").open("w"), "holds the open file .*log.txt' as 'thing'. Open it inside"),
        (lambda folder: OnAGpu(), "holds a tensor on a GPU as 'thing'"),
        (lambda folder: threading.Lock(), "cannot be handed to a worker: .*lock"),
        (lambda folder: (n for n in range(3)), "cannot be handed to a worker: .*generator"),
    ],
)
def test_what_no_worker_can_be_given_is_refused_by_name(tmp_path, held, says):
    thing = held(tmp_path)

    def train(x):
        return x, thing

    with pytest.raises(StudyError, match=says):
        import_path_of(train, "s", tmp_path)
    if hasattr(thing, "close"):
        thing.close()


def test_a_function_beside_another_kind_is_refused(tmp_path):
    mine = pegbox.Study(name="s", data={"source": "sklearn:iris"}, train={"kind": "mlp"}, **SECTIONS, store=tmp_path)

    with pytest.raises(StudyError, match=r"run is given a function, and train.kind is 'mlp'"):
        mine.run(helper)


def test_a_study_that_never_began_has_no_page_and_says_so(tmp_path):
    mine = pegbox.Study(name="s", **SECTIONS, store=tmp_path / "store")

    assert mine._repr_html_() == "<pre>&lt;study &#x27;s&#x27;: minimize value over x&gt;</pre>"
    with pytest.raises(NotFoundError):
        mine.page()


@pytest.fixture
def asked(tmp_path):
    with pegbox.Study(name="s", **SECTIONS, store=tmp_path / "store") as mine:
        for value in (0.3, 0.1, 0.2):
            mine.tell(mine.ask(), {"value": value})
    return mine


@pytest.mark.parametrize("form", ["pandas", "arrow", "polars"])
def test_trials_come_as_the_frame_that_is_asked_for(asked, form):
    pytest.importorskip(form if form != "arrow" else "pyarrow")
    frame = asked.trials(form)

    assert type(frame).__module__.split(".")[0] == form.replace("arrow", "pyarrow")
    assert list(frame["value"].to_pylist() if form == "arrow" else frame["value"]) == [0.3, 0.1, 0.2]


def test_rows_come_without_any_library_and_other_forms_are_refused(asked, monkeypatch):
    assert [row["value"] for row in asked.trials("rows")] == [0.3, 0.1, 0.2]
    with pytest.raises(QueryError, match="auto, pandas, polars, arrow or rows, got 'excel'"):
        asked.trials("excel")
    monkeypatch.setattr("pegbox.api.tables.find_spec", lambda name: None)
    with pytest.raises(QueryError, match="polars is not installed"):
        asked.trials("polars")
    with open_history(asked.store) as history:
        assert type(as_form(history.sql("SELECT 1"), "auto")).__module__.startswith("pyarrow")


def test_a_notebook_shows_the_page_in_a_frame(asked):
    shown = asked._repr_html_()

    assert shown.startswith('<iframe sandbox="allow-scripts allow-downloads" srcdoc="&lt;!doctype html&gt;')
    assert asked.page().count('id="page-data"') == 1


@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_a_closure_is_tuned_within_asyncio_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    top = 0.3

    def train(x, trial):
        trial.report(1, value=1.0)
        return {"value": (x - top) ** 2}

    async def main():
        mine = pegbox.Study(name="s", **SECTIONS, run={"workers": 2}, store=tmp_path / "store")
        return mine, await mine.run_async(train)

    mine, selection = asyncio.run(main())
    more = pegbox.Study(name="s", **SECTIONS | {"budget": {"trials": 4}}, run={"workers": 2}, store=tmp_path / "store")
    with pytest.warns(UserWarning, match="goes on: 3 trials so far"):
        more.run(train)

    with pytest.raises(StudyError, match="the function was edited since trials of study 's' were completed"):
        more.run(lambda x: {"value": x})
    assert selection.winner == min(mine.trials("rows")[:3], key=lambda row: row["value"])["number"]
    assert len(more.trials("rows")) == 4
    assert Path(tmp_path / "store" / "functions").is_dir()
