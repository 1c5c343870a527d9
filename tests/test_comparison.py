"""Ours beside its peers: only runs that both have are compared, and bars hold on kept problems alone."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks_on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Benchmarks are no package, so that their folder stands on the path, and their names leave with it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for path in FOLDER.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_only_runs_of_both_count_and_the_hardest_peer_comes_first() -> None:
    ours = {("a", 0): 0.1, ("a", 1): 0.3, ("b", 0): 9.0}
    peers = {"weak": {("a", 0): 0.8, ("a", 1): 0.8}, "strong": {("a", 0): 0.2}, "elsewhere": {("c", 0): 1.0}}

    strong, weak = import_module("comparison").compared("noisy", 50, ours, peers)
    assert (strong.peer, strong.ratio, strong.wins, strong.ours) == ("strong", pytest.approx(0.5), 1, (0.1,))
    assert (weak.peer, weak.ratio, weak.wins) == ("weak", pytest.approx(0.25), 2)


def test_the_error_of_a_ratio_is_that_of_its_pairs() -> None:
    comparison = import_module("comparison")
    same = comparison.Comparison("noisy", 50, "peer", (0.1,) * 9, (0.2,) * 9)
    spread = comparison.Comparison("noisy", 50, "peer", (0.05, 0.15) * 50, (0.2,) * 100)

    assert same.error == 0.0
    # The mean of 100 values of deviation .05 is known to .005, and the ratio to five times that.
    assert spread.error == pytest.approx(0.025, rel=0.1)


@pytest.mark.parametrize(("is_kept", "bars"), [(True, [0.45, None]), (False, [None, None])])
def test_bars_are_for_kept_problems(
    is_kept: bool, bars: list[float | None], capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = import_module("comparison")
    ours = {("a", 0): 0.1}
    group = comparison.compared("interior", 50, ours, {"Optuna TPE": {("a", 0): 0.2}})

    figures = comparison.tell_comparisons("bayes", [group], is_kept)
    assert [one.bar for one in figures] == bars
    assert [one.value for one in figures] == [0.5, 0.5]
    assert "Optuna TPE               1 runs  0.100 (0.100, 0.10)  0.200 (0.200, 0.20)" in capsys.readouterr().out


def test_recorded_runs_are_told_without_running_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def line(method: str, seed: int, loss: float, n_trials: int = 50) -> dict[str, Any]:
        losses = {"25": 2 * loss, "50": loss}
        return {
            "group": "interior",
            "problem": "ackley5",
            "method": method,
            "seed": seed,
            "n_trials": n_trials,
            "losses": losses,
            "corners": 0.0,
            "ask_ms": 1.0,
        }

    rows = [line("bayes", 0, 1.0), line("Optuna TPE", 0, 4.0), line("Optuna TPE", 1, 1.0), line("bayes", 0, 9.0, 25)]
    progress = tmp_path / "runs.jsonl"
    progress.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["problems.py", "--kept", "--recorded", "--json", "--progress", str(progress)]
    monkeypatch.setattr(sys, "argv", command)
    problems = import_module("problems")

    assert problems.main() == 0
    figures = {one["name"]: one for one in json.loads(capsys.readouterr().out.splitlines()[-1])}
    held = figures["of Optuna TPE, interior @50, 1 runs"]
    assert (held["value"], held["bar"]) == (0.25, 0.45)
    assert progress.read_text().count("\n") == len(rows)


@pytest.mark.parametrize(
    "arguments", [["--recorded"], ["--recorded", "--progress", "x", "--environments", "HEBO=python"]]
)
def test_recorded_needs_a_file_and_nowhere_to_run(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["problems.py", *arguments])
    with pytest.raises(SystemExit):
        import_module("problems").main()
    assert "--recorded" in capsys.readouterr().err
