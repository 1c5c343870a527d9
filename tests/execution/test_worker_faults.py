"""What users' code does to a worker: each costs its own trial, with the right kind, and the next trial runs."""

import os
import sys
import time
from pathlib import Path

import pytest
from tests.training.conftest import make_segment

from pegbox.execution.pool import WorkerPool
from pegbox.execution.segment_worker import evaluate_segment, train_segment
from pegbox.execution.worker_settings import WorkerSettings
from pegbox.schemas.errors import TrialError
from pegbox.schemas.train import CommandTrain, FunctionTrain
from pegbox.storage.store import open_store
from pegbox.training.resources import parse_bytes

CODE = """
import ctypes, os, re, signal, sys, time

def good(lr):
    return lr

def segfault(lr):
    ctypes.string_at(0)

def kill(lr):
    os.kill(os.getpid(), signal.SIGKILL)

def kill_the_group(lr):
    os.killpg(0, signal.SIGKILL)

def endless(lr):
    sum(range(10**12))

def ignore_sigterm(lr):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    while True:
        time.sleep(0.1)

def bomb(lr):
    kept = []
    while True:
        kept.append(bytearray(50_000_000))

def torch_bomb(lr):
    import torch
    return float(torch.ones(10**10).sum())

def print_much(lr):
    for _ in range(300):
        print("x" * 100_000)
        sys.stderr.write("y" * 10_000)
    return lr

def close_streams(lr):
    sys.stdout.close()
    os.close(2)
    return lr

def fork_and_return(lr):
    os.fork()
    return lr

def fork_and_raise(lr):
    if os.fork() == 0:
        raise ValueError("only the child")
    return lr

def leave_a_child(lr):
    if os.fork() == 0:
        open("child", "w").write(str(os.getpid()))
        time.sleep(60)
    time.sleep(60)

kept = []

def leak(lr):
    kept.append(b"x" * 450_000_000)
    return lr

class Strange(Exception):
    def __init__(self, a, b):
        super().__init__("strange")
    def __reduce__(self):
        raise TypeError("cannot be pickled")

def raise_strange(lr):
    raise Strange(1, 2)

def interrupt(lr):
    raise KeyboardInterrupt

def recurse(lr):
    return recurse(lr)

def exhaust_files(lr):
    return len([open(os.devnull) for _ in range(10**6)])
"""


TRAINERS = ("pegbox.training.function_trainer", "pegbox.training.command_trainer")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("user")
    (directory / "user_faults.py").write_text(CODE)
    return directory


@pytest.fixture(scope="module")
def pool(directory):
    before = Path.cwd()
    os.chdir(directory)
    settings = WorkerSettings(
        threads=1,
        memory_bytes=parse_bytes("1GB"),
        imports=(
            "torch",
            "pegbox.execution.segment_worker",
            "pegbox.training.function_trainer",
            "pegbox.training.command_trainer",
        ),
        code=("user_faults",),
    )
    with WorkerPool(1, settings, logs=directory / "logs") as pool:
        os.chdir(before)
        yield pool


def train(pool, spec, directory, timeout=20):
    store = open_store(directory / "store")
    segment = make_segment({"lr": 0.5}, train=spec)
    trained = pool.run(train_segment, segment, None, store, timeout=timeout)
    return pool.run(evaluate_segment, segment, trained, None, "valid").metrics


def function(name):
    return FunctionTrain(kind="function", function=f"user_faults:{name}")


@pytest.mark.parametrize(
    ("name", "seconds", "kind", "message"),
    [
        ("segfault", 30, "killed", "SIGSEGV"),
        ("kill", 30, "killed", "SIGKILL"),
        ("kill_the_group", 30, "killed", "SIGKILL"),
        ("endless", 1, "timeout", "longer than 1 seconds"),
        ("ignore_sigterm", 1, "timeout", "longer than 1 seconds"),
        ("bomb", 30, "out_of_memory", "MemoryError"),
        ("torch_bomb", 30, "out_of_memory", "can't allocate memory"),
        ("raise_strange", 30, "error", "Strange: strange"),
        ("interrupt", 30, "error", "KeyboardInterrupt"),
        ("recurse", 30, "error", "RecursionError"),
        ("exhaust_files", 30, "error", "Too many open files"),
    ],
)
def test_a_fault_is_a_fact_and_the_next_trial_runs(pool, directory, name, seconds, kind, message):
    with pytest.raises(TrialError) as raised:
        train(pool, function(name), directory, timeout=seconds)

    assert raised.value.failure.kind == kind
    assert message in raised.value.failure.message
    assert train(pool, function("good"), directory) == {"value": 0.5}


@pytest.mark.parametrize("name", ["print_much", "close_streams", "fork_and_return", "fork_and_raise"])
def test_bad_manners_cost_nothing(pool, directory, name):
    assert train(pool, function(name), directory) == {"value": 0.5}
    assert train(pool, function("good"), directory) == {"value": 0.5}


def test_a_log_does_not_grow_without_end(pool, directory):
    train(pool, function("print_much"), directory)
    train(pool, function("good"), directory)

    assert (directory / "logs" / "worker-0.log").stat().st_size < 10_000_000


def test_memory_that_a_trial_holds_on_to_is_gone_with_it(pool, directory):
    for _ in range(3):  # together more than the pool allows
        assert train(pool, function("leak"), directory) == {"value": 0.5}


def test_children_end_with_a_trial_that_took_too_long(pool, directory):
    pid = timed_out(pool, function("leave_a_child"), directory, "child")

    assert ended_within(pid, seconds=60)


@pytest.mark.parametrize("manners", ["", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"])
def test_a_command_ends_with_its_timeout(pool, directory, manners):
    code = f"{manners} import os, time; open('command', 'w').write(str(os.getpid())); time.sleep(60)"
    command = CommandTrain(kind="command", command=(sys.executable, "-c", code.strip()))

    pid = timed_out(pool, command, directory, "command")

    assert ended_within(pid, seconds=60)


def timed_out(pool, spec, directory, name):
    """What a trial that takes too long wrote before; on a busy machine only a longer time is long enough for that."""
    (directory / name).unlink(missing_ok=True)
    for seconds in (1, 4, 16, 40):
        with pytest.raises(TrialError, match="timeout"):
            train(pool, spec, directory, timeout=seconds)
        if (directory / name).exists() and (directory / name).read_text():
            break
    return int((directory / name).read_text())


def ended_within(pid, seconds):
    patience = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and time.monotonic() < patience:
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()
