"""What pegbox costs per trial and at the start, beside bare Prefect and Optuna in the same run.

    python benchmarks/overhead.py [--quick] [--json]

Every contestant runs the same no-op objective. `bare Prefect` submits three tasks a trial, configured like pegbox's
(content keys, persisted JSON results, thread pool), against a server of the same kind. Each contestant is a process of
its own, measured `--rounds` times in turn; medians and spreads are printed. CPU is that of the process and of the
children it waited for, the Prefect server not included.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

from figures import Figure, conclude, parser, tell_machine

# Nothing to train, so that all that is left is the price of the house.
NOOP = "def run(x):\n    return {'value': (x - 0.3) ** 2}\n"

STUDY = """\
name: overhead
train: {{kind: function, function: "noop:run"}}
space: {{x: {{min: 0.0, max: 1.0}}}}
objective: {{metric: value}}
search: {{method: random}}
budget: {{trials: {n_trials}}}
run: {{workers: 2}}
finalists: {{top: 1, seeds: 1}}
"""

PEGBOX = """
import os, resource, sys, time
from pathlib import Path
from pegbox.flows.prefect_server.shared_server import prefect_server, wait_until_healthy
from pegbox.schemas.study_file import read_study

with prefect_server(Path("store/prefect"), Path("store/server.log")) as url:
    from pegbox.flows.tune import tune
    from pegbox.schemas.data import DataSpec
    wait_until_healthy(url)
    spec = read_study(Path("study.yaml")).spec
    warm = spec.model_copy(update={{"name": "warm", "budget": spec.budget.model_copy(update={{"trials": 4}})}})
    tune(warm, Path("store"))
    wall, cpu = time.perf_counter(), time.process_time()
    tune(spec, Path("store"))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print("FIGURES", wall, cpu)
"""

PREFECT = """
import hashlib, json, sys, time
from pathlib import Path
from pegbox.flows.prefect_server.shared_server import prefect_server, wait_until_healthy

with prefect_server(Path("store/prefect"), Path("store/server.log")) as url:
    from prefect import flow, task
    from prefect.cache_policies import CachePolicy, NO_CACHE
    from prefect.filesystems import LocalFileSystem
    from prefect.task_runners import ThreadPoolTaskRunner
    from pydantic import BaseModel
    wait_until_healthy(url)

    class Trial(BaseModel):
        number: int
        x: float

    class Key(CachePolicy):
        def __init__(self, step): self.step = step
        def compute_key(self, task_ctx, inputs, flow_parameters, **kwargs):
            content = json.dumps(inputs["trial"].model_dump(), sort_keys=True)
            return self.step + hashlib.sha256(content.encode()).hexdigest()

    @task(cache_policy=NO_CACHE, persist_result=False)
    def propose(number): return Trial(number=number, x=(number * 0.618) % 1)

    kept = dict(persist_result=True, result_serializer="json")

    @task(cache_policy=Key("train"), task_run_name="trial-{{trial.number:04d}}", **kept)
    def train(trial): return trial.x

    @task(cache_policy=Key("evaluate"), task_run_name="evaluate-{{trial.number:04d}}", **kept)
    def evaluate(trial, trained): return (trained - 0.3) ** 2

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def bare(start, n):
        storage = LocalFileSystem(basepath="store/cache")
        storage.save("bare", overwrite=True)
        t, e = train.with_options(result_storage=storage), evaluate.with_options(result_storage=storage)
        for first in range(start, start + n, 2):
            trials = [propose(first), propose(first + 1)]
            trained = [t.submit(trial) for trial in trials]
            measured = [e.submit(trial, future) for trial, future in zip(trials, trained)]
            [future.result() for future in measured]

    bare(0, 4)
    wall, cpu = time.perf_counter(), time.process_time()
    bare(100, {n_trials})
    print("FIGURES", time.perf_counter() - wall, time.process_time() - cpu)
"""

OPTUNA = """
import time, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
storage = {storage}
study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
wall, cpu = time.perf_counter(), time.process_time()
study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - 0.3) ** 2, n_trials={n_trials})
print("FIGURES", time.perf_counter() - wall, time.process_time() - cpu)
"""

FIRST_STEP = """
import time, torch
from pathlib import Path
def run(x):
    torch.nn.Linear(4, 4)(torch.zeros(1, 4)).sum().backward()
    stamp = Path({stamp!r})
    if not stamp.exists():
        stamp.write_text(str(time.time()))
    return x
"""

BARE_FLOW = """
import os
os.environ["PREFECT_HOME"] = os.path.abspath("store/prefect")
os.makedirs(os.environ["PREFECT_HOME"], exist_ok=True)
from prefect import flow, task
import noop
@task
def train(x): return noop.run(x)
@flow
def bare(): return train.submit(0.5).result()
bare()
"""


@dataclass
class Contestant:
    """One way to run the no-op trials, with the figures of its rounds in ms per trial."""

    name: str
    script: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def run_once(contestant: Contestant, n_trials: int) -> None:
    """Run a contestant in an empty directory and keep its figures."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "noop.py").write_text(NOOP)
        Path(folder, "study.yaml").write_text(STUDY.format(n_trials=n_trials))
        done = subprocess.run(
            [sys.executable, "-c", contestant.script],
            cwd=folder,
            capture_output=True,
            text=True,
            env=quiet(),
            check=False,
        )
    line = next((line for line in done.stdout.splitlines() if line.startswith("FIGURES")), None)
    if line is None:
        raise SystemExit(f"{contestant.name} failed:\n{done.stdout}\n{done.stderr}")
    wall, cpu = (float(figure) * 1000 / n_trials for figure in line.split()[1:])
    contestant.wall.append(wall)
    contestant.cpu.append(cpu)


def quiet() -> dict[str, str]:
    """The environment without a configured Prefect server, and without its chatter."""
    # A server or a profile of the user's own would be measured in place of what an install brings.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {
        **kept,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }


def first_step(command: list[str], folder: Path) -> float:
    """Seconds from starting a command to its first training step."""
    stamp = folder / "stamp"
    stamp.unlink(missing_ok=True)
    (folder / "noop.py").write_text(textwrap.dedent(FIRST_STEP.format(stamp=str(stamp))))
    # A name of its own is another study, and another version is trained anew, in place of being found in the cache.
    now = time.time_ns()
    study = STUDY.format(n_trials=1).replace("overhead", f"start-{now}")
    (folder / "study.yaml").write_text(study.replace('"noop:run"', f'"noop:run", version: "{now}"'))
    began = time.time()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=quiet(), check=False)
    if not stamp.exists():
        raise SystemExit(f"{command[0]} never trained:\n{done.stdout}\n{done.stderr}")
    return float(stamp.read_text()) - began


def measure_start(rounds: int, empty: bool) -> dict[str, list[float]]:
    """Start-up of pegbox and of a bare flow, in turn; with an empty state directory each time, or a used one."""
    pegbox = [str(Path(sys.executable).with_name("pegbox")), "run", "study.yaml", "--store", "store"]
    commands = {"pegbox": pegbox, "bare Prefect": [sys.executable, "-c", BARE_FLOW]}
    folders = {name: Path(tempfile.mkdtemp()) for name in commands}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + (0 if empty else 1)):
        for name, command in commands.items():
            if empty:
                folders[name] = Path(tempfile.mkdtemp())
            else:
                time.sleep(12)  # the store's server has left by then: every start is a start
            taken = first_step(command, folders[name])
            if empty or number > 0:
                seconds[name].append(taken)
    return seconds


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):8.1f}  ({min(values):.1f} to {max(values):.1f})"


def main() -> int:
    made = parser(__doc__, "fewer trials and rounds")
    made.add_argument("--rounds", type=int, default=None)
    arguments = made.parse_args()
    n_trials = 60 if arguments.quick else 200
    rounds = arguments.rounds or (1 if arguments.quick else 5)

    sqlite = 'RDBStorage("sqlite:///optuna.db")'
    journal = 'JournalStorage(JournalFileBackend("optuna.log"))'
    contestants = [
        Contestant("pegbox", PEGBOX.replace("{{", "{").replace("}}", "}")),
        Contestant("bare Prefect, 3 tasks", PREFECT.format(n_trials=n_trials)),
        Contestant("Optuna, SQLite", OPTUNA.format(storage=sqlite, n_trials=n_trials)),
        Contestant("Optuna, JournalStorage", OPTUNA.format(storage=journal, n_trials=n_trials)),
    ]
    for _ in range(rounds):
        # In turn within each round, so that a machine that slows down slows all of them.
        for contestant in contestants:
            run_once(contestant, n_trials)

    tell_machine("prefect", "optuna", "duckdb", "torch")
    print(f"\nper trial, {n_trials} no-op trials, {rounds} rounds: median (min to max)\n")
    print(f"{'':26}{'wall ms':>28}{'cpu ms':>28}{'wall ratio':>12}")
    # Medians, because one pause of the machine moves a mean of five.
    base = statistics.median(contestants[0].wall)
    for one in contestants:
        ratio = base / statistics.median(one.wall)
        print(f"{one.name:26}{spread(one.wall):>28}{spread(one.cpu):>28}{ratio:12.2f}")

    start = {kind: measure_start(rounds, empty=kind == "empty state") for kind in ("empty state", "used state")}
    print("\nseconds from command to first training step: median (min to max)\n")
    for kind, seconds in start.items():
        for name, values in seconds.items():
            print(f"{kind:14}{name:14}{spread(values):>28}")

    ratio = base / statistics.median(contestants[1].wall)
    start_ratio = {k: statistics.median(s["pegbox"]) / statistics.median(s["bare Prefect"]) for k, s in start.items()}
    figures = [
        Figure("wall ms per trial", base, 60.0),
        Figure("ratio to bare Prefect tasks", ratio, 1.3),
        *(Figure(f"ratio of start, {kind}", value, 1.3) for kind, value in start_ratio.items()),
    ]
    print()
    return conclude(figures, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
