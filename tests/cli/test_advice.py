"""Every command that an answer prints is run, on studies of many kinds: it works, and something changes for it."""

import contextlib
import json
import math
import shlex
import shutil
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from driven_study import FRESH, Training, drive

from pegbox.cli import drive_study, terminal
from pegbox.integrations.optuna_import import IMPORTED
from pegbox.page.analysis_blocks import analyse
from pegbox.page.build import build_page
from pegbox.report.artifact_texts import artifact_texts
from pegbox.schemas.base import Configuration, Metrics
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout

LR = {"min": 1e-4, "max": 1e-1, "log": True}
WIDTH = {"min": 0.0, "max": 1.0}


def noise(configuration: Configuration, seed: int) -> float:
    """The same for the same trial and seed."""
    key = zlib.crc32(repr((sorted(configuration.items()), seed)).encode())
    return float(np.random.default_rng(key).standard_normal())


def valley(best: float = -2.5, spread: float = 0.02, rate: float = 1.0) -> Training:
    """A loss around a learning rate, with noise, that falls exponentially over the epochs."""

    def train(configuration: Configuration, epochs: int, seed: int) -> Metrics:
        rate_of = next(value for name, value in configuration.items() if name.endswith("lr"))
        loss = 0.2 + 0.1 * (math.log10(float(rate_of)) - best) ** 2 + math.exp(-rate * epochs)
        return {"loss": loss + spread * noise(configuration, seed), "size": 10.0, "cost": float(epochs)}

    return train


def failing(kind: FailureKind, when: Callable[[Configuration, int], bool]) -> Training:
    train = valley()

    def fail(configuration: Configuration, epochs: int, seed: int) -> Metrics | Failure:
        return Failure(kind=kind, message="no") if when(configuration, seed) else train(configuration, epochs, seed)

    return fail


class Kind(NamedTuple):
    """A kind of study, and how it is trained."""

    changes: dict[str, Any]
    training: Training = valley()
    most_decisions: int | None = None
    advised: tuple[str, ...] = ()
    """Kinds of advice that it must be given."""


AT_AN_END = {"method": "random", "enqueue": [{"lr": 0.09 + 0.001 * n, "width": 0.1 * n} for n in range(8)]}
ALL_LISTS = {"space": {"lr": [1e-4, 1e-3, 1e-2], "width": [1, 2, 3]}, "search": {"method": "grid"}}
RUNGS = {"train": {"kind": "function", "function": "a:b", "epochs": 9}, "fidelity": {"schedule": "asha", "min": 1}}
KINDS = {
    "noisy": Kind({"finalists": {"top": 3, "seeds": 3}}, valley(spread=0.3), advised=("ties",)),
    "noisy-by-default": Kind({}, valley(spread=0.3)),
    "exact": Kind({"finalists": {"top": 1, "seeds": 1}}, valley(spread=0.0)),
    "edge": Kind({"search": AT_AN_END, "budget": {"trials": 28}}, valley(best=-0.5), advised=("edge",)),
    "edge-of-a-group": Kind({"space": {"model.lr": LR, "width": WIDTH}}, valley(best=-0.5)),
    "epochs": Kind({"budget": {"epochs": 24}}, valley(best=-0.5)),
    "seconds": Kind({"budget": {"time": 45}}, valley(best=-0.5)),
    "cost": Kind({"budget": {"cost": 23.5}}, valley(best=-0.5)),
    "stagnation": Kind({"budget": {"stagnation": 8, "trials": 90}}, valley(best=-0.5)),
    "left-by-a-schedule": Kind({**RUNGS, "budget": {"trials": 40}}),
    "still-falling": Kind({**RUNGS, "fidelity": {}}, valley(rate=0.15, spread=0.001), advised=("budget",)),
    "limit-broken": Kind({"constraints": [{"metric": "size", "max": 5}]}, advised=("constraints",)),
    "fails-in-a-region": Kind({}, failing(FailureKind.DIVERGED, lambda at, _: at["lr"] > 1e-2), advised=("failures",)),
    "times-out": Kind({"run": {"timeout": 5}}, failing(FailureKind.TIMEOUT, lambda _, seed: seed % 2 == 0)),
    "seeds-fail": Kind({}, failing(FailureKind.ERROR, lambda _, seed: seed > FRESH)),
    "fails-always": Kind({"budget": {"trials": 5}}, failing(FailureKind.ERROR, lambda *_: True), advised=("retry",)),
    "two-objectives": Kind({"objective": None, "objectives": [{"metric": "loss"}, {"metric": "cost"}]}),
    "grid-tried-out": Kind({**ALL_LISTS, "budget": {"trials": 20}}),
    "few": Kind({"space": {"lr": LR, **dict.fromkeys("abcde", WIDTH)}, "budget": {"trials": 12}}),
    "target-reached": Kind({"objective": {"metric": "loss", "target": 0.6}, "budget": {"trials": 40}}, valley(-0.5)),
    "imported": Kind(
        {"train": {"kind": "function", "function": IMPORTED}, "search": AT_AN_END, "budget": {"trials": 28}},
        valley(best=-0.5),
        advised=("edge",),
    ),
    "broken-off": Kind({}, most_decisions=9, advised=("resume",)),
}


def spec_of(name: str) -> StudySpec:
    raw = {
        "name": name,
        "train": {"kind": "function", "function": "a:b"},
        "space": {"lr": LR, "width": WIDTH},
        "objective": {"metric": "loss"},
        "search": {"method": "random"},
        "budget": {"trials": 24},
        **KINDS[name].changes,
    }
    return StudySpec.model_validate({key: value for key, value in raw.items() if value is not None})


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    """Drives a study of a kind, once; gives its store."""

    @cache
    def once(name):
        root = tmp_path_factory.mktemp(name) / "store"
        with contextlib.suppress(NoTrialSucceededError):
            drive(root, spec_of(name), KINDS[name].training, KINDS[name].most_decisions)
        return root

    return once


QUICK = {"epochs", "limit-broken", "fails-always", "broken-off"}
"""The kinds of every run of the tests; the others take a minute together."""
PARAMS = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.long) for name in KINDS]


@pytest.fixture(params=PARAMS)
def study(request, tmp_path, monkeypatch, driven):
    """The name of a driven study, in a store at `store`; what would run it in the flow drives it here."""
    kind, root = KINDS[request.param], driven(request.param)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(root, "store")
    Path("a.py").write_text("def b(**parameters): ...\n")
    monkeypatch.setattr(terminal, "hush", lambda _: None)  # nothing is printed after it in this process

    def run(spec: StudySpec, layout: StoreLayout, _: Any, began: float) -> tuple[None, list[str]]:
        drive(layout.root, spec, kind.training)
        return None, []

    monkeypatch.setattr(drive_study, "run_served", run)
    return request.param


def measured(root: Path) -> dict[str, tuple[int, int]]:
    """Trainings that succeeded and that failed of each study, fresh seeds included."""
    with open_history(root) as file:
        query = """SELECT study, (SELECT count(*) FROM evaluations AS e WHERE e.study = s.study),
            (SELECT count(*) FROM events AS e WHERE e.study = s.study AND type = 'trial_failed') FROM studies AS s"""
        return {name: (done, failed) for name, done, failed in file.sql(query).fetchall()}


def test_every_command_works_and_changes_something(pegbox, study):
    answer = json.loads(pegbox("best", study, "--store", "store", "--json").out)
    told = [one["command"] for one in answer["advice"] if one["command"]]

    assert {one["kind"] for one in answer["advice"]} >= set(KINDS[study].advised)
    for position, command in enumerate([*told, answer["query"]]):
        root = Path(f"copy-{position}")
        shutil.copytree("store", root)
        before = measured(root)
        said = pegbox(*shlex.split(command)[1:], "--store", root)
        assert said.code in (0, 3), (command, said.err)  # 3: what failed fails again
        if shlex.split(command)[1] in {"resume", "retry"}:
            assert measured(root) != before, command
        else:
            assert said.out.strip(), command


def test_all_surfaces_give_one_answer_and_one_list(pegbox, study):
    answer = json.loads(pegbox("best", study, "--store", "store", "--json").out)
    commands = [one["command"] for one in answer["advice"]]
    explained = json.loads(pegbox("explain", study, "--store", "store", "--json").out)
    page = build_page(Path("store"), study, 1.0, analyse)
    markdown = artifact_texts(Path("store"), study, is_over=True).page
    terminal = " ".join(pegbox("best", study, "--store", "store").out.split())

    assert [one["command"] for one in explained["advice"]] == commands
    assert [row.command for row in page.analysis.advice] == commands
    assert [row.text for row in page.analysis.advice] == [one["what"] for one in answer["advice"]]
    assert all(f"`{command}`" in markdown for command in commands if command)
    assert all(" ".join(one["what"].split()) in terminal for one in answer["advice"])
    assert (page.answer.trial if page.answer else None) == answer["trial"]
    assert page.analysis.sureness.sentence.replace("\N{NO-BREAK SPACE}", " ") == (
        answer["certainty"] or page.analysis.sureness.sentence
    )


@pytest.mark.parametrize("study", ["imported"], indirect=True)
def test_no_command_trains_what_was_imported(pegbox, study):
    answer = json.loads(pegbox("best", study, "--store", "store", "--json").out)
    assert not [one for one in answer["advice"] if one["command"].startswith(("pegbox resume", "pegbox retry"))]


@pytest.mark.parametrize("study", ["seeds-fail"], indirect=True)
def test_seeds_that_failed_are_told_on_every_surface(pegbox, study):
    answer = json.loads(pegbox("best", study, "--store", "store", "--json").out)
    winner = next(one for one in answer["selection"]["finalists"] if one["trial"] == answer["trial"])
    told = f"{len(winner['values'])} fresh seed, {winner['n_failed']} more failed"

    assert winner["n_failed"]
    page = build_page(Path("store"), study, 1.0, analyse)
    assert page.answer is not None
    assert told in page.answer.seeds
    assert told in pegbox("best", study, "--store", "store").out
    assert told in artifact_texts(Path("store"), study).page
