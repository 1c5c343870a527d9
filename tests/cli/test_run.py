"""`pegbox run` as a user types it: a process of its own, real workers, a real Prefect server of the store."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]

PEGBOX = [sys.executable, "-c", "from pegbox.cli.app import main; main()"]
TRAIN = """
import time
from pathlib import Path


def run(x, pause=0.0):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{x!r}\\n")
    time.sleep(pause)
    return {"value": (x - 0.3) ** 2}


def fail(x):
    raise RuntimeError("no hill here")
"""
STUDY = """
name: {name}
train: {{kind: function, function: "train:{function}"}}
space:
  x: {{min: 0.0, max: 1.0}}
{space}
objective: {{metric: value, goal: minimize{target}}}
search: {{method: sobol}}
budget: {{trials: {trials}}}
run: {{workers: 2}}
finalists: {{top: 2, seeds: 2}}
"""


class Project(NamedTuple):
    """A folder with a function to tune, and its store."""

    folder: Path
    environment: dict[str, str]

    def write(self, name: str, *, function: str = "run", trials: int = 4, space: str = "", target: str = "") -> None:
        text = STUDY.format(name=name, function=function, trials=trials, space=space, target=target)
        (self.folder / f"{name}.yaml").write_text(text)

    def pegbox(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PEGBOX, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def n_calls(self) -> int:
        calls = self.folder / "calls.txt"
        return len(calls.read_text().splitlines()) if calls.exists() else 0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One store for all tests here, so that its server starts once."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(TRAIN)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PEGBOX_"))}
    environment["PREFECT_PROFILES_PATH"] = str(folder / "none.toml")
    return Project(folder, environment)


def test_a_run_prints_its_trials_and_its_answer_and_no_chatter(project):
    project.write("plain")

    done = project.pegbox("run", "plain.yaml")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("value = ")
    starts = [line for line in done.stderr.splitlines() if line.startswith("starting: ")]
    trials = [line for line in done.stderr.splitlines() if line.startswith("trial ")]
    assert sorted(line.split()[1] for line in trials) == ["0", "1", "2", "3"]
    assert len(starts) + len(trials) == len(done.stderr.splitlines())
    log = next((project.folder / ".pegbox" / "logs").glob("run-*.log")).read_text()
    assert "Flow run 'tune-plain'" in log


def test_the_same_command_again_trains_nothing_and_answers_the_same(project):
    project.write("again")
    first = project.pegbox("run", "again.yaml", "--json")
    n_calls = project.n_calls()

    second = project.pegbox("run", "again.yaml", "--json")

    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert project.n_calls() == n_calls
    before, after = json.loads(first.stdout), json.loads(second.stdout)
    assert after["selection"] == before["selection"]
    assert "trial 0 " not in second.stderr


def test_raising_the_budget_trains_only_what_is_new(project):
    project.write("grow")
    project.pegbox("run", "grow.yaml")
    project.write("grow", trials=6)

    done = project.pegbox("run", "grow.yaml")

    new = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("trial ")]
    assert done.returncode == 0, done.stderr
    assert sorted(new) == ["4", "5"]


def test_a_missed_target_has_its_exit_code(project):
    project.write("missed", target=", target: -1")

    done = project.pegbox("run", "missed.yaml")

    assert done.returncode == 4, done.stderr
    assert "missed" in done.stdout


def test_a_study_of_which_every_trial_fails_says_why(project):
    project.write("failing", function="fail")

    done = project.pegbox("run", "failing.yaml")

    assert done.returncode == 3
    assert "error: RuntimeError" in done.stderr or "no hill here" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_another_space_under_the_same_name_is_refused(project):
    project.write("plain", space="  pause: 0.0")

    done = project.pegbox("run", "plain.yaml")

    assert done.returncode == 2
    assert "another space" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_driver_of_one_study_is_told_who_holds_it(project):
    project.write("busy", space="  pause: 1.0", trials=200)
    with subprocess.Popen(
        [*PEGBOX, "run", "busy.yaml"], cwd=project.folder, env=project.environment, stderr=subprocess.PIPE, text=True
    ) as first:
        wait_for_trial(first)
        second = project.pegbox("run", "busy.yaml")
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=120)

    assert second.returncode == 5
    assert f"process {first.pid}" in second.stderr
    assert first.returncode == 130


def wait_for_trial(process: subprocess.Popen[str]) -> None:
    """Read what a run says until its first trial has ended."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("trial "):
            return
    raise AssertionError("the run ended before its first trial did")


def test_ctrl_c_lets_running_trials_finish_and_the_same_command_goes_on(project):
    project.write("interrupted", space="  pause: 1.0", trials=200)

    shown, code = on_a_terminal(project, ["run", "interrupted.yaml"], interrupt_at="/ 200 trials")
    state = json.loads(project.pegbox("status", "interrupted", "--json").stdout)
    n_known = sum(state["counts"].values())
    project.write("interrupted", space="  pause: 1.0", trials=n_known + 1)
    again = project.pegbox("run", "interrupted.yaml", "--json")

    assert code == 130
    assert "Ctrl-C again stops at once" in shown
    assert state["phase"] == "interrupted"
    assert set(state["counts"]) <= {"completed", "proposed"}  # decided a moment before the signal, and not begun
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["counts"] == {"completed": n_known + 1}


def test_a_terminal_gets_the_picture_and_the_answer(project):
    project.write("pictured", space="  pause: 1.0")

    shown, code = on_a_terminal(project, ["run", "pictured.yaml"])

    assert code == 0
    for words in ("starting", "budget", "best", "workers", "fresh seeds", "pegbox sql"):
        assert words in shown
    assert "prefect.flow_runs" not in shown
    assert "Finished in state" not in shown


def on_a_terminal(project: Project, arguments: list[str], interrupt_at: str | None = None) -> tuple[str, int]:
    """All that a command writes to a terminal without its control sequences, and its exit code.

    `interrupt_at` are words at which Ctrl-C is typed.
    """
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover
        os.chdir(project.folder)
        os.execvpe(PEGBOX[0], [*PEGBOX, *arguments], {**project.environment, "TERM": "xterm", "COLUMNS": "120"})
    written, deadline = b"", time.monotonic() + 300
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the child has closed its end
            break
        written += piece
        if interrupt_at and interrupt_at in plain(written):
            os.write(terminal, b"\x03")
            interrupt_at = None
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return plain(written), os.waitstatus_to_exitcode(status)


def plain(written: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode(errors="replace"))


def test_the_readmes_study_runs_as_pasted(project):
    readme = Path(__file__).parents[2] / "README.md"
    (study,) = re.findall(r"```yaml\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    (project.folder / "study.yaml").write_text(study)

    done = project.pegbox("run", "study.yaml", "--json")
    rows = project.pegbox("sql", 'FROM "study_first-study" ORDER BY value LIMIT 5', "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"completed": 12}
    assert len(json.loads(rows.stdout)) == 5


@pytest.mark.parametrize(
    ("kind", "smaller"),
    [
        ("study", {"trials: 20": "trials: 2", "epochs: 20": "epochs: 2", "top: 3, seeds: 3": "top: 1, seeds: 1"}),
        ("function", {"trials: 20": "trials: 3", "top: 3, seeds: 3": "top: 1, seeds: 2"}),
        ("command", {"trials: 12": "trials: 2", "top: 2, seeds: 2": "top: 1, seeds: 1"}),
    ],
)
def test_what_init_writes_runs(project, kind, smaller):
    project.pegbox("init", kind, "--directory", kind)
    path = project.folder / kind / "study.yaml"
    text = path.read_text()
    for old, new in smaller.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    inside = Project(path.parent, {**project.environment, "PEGBOX_STORE": str(project.folder / ".pegbox")})

    done = inside.pegbox("run", "study.yaml", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["selection"]["finalists"]
