"""`pegbox run` as a user types it: a process of its own, real workers, a real Prefect server."""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.flow, pytest.mark.timeout(1200)]

PATIENCE_SECONDS = 500
"""Of one command, on a machine that has other things to do."""
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
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def n_calls(self) -> int:
        calls = self.folder / "calls.txt"
        return len(calls.read_text().splitlines()) if calls.exists() else 0


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """For the user who has no Prefect server: the run starts one of its own."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(TRAIN)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PEGBOX_"))}
    environment["PREFECT_PROFILES_PATH"] = str(folder / "none.toml")
    return Project(folder, environment)


@pytest.fixture(scope="module")
def project(alone: Project, prefect_api: str) -> Project:
    """The same folder and store with the server of the test session, which need not be started for each run."""
    server = {
        "PREFECT_API_URL": prefect_api,
        "PREFECT_API_AUTH_STRING": os.environ["PREFECT_API_AUTH_STRING"],
        "PREFECT_HOME": str(alone.folder / "prefect"),
    }
    return Project(alone.folder, {**alone.environment, **server})


@pytest.fixture(scope="module")
def plain_run(alone: Project) -> subprocess.CompletedProcess[str]:
    """The first run of `plain`, which several tests look at or go on with."""
    alone.write("plain")
    return alone.pegbox("run", "plain.yaml")


def test_a_run_prints_its_trials_and_its_answer_and_no_chatter(alone, plain_run):
    assert plain_run.returncode == 0, plain_run.stderr
    assert plain_run.stdout.startswith("value = ")
    *lines, last = plain_run.stderr.splitlines()
    starts = [line for line in lines if line.startswith("starting: ")]
    trials = [line for line in lines if line.startswith("trial ")]
    assert sorted(line.split()[1] for line in trials) == ["0", "1", "2", "3"]
    assert lines == [*starts, *trials]
    assert last == "search ended: All 4 trials of the budget have been tried."
    logs = (alone.folder / ".pegbox" / "logs").glob("run-*.log")
    assert any("Flow run 'tune-plain'" in log.read_text() for log in logs)


def test_all_that_a_run_leaves_is_its_owner_s_alone(alone, plain_run, tmp_path):
    try:
        os.setxattr(tmp_path, "system.posix_acl_default", b"")  # none
    except OSError as error:
        pytest.skip(f"this file system knows no access control lists: {error}")
    store = alone.folder / ".pegbox"
    left = list(store.rglob("*"))
    assert {path.parts[len(store.parts)] for path in left} >= {"prefect", "models", "logs", "history.duckdb", "ingest"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in left if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in [store, *left] if path.is_dir()} == {0o700}
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE((alone.folder / "calls.txt").stat().st_mode) == 0o666 & ~mask, "outside, as the trial wrote it"


@pytest.mark.long
def test_the_same_command_again_trains_nothing_and_answers_the_same(project, plain_run):
    project.write("plain")
    before = json.loads(project.pegbox("best", "plain", "--json").stdout)
    n_calls = project.n_calls()

    again = project.pegbox("run", "plain.yaml", "--json")

    assert again.returncode == 0, again.stderr
    assert project.n_calls() == n_calls
    assert json.loads(again.stdout)["selection"] == before["selection"]
    assert "trial 0 " not in again.stderr


@pytest.mark.long
def test_raising_the_budget_trains_only_what_is_new(project, plain_run):
    project.write("plain", trials=6)

    done = project.pegbox("run", "plain.yaml")

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


def test_another_space_under_the_same_name_is_refused(project, plain_run):
    project.write("plain", space="  pause: 0.0")

    done = project.pegbox("run", "plain.yaml")

    assert done.returncode == 2
    assert "another space" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_a_second_driver_of_one_study_is_told_who_holds_it(project):
    project.write("busy", space="  pause: 1.0", trials=1000)
    with subprocess.Popen(
        [*PEGBOX, "run", "busy.yaml"], cwd=project.folder, env=project.environment, stderr=subprocess.PIPE, text=True
    ) as first:
        wait_for_trial(first)
        second = project.pegbox("run", "busy.yaml")
        first.send_signal(signal.SIGTERM)
        _, said = first.communicate(timeout=PATIENCE_SECONDS)

    assert second.returncode == 5
    assert f"process {first.pid}" in second.stderr
    assert first.returncode == 130
    assert "running trials are finishing" in said


def wait_for_trial(process: subprocess.Popen[str]) -> None:
    """Read what a run says until its first trial has ended."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("trial "):
            return
    raise AssertionError("the run ended before its first trial did")


def test_ctrl_c_lets_trials_finish_and_the_same_command_goes_on_in_pictures(project):
    project.write("interrupted", space="  pause: 1.0", trials=200)

    shown, code = on_a_terminal(project, ["run", "interrupted.yaml"], interrupt_at="/ 200 trials")
    state = json.loads(project.pegbox("status", "interrupted", "--json").stdout)
    n_known = sum(state["counts"].values())
    project.write("interrupted", space="  pause: 1.0", trials=n_known + 1)
    picture, code_again = on_a_terminal(project, ["run", "interrupted.yaml"])
    after = json.loads(project.pegbox("status", "interrupted", "--json").stdout)

    assert (code, code_again) == (130, 0), picture
    assert "Ctrl-C again stops at once" in shown
    assert state["phase"] == "interrupted"
    assert set(state["counts"]) <= {"completed", "proposed"}  # decided a moment before the signal, and not begun
    assert after["counts"] == {"completed": n_known + 1}
    for words in ("starting", "budget", "best", "workers", "fresh seeds", "pegbox sql"):
        assert words in picture
    assert "prefect.flow_runs" not in picture
    assert "Finished in state" not in picture


def on_a_terminal(project: Project, arguments: list[str], interrupt_at: str | None = None) -> tuple[str, int]:
    """All that a command writes to a terminal without its control sequences, and its exit code.

    `interrupt_at` are words at which Ctrl-C is typed.
    """
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover
        os.chdir(project.folder)
        os.execvpe(PEGBOX[0], [*PEGBOX, *arguments], {**project.environment, "TERM": "xterm", "COLUMNS": "120"})
    written, deadline = b"", time.monotonic() + PATIENCE_SECONDS
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
    else:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return plain(written), os.waitstatus_to_exitcode(status)


def plain(written: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode(errors="replace"))


@pytest.mark.long
def test_the_readmes_study_runs_as_pasted(project):
    readme = Path(__file__).parents[2] / "README.md"
    (study,) = re.findall(r"```yaml[^\n]*\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
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


@pytest.mark.long
def test_auto_goes_from_a_table_to_predictions_and_on_with_its_file(project):
    # Told by two columns together: one that told it alone would be left out as a leak.
    rows = [f"{i % 7},{'ab'[i % 2]},C{i},{'left' if i % 7 > 2 and i % 2 else 'stayed'}" for i in range(260)]
    (project.folder / "shop.csv").write_text("\n".join(["visits,plan,customer,churn", *rows]) + "\n")
    command = ("auto", "shop.csv", "--target", "churn", "--time", "4s", "--json")

    first = project.pegbox(*command)
    written = (project.folder / "shop-churn.yaml").read_text()
    again = project.pegbox(*command)
    predicted = project.pegbox("predict", "shop-churn", "shop.csv", "--out", "said.csv")

    assert (first.returncode, again.returncode, predicted.returncode) == (0, 0, 0), first.stderr
    assert "next: pegbox predict shop-churn NEW.csv" in first.stderr
    assert "going on with shop-churn.yaml" in again.stderr
    assert (project.folder / "shop-churn.yaml").read_text() == written
    answers = [json.loads(one.stdout) for one in (first, again)]
    assert answers[0]["configuration"] == answers[1]["configuration"]
    assert answers[0]["counts"] == answers[1]["counts"]
    said = [line.split(",")[0].strip('"') for line in (project.folder / "said.csv").read_text().splitlines()[1:]]
    assert sum(one == row.rpartition(",")[2] for one, row in zip(said, rows, strict=True)) > 0.95 * len(rows)
