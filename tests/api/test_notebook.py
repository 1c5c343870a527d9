"""What a notebook shows: blocks of the page, and a live cell; and a function with its study, by a decorator."""

import importlib
import pickle
import sys
import types

import pytest

import pegbox
from pegbox.api import progress_cell
from pegbox.api.closures import import_path_of
from pegbox.api.plots import Plots
from pegbox.api.progress_cell import ProgressCell, notebook_display
from pegbox.page.html_file import read_built
from pegbox.schemas.errors import NotFoundError, PageError
from pegbox.storage.layout import StoreLayout

SECTIONS = {
    "space": {"x": {"min": 0.0, "max": 1.0}},
    "objective": {"metric": "value"},
    "budget": {"trials": 3},
    "finalists": {"top": 1, "seeds": 1},
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    with pegbox.Study(name="a <study>", **SECTIONS, store=tmp_path_factory.mktemp("asked")) as mine:
        for value in (0.3, 0.1):
            mine.tell(mine.ask(), {"value": value})
        mine.fail(mine.ask(), "alas <b>")
    return mine


def test_a_plot_is_one_block_of_the_page_without_a_network(asked, tmp_path):
    picture = asked.plot.effects()

    assert picture._repr_html_().startswith("<iframe sandbox=")
    assert "#study > section > h2:not(#effects)" in picture.document
    assert "default-src 'none'" in picture.document
    assert picture.save(tmp_path / "effects.html").read_text(encoding="utf-8") == picture.document
    assert "effects, failures" in repr(asked.plot)


def test_every_plot_is_a_block_that_the_page_has():
    parts = read_built("page.js").split("id:")
    blocks = {part.split('"')[1] for part in parts if part.startswith('"')}
    study = types.SimpleNamespace(page=lambda only: only, spec=types.SimpleNamespace(goals=(1, 2)))
    names = [name for name in vars(Plots) if not name.startswith("_")]

    assert {getattr(Plots(study), name)().document for name in names} <= blocks


def test_a_front_of_one_objective_and_a_study_that_never_began_are_refused(asked):
    with pytest.raises(PageError, match="a front is of several objectives"):
        asked.plot.pareto()
    with pytest.raises(NotFoundError):
        pegbox.Study(name="other", **SECTIONS, store=asked.store).plot.effects()


def test_a_live_cell_shows_how_the_study_stands(asked, monkeypatch):
    monkeypatch.setattr(progress_cell, "LOOK_SECONDS", 0.01)
    shown = []

    with ProgressCell(StoreLayout(asked.store.absolute()).root, "a <study>", shown.append):
        pass

    (last,) = shown[-1:]
    assert "<b>a &lt;study&gt;</b>" in last
    assert "2 completed, 1 failed" in last
    assert '<progress value="1.000"' in last
    assert "best so far: value 0.1000 (trial 1): x=" in last
    assert "alas &lt;b&gt;" in last


def test_a_cell_whose_front_end_is_gone_ends_nothing(asked, monkeypatch):
    monkeypatch.setattr(progress_cell, "LOOK_SECONDS", 0.01)

    def show(_):
        raise RuntimeError("the kernel is gone")

    with ProgressCell(asked.store.absolute(), "a <study>", show):
        pass
    with ProgressCell(asked.store.absolute(), "never begun", show):
        pass


def test_a_cell_is_shown_in_notebooks_alone(monkeypatch):
    assert notebook_display() is None
    shown = []
    place = types.SimpleNamespace(update=shown.append)
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    display = types.SimpleNamespace(HTML=lambda text: text, display=lambda *_, **__: place)
    monkeypatch.setitem(sys.modules, "IPython.display", display)

    notebook_display()("now")

    assert shown == ["now"]


DECORATED = """
import pegbox

@pegbox.objective(space={"x": pegbox.Float(-1, 1)}, objective={"metric": "loss"}, budget={"trials": 3}, store=STORE)
def parabola(x):
    "A bowl."
    return x**2
"""


def test_a_decorated_function_is_the_function_and_has_its_study(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "decorated.py").write_text(DECORATED.replace("STORE", repr(str(tmp_path / "store"))))
    parabola = importlib.import_module("decorated").parabola

    assert (parabola(3), parabola.__doc__, parabola.study.name) == (9, "A bowl.", "parabola")
    # By its name, so that an edit of the file is seen; the workers call what stands there.
    assert import_path_of(parabola._function, "parabola", tmp_path) == "decorated:parabola"
    assert pickle.loads(pickle.dumps(parabola))(2) == 4
    with parabola.study as study:
        study.tell(study.ask(), {"loss": 1.0})
    assert parabola.study.best["value"] == 1.0


def test_a_decorated_function_of_a_notebook_is_handed_over_by_its_content(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))

    @pegbox.objective(**SECTIONS)
    def inner(x):
        return {"value": x + 1}

    path = import_path_of(inner._function, "inner", tmp_path)

    module, _, name = path.partition(":")
    assert getattr(importlib.import_module(module), name)(1) == {"value": 2}
