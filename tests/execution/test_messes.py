"""What a trial may leave behind in its process: the next trial of the worker finds nothing of it."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.training.conftest import make_segment

from pegbox.execution.pool import WorkerPool
from pegbox.execution.segment_worker import keep_reports, train_segment
from pegbox.execution.worker_settings import WorkerSettings
from pegbox.schemas.errors import TrialError
from pegbox.schemas.train import FunctionTrain
from pegbox.storage.store import open_store

MESSES = '''
"""Each function leaves a mess; `state` tells, in numbers, what another trial finds."""

import atexit, builtins, ctypes, decimal, gc, locale, logging, multiprocessing, os, random, resource, signal, socket
import subprocess, sys, tempfile, threading, time, warnings

import numpy as np
import torch

with open("imported", "a") as imported:
    imported.write("once\\n")

COUNTER = [0]
KEPT = []
FLAG = False


def state(trial):
    COUNTER[0] += 1
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    return {
        "value": float(np.random.rand() + random.random() + float(torch.rand(()))),
        "calls": COUNTER[0],
        "kept": len(KEPT) + FLAG,
        "files": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(),
        "environment": hash(tuple(sorted(os.environ.items()))) % 1000,
        "limits": sum(resource.getrlimit(limit)[0] % 1000 for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)),
        "bits": torch.zeros(1).element_size() * 8,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "grad": torch.is_grad_enabled(),
        "torch_threads": torch.get_num_threads(),
        "denormal": float(torch.tensor(1e-310, dtype=torch.float64) * 1) > 0,
        "device": str(torch.get_default_device()) == "cpu",
        "linear": torch.nn.Linear(2, 1).weight.dtype == torch.float32,
        "numpy_errors": np.geterr()["divide"] == "warn",
        "builtins": sorted([3, 1])[0] + len("four"),
        "time": time.time() > 1e9,
        "modules": "json" in sys.modules and sys.modules["json"] is not None,
        "path": len(sys.path),
        "recursion": sys.getrecursionlimit(),
        "filters": len(warnings.filters),
        "handlers": len(logging.getLogger().handlers),
        "log_level": logging.getLogger().level,
        "gc": gc.isenabled(),
        "signals": sum(callable(handler) for handler in handlers),
        "ignored": sum(handler == signal.SIG_IGN for handler in handlers),
        "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "alarm": signal.getitimer(signal.ITIMER_REAL)[0],
        "nice": os.nice(0),
        "umask": _umask(),
        "cores": len(os.sched_getaffinity(0)),
        "timeout": socket.getdefaulttimeout() or 0,
        "precision": decimal.getcontext().prec,
        "directory": os.getcwd() == HOME,
        "start_method": str(multiprocessing.get_start_method(allow_none=True)) == "forkserver",
        "children": len(multiprocessing.active_children()),
    }


HOME = os.getcwd()


def _umask():
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def keep_files(trial):
    KEPT.extend(os.open("/dev/null", os.O_RDONLY) for _ in range(900))

def close_files(trial):
    os.closerange(3, 20)

def leave_threads(trial):
    for _ in range(20):
        threading.Thread(target=time.sleep, args=(100,)).start()

def leave_daemon_thread_at_work(trial):
    threading.Thread(target=exec, args=("while True: pass",), daemon=True).start()

def leave_program(trial):
    subprocess.Popen(["sleep", "987"])

def leave_daemon(trial):
    subprocess.Popen(["setsid", "sh", "-c", "sleep 987 & sleep 987"], start_new_session=True)

def leave_orphan(trial):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "987"])
        os._exit(0)

def leave_deaf_child(trial):
    subprocess.Popen(["sh", "-c", "trap '' TERM INT HUP; sleep 987; sleep 987"])

def leave_workers(trial):
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(987,)).start()

def set_environment(trial):
    os.environ["OMP_NUM_THREADS"] = "77"
    os.environ["PYTHONPATH"] = "/nowhere"

def clear_environment(trial):
    os.environ.clear()

def change_directory(trial):
    os.chdir("/")

def remove_directory(trial):
    place = tempfile.mkdtemp()
    os.chdir(place)
    os.rmdir(place)

def set_umask(trial):
    os.umask(0)

def lower_limits(trial):
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))

def lower_stack(trial):
    resource.setrlimit(resource.RLIMIT_STACK, (65536, 65536))

def limit_cpu(trial):
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))

def be_nice(trial):
    os.nice(5)

def take_one_core(trial):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

def set_dtype(trial):
    torch.set_default_dtype(torch.float64)

def set_device(trial):
    torch.set_default_device("meta")

def be_deterministic(trial):
    torch.use_deterministic_algorithms(True)

def no_grad(trial):
    torch.set_grad_enabled(False)

def many_threads(trial):
    torch.set_num_threads(13)

def flush_denormal(trial):
    torch.set_flush_denormal(True)

def patch_torch(trial):
    torch.nn.Linear.__init__ = lambda self, *a: None

def patch_forward(trial):
    torch.nn.Module.__call__ = None

def start_process_group(trial):
    where = tempfile.mktemp()
    torch.distributed.init_process_group("gloo", init_method=f"file://{where}", rank=0, world_size=1)

def use_threads(trial):
    torch.set_num_threads(2)
    (torch.ones(600, 600) @ torch.ones(600, 600)).sum().item()

def seed_random(trial):
    random.seed(5); np.random.seed(5); torch.manual_seed(5)

def numpy_raises(trial):
    np.seterr(all="raise")

def patch_builtins(trial):
    builtins.sorted = builtins.len = lambda *a, **k: [0]

def patch_print(trial):
    builtins.print = None

def patch_open(trial):
    builtins.open = None

def patch_time(trial):
    time.time = time.monotonic = time.perf_counter = lambda: 0.0

def patch_pickle(trial):
    import pickle
    KEPT.append(pickle.dumps)

def patch_random(trial):
    random.random = lambda: 0.5
    np.random.rand = lambda *a: 0.5

def shadow_module(trial):
    sys.modules["json"] = None

def drop_modules(trial):
    sys.modules.clear()

def grow_path(trial):
    sys.path[:] = ["/nowhere", *sys.path]

def empty_path(trial):
    sys.path.clear()

def lower_recursion(trial):
    sys.setrecursionlimit(120)

def warnings_raise(trial):
    warnings.simplefilter("error")

def add_log_handlers(trial):
    logging.basicConfig(level=logging.DEBUG, force=True)
    logging.disable(logging.CRITICAL)

def stop_collecting(trial):
    gc.disable()

def catch_signals(trial):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)

def ignore_signals(trial):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)

def block_signals(trial):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())

def set_alarm(trial):
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)

def set_socket_timeout(trial):
    socket.setdefaulttimeout(0.001)

def listen(trial):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(open("port").read())))
    server.listen()
    KEPT.append(server)

def set_decimal(trial):
    decimal.getcontext().prec = 2

def set_globals(trial):
    global FLAG
    FLAG = True
    KEPT.append(1)

def replace_streams(trial):
    sys.stdout = sys.stderr = None

def close_streams(trial):
    for number in (0, 1, 2):
        os.close(number)

def take_the_log_away(trial):
    os.unlink("logs/worker-0.log")

def exit_handler_that_is_slow(trial):
    atexit.register(time.sleep, 0.3)

def exit_handler_that_raises(trial):
    atexit.register(lambda: 1 / 0)

def leak_memory(trial):
    KEPT.append(bytearray(300_000_000))

def set_start_method(trial):
    multiprocessing.set_start_method("fork" if COUNTER[0] else "spawn", force=True)

def trace(trial):
    sys.settrace(lambda *_: None)
    threading.settrace(lambda *_: None)

def anomaly(trial):
    torch.autograd.set_detect_anomaly(True)

def become_subreaper(trial):
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)

def no_death_signal(trial):
    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)

def stop_the_worker(trial):
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(0.01)
    os.kill(os.getppid(), signal.SIGCONT)

def wound_the_worker(trial):
    os.kill(os.getppid(), signal.SIGINT)
    return {"value": 1.0}

def kill_the_worker(trial):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(5)

def kill_itself(trial):
    os.kill(os.getpid(), signal.SIGKILL)

def suspend_itself(trial):
    os.kill(os.getpid(), signal.SIGSTOP)

def exit_now(trial):
    os._exit(0)

def exit_thread(trial):
    sys.exit("enough")

def interrupt(trial):
    raise KeyboardInterrupt

def segfault(trial):
    ctypes.string_at(0)

def answer_nonsense(trial):
    return object()

def exit_handler_that_hangs(trial):
    atexit.register(time.sleep, 987)
    return 1.0
'''

THREAD = """COUNTER = [0]
threading.Thread(target=threading.Event().wait, daemon=True).start()
"""

NAMES = [
    line.partition("(")[0][4:]
    for line in MESSES.splitlines()
    if line.startswith("def ") and not line.startswith(("def state", "def _", "def exit_handler_that_hangs"))
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("messy")
    (directory / "messes.py").write_text(MESSES)
    (directory / "threaded_messes.py").write_text(MESSES.replace("COUNTER = [0]", THREAD))
    (directory / "port").write_text("0")
    return directory


def open_pool(directory, module):
    settings = WorkerSettings(
        threads=1,
        imports=("torch", "pegbox.execution.segment_worker", "pegbox.training.function_trainer"),
        code=(module,),
        keep=keep_reports,
    )
    return WorkerPool(1, settings, logs=directory / "logs" / module, directory=directory)


@pytest.fixture(scope="module")
def pool(directory):
    with open_pool(directory, "messes") as pool:
        yield pool


@pytest.fixture(scope="module")
def keeping_pool(directory):
    """Of a module that starts a thread when it is imported, so that no process can be forked after it."""
    with open_pool(directory, "threaded_messes") as pool:
        yield pool


@pytest.fixture(scope="module")
def undisturbed(pool, directory):
    return metrics_of(pool, "state", directory)


def metrics_of(pool, name, directory, timeout=60, module="messes"):
    train = FunctionTrain(kind="function", function=f"{module}:{name}")
    segment = make_segment({}, train=train, code=str(time.monotonic_ns()))  # trained again each time
    trained = pool.run(train_segment, segment, None, open_store(directory / "store"), timeout=timeout)
    return trained.reports[-1].metrics


def test_a_module_is_imported_once_for_all_trials(directory, undisturbed):
    assert undisturbed["calls"] == 1
    assert (directory / "imported").read_text() == "once\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_mess_meets_no_other_trial(pool, directory, undisturbed, name):
    with suppress(TrialError):  # some fail, as they must
        metrics_of(pool, name, directory, timeout=5 if name == "suspend_itself" else 60)

    assert metrics_of(pool, "state", directory) == undisturbed
    assert not left_running()


def left_running():
    """Programs that messes have started, by the number of seconds that they sleep."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if b"\x00987" in file.read_bytes():
                found.append(file)
    return found


@pytest.mark.long
def test_an_exit_handler_that_hangs_is_ended(pool, directory, undisturbed):
    assert metrics_of(pool, "exit_handler_that_hangs", directory)["value"] == 1.0
    assert metrics_of(pool, "state", directory) == undisturbed


def test_a_process_that_cannot_be_forked_is_kept_while_it_is_clean(keeping_pool, directory):
    found = [metrics_of(keeping_pool, "state", directory, module="threaded_messes")["calls"] for _ in range(3)]

    assert found == [1, 2, 3], (directory / "logs/threaded_messes/worker-0.log").read_text()


@pytest.fixture(scope="module")
def undisturbed_kept(keeping_pool, directory):
    return shared_state(keeping_pool, directory)


def shared_state(pool, directory):
    """But for what a module may keep: a cache."""
    metrics = metrics_of(pool, "state", directory, module="threaded_messes")
    return {name: value for name, value in metrics.items() if name not in {"calls", "kept"}}


QUICK = {"keep_files", "leave_daemon", "set_dtype", "set_globals", "patch_forward", "ignore_signals", "kill_itself"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in NAMES]
)
def test_a_mess_meets_no_other_trial_where_the_process_is_kept(keeping_pool, directory, undisturbed_kept, name):
    with suppress(TrialError):
        metrics_of(keeping_pool, name, directory, 5 if name == "suspend_itself" else 60, "threaded_messes")

    assert shared_state(keeping_pool, directory) == undisturbed_kept
    assert not left_running()
