"""What it takes to tune one script with each tool, and what a kill costs: a small network of torch on digits.

python benchmarks/glue.py [--quick] [--tools pegbox,optuna,ray] [--json]

`glue/plain.py` is the script; `glue/with_*.py` tune it: eight trials of up to eight epochs under successive halving,
one at a time, so that the same command goes on after a kill. Told are the lines that differ from the plain script, the
epochs that an undisturbed run trains, and of a run that was killed (SIGKILL to its driver) after the third epoch of a
trial, and started again, the epochs that were lost: trained again, or of a trial that nobody went on with. Epochs after
the search, in which pegbox trains its winner on a fresh seed, count in both.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from changed_lines import n_changed
from figures import Figure, conclude, parser, tell_machine

GLUE = Path(__file__).with_name("glue")
TOOLS = ("pegbox", "optuna", "ray")
KILLED_AFTER = 3
"""Epochs of one trial: between the rungs of 2 and 4, so that no tool has just ended it."""
LEFT_SECONDS = 20.0
"""What a killed driver's workers may take to see that it is gone."""
PATIENCE_SECONDS = 1800.0


def lines(log: Path) -> list[str]:
    """An entry for each epoch so far."""
    return log.read_text().splitlines() if log.exists() else []


def start(tool: str, folder: Path) -> "subprocess.Popen[bytes]":
    """Run a script in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, str(GLUE / f"with_{tool}.py")],
        cwd=folder,
        env={
            **os.environ,
            "EPOCHS_LOG": str(folder / "epochs.txt"),
            "OMP_NUM_THREADS": "1",
            "RAY_CHDIR_TO_TRIAL_DIR": "0",
        },
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("ab"),
    )


def run(tool: str, folder: Path) -> list[str]:
    """Run to the end.

    Raises:
        RuntimeError: The run failed.
    """
    if start(tool, folder).wait(PATIENCE_SECONDS):
        raise RuntimeError(f"{tool} failed: {(folder / 'errors.txt').read_text(errors='replace')[-2000:]}")
    return lines(folder / "epochs.txt")


def run_killed(tool: str, folder: Path) -> tuple[list[str], int]:
    """Run until a trial has trained three epochs, kill, and run to the end; also how many were never gone on with."""
    first, log = start(tool, folder), folder / "epochs.txt"
    while not (trial := _third_epoch_of(lines(log))) and first.poll() is None:
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    time.sleep(LEFT_SECONDS)
    before = len(lines(log))
    found = run(tool, folder)
    goes_on = any(line.split()[0] == trial for line in found[before:])
    return found, 0 if goes_on else KILLED_AFTER


def _third_epoch_of(found: list[str]) -> str | None:
    """The rate of the first trial that has trained so many epochs."""
    counts = Counter(line.split()[0] for line in found)
    return next((rate for rate, count in counts.items() if count >= KILLED_AFTER), None)


def n_twice(found: list[str]) -> int:
    """Epochs of a rate that came to the same loss again."""
    return sum(count - 1 for count in Counter(found).values())


def measured(tool: str) -> tuple[int, int, int]:
    """Epochs of an undisturbed run, of one that was killed, and those of it that were lost."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folders = Path(place) / "calm", Path(place) / "killed"
        for folder in folders:
            folder.mkdir()
        calm = run(tool, folders[0])
        killed, dropped = run_killed(tool, folders[1])
    return len(calm), len(killed), max(0, n_twice(killed) - n_twice(calm)) + dropped


def main() -> int:
    arguments = parser(__doc__, quick="without Ray")
    arguments.add_argument("--tools", default=",".join(TOOLS), help=f"of {', '.join(TOOLS)}")
    asked = arguments.parse_args()
    tools = [name for name in asked.tools.split(",") if not (asked.quick and name == "ray")]
    tell_machine("torch", "optuna", "ray")
    plain = (GLUE / "plain.py").read_text().splitlines()
    figures = []
    for tool in tools:
        changed = n_changed(plain, (GLUE / f"with_{tool}.py").read_text().splitlines())
        calm, killed, lost = measured(tool)
        print(f"{tool:7} {changed:3} lines; {calm} epochs undisturbed, {killed} with a kill, {lost} lost", flush=True)
        figures += [
            Figure(f"{tool}: lines of glue", float(changed)),
            Figure(f"{tool}: epochs lost by a kill", float(lost)),
        ]
    return conclude(figures, asked.json)


if __name__ == "__main__":
    sys.exit(main())
