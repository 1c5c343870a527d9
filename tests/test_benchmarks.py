"""The benchmarks are run by hand; what they take from pegbox is there, and they share one form."""

import argparse
import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
SCRIPTS = sorted(path for path in FOLDER.glob("*.py") if '__name__ == "__main__"' in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_what_a_benchmark_takes_from_pegbox_is_there(script: Path) -> None:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    taken = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pegbox")
    ]
    missing = [
        f"{node.module}.{name.name}"
        for node in taken
        for name in node.names
        if not hasattr(import_module(str(node.module)), name.name)
    ]
    assert missing == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_benchmark_ends_with_its_figures(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    assert "conclude(" in text
    assert '"--quick"' in text or "parser(__doc__" in text


def test_figures_are_held_to_their_bars(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "figures", raising=False)
    figures = import_module("figures")
    rows = [figures.Figure("a", 1.0, 2.0), figures.Figure("b", 1.0, 2.0, at_most=False), figures.Figure("c", 3.0)]

    assert figures.conclude(rows, as_json=True) == 1
    assert figures.conclude(rows[:1], as_json=False) == 0
    said = ast.literal_eval(
        capsys.readouterr()
        .out.splitlines()[3]
        .replace("null", "None")
        .replace("true", "True")
        .replace("false", "False")
    )
    assert [row["holds"] for row in said] == [True, False, True]


def test_a_peer_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    peers = import_module("peers")
    monkeypatch.setitem(peers.PEERS, "Nobody", peers.Peer(("no_such_package",), lambda spec, seed: None))

    assert peers.available(["bayes", "Nobody"]) == ["bayes"]
    assert capsys.readouterr().err == "Nobody is skipped: the package no_such_package is not installed.\n"
    # What another environment has recorded is shown, whatever is installed here.
    assert peers.available(["bayes", "Nobody"], ["Nobody"]) == ["bayes", "Nobody"]
    assert peers.pairs("Nobody=/envs/a=b/bin/python") == {"Nobody": "/envs/a=b/bin/python"}
    with pytest.raises(argparse.ArgumentTypeError, match=r"'Somebody' is no peer; known: .*Nobody"):
        peers.pairs("Somebody=python")
