"""One trial in several processes: who reports, what each is told, and how all end with the first that fails."""

import os
import sys
import textwrap
import time
from pathlib import Path

import pytest
from tests.training.conftest import ignore, make_segment

from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import CommandTrain, FunctionTrain
from pegbox.training.command_trainer import CommandTrainer
from pegbox.training.function_trainer import FunctionTrainer
from pegbox.training.ranks import run_ranks

GLOO = """
import torch
import torch.distributed as dist


def mean_of(number):
    dist.init_process_group("gloo")
    shared = torch.tensor([float(number)])
    dist.all_reduce(shared)
    dist.destroy_process_group()
    return shared.item() / 2
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Train a segment with a function `run` of two processes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PEGBOX_PROCESSES", "2")

    def train(code, report=ignore, **changes):
        name = f"ranked_{time.time_ns()}"
        Path(f"{name}.py").write_text(textwrap.dedent(code))
        spec = FunctionTrain(kind="function", function=f"{name}:run", epochs=9)
        segment = make_segment({"lr": 0.5}, train=spec, **changes)
        trained = FunctionTrainer().train(segment, None, tmp_path / "checkpoints", report)
        return trained, FunctionTrainer().evaluate(segment, trained, None, "valid").metrics

    return train


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a program of two processes as a segment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEGBOX_PROCESSES", "2")

    def train(code):
        Path("program.py").write_text(textwrap.dedent(code))
        spec = CommandTrain(kind="command", command=(sys.executable, "program.py"), epochs=9)
        segment = make_segment({"lr": 0.5}, train=spec)
        trained = CommandTrainer().train(segment, None, tmp_path / "checkpoints", ignore)
        return CommandTrainer().evaluate(segment, trained, None, "valid").metrics

    return train


def failure_of(train, code):
    with pytest.raises(TrialError) as raised:
        train(code)
    return raised.value.failure


def test_two_processes_of_a_function_reduce_over_gloo(call):
    code = GLOO + "def run(lr, trial):\n    import os\n    return {'mean': mean_of(int(os.environ['RANK']) + lr)}"

    assert call(code)[1] == {"mean": 1.0}


def test_rank_zero_reports_while_the_training_goes_on(call):
    seen = []

    trained, metrics = call(
        """
        import os

        def run(lr, trial):
            rank = int(os.environ["RANK"])
            for epoch in range(1, 4):
                trial.report(epoch, loss=epoch + 100 * rank)
            trial.save_checkpoint(rank)
        """,
        report=lambda step, metrics: seen.append((step, metrics["loss"])),
    )

    assert seen == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert metrics == {"loss": 3.0}
    assert b"K\x00" in (trained.checkpoint / "state.pkl").read_bytes()  # pickle's small number 0


def test_each_rank_of_a_function_is_told_what_torchrun_tells(call):
    call(
        """
        import os, pathlib, time

        def run(lr, trial):
            names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
            told = [os.environ[name] for name in names]
            pathlib.Path(f"told-{told[0]}").write_text(" ".join(told))
            return 1.0
        """
    )

    first, second = (Path(f"told-{rank}").read_text().split() for rank in range(2))
    assert (first[:5], second[:5]) == (["0", "0", "2", "2", "127.0.0.1"], ["1", "1", "2", "2", "127.0.0.1"])
    assert first[5] == second[5]
    assert "RANK" not in os.environ


def test_a_failing_rank_of_a_function_ends_all_in_its_own_words(call):
    started = time.monotonic()

    failure = failure_of(
        call,
        """
        import os, time

        def run(lr, trial):
            if os.environ["RANK"] == "1":
                raise ValueError("no rank 1 today")
            time.sleep(600)
        """,
    )

    assert "rank 1: ValueError: no rank 1 today" in failure.message
    assert failure.kind is FailureKind.ERROR
    assert time.monotonic() - started < 60


def test_a_rank_that_dies_is_told_by_its_signal(call):
    failure = failure_of(
        call,
        """
        import os, signal, time

        def run(lr, trial):
            if os.environ["RANK"] == "1":
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(600)
        """,
    )

    assert "rank 1: the worker was ended by SIGKILL" in failure.message
    assert failure.kind is FailureKind.KILLED


def test_a_diverged_rank_zero_is_diverged(call):
    with pytest.raises(TrialError) as raised:
        call(
            "def run(lr, trial):\n    for epoch in range(1, 9): trial.report(epoch, loss=float('nan'))",
            objectives=("loss",),
        )

    assert raised.value.failure.kind is FailureKind.DIVERGED


def test_what_takes_reports_may_end_all_ranks():
    def refuse(_):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        run_ranks(2, lambda rank, send: (send(rank), time.sleep(600)), refuse)


def test_a_program_is_read_by_rank_zero(run):
    metrics = run(
        """
        import os
        rank = int(os.environ["RANK"])
        print(f"epoch=1 loss={rank + 1} world={os.environ['WORLD_SIZE']}")
        """
    )

    assert metrics == {"loss": 1.0, "world": 2.0}


def test_a_failing_rank_of_a_program_ends_all(run):
    started = time.monotonic()

    failure = failure_of(
        run,
        """
        import os, sys, time
        print("epoch=1 loss=1", flush=True)
        if os.environ["RANK"] == "1":
            sys.exit("no rank 1 today")
        time.sleep(600)
        """,
    )

    assert "no rank 1 today" in failure.message
    assert time.monotonic() - started < 60


@pytest.mark.long  # both processes import torch
def test_two_processes_of_a_program_reduce_over_gloo(run):
    assert run(GLOO + "import os\nprint('mean=', mean_of(int(os.environ['RANK'])), sep='')") == {"mean": 0.5}
