"""The worker pool with real processes: calls, clocks, deaths and what the driver is told."""

import hashlib
import operator
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pegbox.execution.deadline import Deadline
from pegbox.execution.pool import WorkerPool
from pegbox.execution.worker_settings import WorkerSettings
from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import FailureKind


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    with WorkerPool(2, WorkerSettings(threads=1), logs=tmp_path_factory.mktemp("logs")) as pool:
        pool.warm()
        yield pool


def failure_of(pool, function, *arguments, timeout=None):
    with pytest.raises(TrialError) as raised:
        pool.run(function, *arguments, timeout=timeout)
    return raised.value.failure


def test_a_call_returns_its_result_from_another_process(pool):
    assert pool.run(os.getppid) in pool.pids()
    assert os.getpid() not in pool.pids()


def test_each_call_has_a_process_of_its_own_and_the_worker_stays(pool):
    before = pool.pids()

    pids = {pool.run(os.getpid) for _ in range(5)}

    assert len(pids) == 5
    assert pool.pids() == before


def test_calls_from_two_threads_run_at_the_same_time(pool, tmp_path):
    meeting = tmp_path / "meeting"
    os.mkfifo(meeting)

    with ThreadPoolExecutor(2) as threads:
        written = threads.submit(pool.run, Path.write_text, meeting, "here", timeout=60)
        read = threads.submit(pool.run, Path.read_text, meeting, timeout=60)

    assert (written.result(), read.result()) == (4, "here")  # each opens only when the other has come


def test_an_exception_is_an_error_with_its_traceback(pool):
    failure = failure_of(pool, operator.truediv, 1, 0)

    assert failure.kind is FailureKind.ERROR
    assert failure.message == "ZeroDivisionError: division by zero"
    assert "Traceback" in failure.traceback


def test_a_child_that_the_call_forked_does_not_become_a_worker(pool):
    child = pool.run(os.fork)

    assert child > 0
    assert ended_within(child, seconds=60)
    assert [pool.run(abs, -number) for number in range(5)] == [0, 1, 2, 3, 4]


def test_sys_exit_costs_the_call_and_not_the_worker(pool):
    before = pool.pids()

    failure = failure_of(pool, sys.exit, 4)

    assert failure.kind is FailureKind.ERROR
    assert failure.message == "SystemExit: 4"
    assert pool.pids() == before


def test_endless_c_code_is_ended_by_its_timeout(pool):
    failure = failure_of(pool, hashlib.pbkdf2_hmac, "sha256", b"a", b"b", 10**9, timeout=0.5)

    assert failure.kind is FailureKind.TIMEOUT
    assert "0.5 seconds" in failure.message


def test_c_code_that_holds_the_interpreter_is_ended_by_its_timeout(pool):
    assert failure_of(pool, sum, range(10**12), timeout=0.3).kind is FailureKind.TIMEOUT


def test_a_worker_that_kills_itself_is_killed_with_its_signal(pool):
    failure = failure_of(pool, signal.raise_signal, signal.SIGKILL)

    assert failure.kind is FailureKind.KILLED
    assert "SIGKILL" in failure.message


def test_a_crash_in_c_code_is_killed_with_its_signal(pool):
    assert "SIGABRT" in failure_of(pool, os.abort).message


@pytest.mark.parametrize("code", [0, 3])
def test_a_worker_that_exits_is_noticed(pool, code):
    failure = failure_of(pool, os._exit, code, timeout=20)

    assert failure.kind is FailureKind.KILLED
    assert f"exit code {code}" in failure.message


def test_a_death_costs_no_other_call(pool):
    with ThreadPoolExecutor(2) as threads:
        other = threads.submit(pool.run, time.sleep, 0.6)
        failure = failure_of(pool, os.abort)

        assert failure.kind is FailureKind.KILLED
        assert other.result() is None


def test_a_worker_killed_while_idle_costs_nothing(pool):
    for pid in pool.pids():
        os.kill(pid, signal.SIGKILL)

    assert pool.run(abs, -1) == 1


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_process_of_a_call_killed_before_it_costs_nothing(pool):
    for pid in pool.pids():
        for child in children_of(pid):
            os.kill(child, signal.SIGKILL)
            # A kill returns before the process has died, and one that dies as it is handed a call is that call's.
            while is_alive(child):
                time.sleep(0.001)

    assert [pool.run(abs, -1) for _ in range(2)] == [1, 1]


def test_a_stopped_worker_is_replaced_after_the_timeout(pool, monkeypatch):
    monkeypatch.setattr("pegbox.execution.slot.LATE_SECONDS", 0.5)

    failure = failure_of(pool, os.kill, pool.run(os.getppid), signal.SIGSTOP, timeout=0.5)

    assert failure.kind is FailureKind.TIMEOUT
    assert pool.run(abs, -1) == 1


def test_memory_that_cannot_be_had_is_out_of_memory(pool):
    assert failure_of(pool, bytearray, 10**15).kind is FailureKind.OUT_OF_MEMORY


def test_output_goes_to_the_log_and_not_to_the_terminal(capfd, tmp_path):
    with WorkerPool(1, logs=tmp_path) as pool:
        pool.run(print, "a line of the trial")

    assert capfd.readouterr().out == ""
    assert (tmp_path / "worker-0.log").read_text() == "a line of the trial\n"


def test_a_worker_sees_the_environment_and_directory_of_its_driver(tmp_path, monkeypatch):
    monkeypatch.setenv("PEGBOX_TEST_WORD", "tuned")
    monkeypatch.chdir(tmp_path)

    with WorkerPool(1, WorkerSettings(threads=1), logs=tmp_path) as pool:
        assert pool.run(os.getenv, "PEGBOX_TEST_WORD") == "tuned"
        assert pool.run(os.getenv, "OMP_NUM_THREADS") == "1"
        assert pool.run(os.getcwd) == str(tmp_path)


def test_stopping_the_pool_ends_a_running_call(tmp_path):
    pool = WorkerPool(1, logs=tmp_path)
    pool.warm()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(pool.run, time.sleep, 60)
        time.sleep(0.3)
        pool.stop()

        with pytest.raises(TrialError, match="lost"):
            running.result(timeout=10)


DRIVER = """
import subprocess, sys, threading, time
from pathlib import Path
from pegbox.execution.pool import WorkerPool
pool = WorkerPool(1, logs=Path(sys.argv[1]))
pool.warm()
call = {call}
if call:
    threading.Thread(target=pool.run, args=call, kwargs={{"timeout": {timeout}}}, daemon=True).start()
print(pool.pids()[0], flush=True)
threading.Event().wait()
"""


def _worker_of_killed_driver(tmp_path, call, timeout=None):
    """The worker's process id, once its driver is dead."""
    script = DRIVER.format(call=call, timeout=timeout)
    driver = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True)
    worker = int(driver.stdout.readline())
    time.sleep(0.3)
    driver.kill()
    driver.wait()
    driver.stdout.close()
    return worker


def _ends(worker, seconds):
    has_ended = ended_within(worker, seconds)
    if not has_ended:
        os.kill(worker, signal.SIGKILL)  # a failing test must not leave a core busy for ever
    return has_ended


def test_idle_worker_ends_with_its_driver(tmp_path):
    worker = _worker_of_killed_driver(tmp_path, call="()")

    assert _ends(worker, seconds=60)


def test_busy_worker_of_a_killed_driver_finishes_its_call(tmp_path):
    gate, late = tmp_path / "gate", tmp_path / "late"
    waiting = f"while [ ! -e {gate} ]; do sleep 0.05; done; touch {late}"

    worker = _worker_of_killed_driver(tmp_path, call=f"(subprocess.run, ['sh', '-c', '{waiting}'])")
    gate.touch()

    assert _ends(worker, seconds=60)
    assert late.exists()


@pytest.mark.parametrize("call", ["(time.sleep, 100)", "(sum, range(10**12))"])
def test_busy_worker_of_a_killed_driver_keeps_to_its_timeout(tmp_path, call):
    worker = _worker_of_killed_driver(tmp_path, call=call, timeout=2)

    assert _ends(worker, seconds=60)


SLEEPER = """
import sys, time
from pathlib import Path
from pegbox.execution.pool import WorkerPool
with WorkerPool(1, logs=Path(sys.argv[1])) as pool:
    pool.warm()
    print(pool.pids()[0], flush=True)
    pool.run(time.sleep, 1, timeout=4)
    print("in time", flush=True)
"""


def test_a_deadline_counts_no_time_that_was_slept(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    deadline = Deadline(10)

    for seconds in (0.5, 3600.0, 0.5, 4.0):
        clock[0] += seconds
        deadline.left()

    assert deadline.left() == 5.0


@pytest.mark.long
def test_time_that_the_machine_slept_is_not_counted(tmp_path):
    driver = subprocess.Popen([sys.executable, "-c", SLEEPER, tmp_path], stdout=subprocess.PIPE, text=True)
    worker = int(driver.stdout.readline())
    time.sleep(0.3)

    for process in (driver.pid, worker):
        os.kill(process, signal.SIGSTOP)
    time.sleep(6)
    os.kill(driver.pid, signal.SIGCONT)
    time.sleep(1.5)  # so that the driver looks at its clock before it has the answer
    os.kill(worker, signal.SIGCONT)
    output, _ = driver.communicate(timeout=30)

    assert output == "in time\n"


UNGUARDED = """
from pathlib import Path
from pegbox.execution.pool import WorkerPool
with WorkerPool(1, logs=Path("logs")) as pool:
    print(pool.run(abs, -3))
"""


def test_a_script_without_a_main_guard_is_not_run_by_its_workers(tmp_path):
    script = tmp_path / "study.py"
    script.write_text(textwrap.dedent(UNGUARDED))

    done = subprocess.run(
        [sys.executable, script], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert (done.stdout, done.stderr) == ("3\n", "")


def ended_within(pid, seconds):
    patience = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < patience:
        time.sleep(0.05)
    return not is_running(pid)


def children_of(parent):
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                yield int(stat.parent.name)
        except OSError:
            continue


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
