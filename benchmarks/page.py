"""Measures how soon the page of a large study opens and follows a brush, in a real browser.

    python benchmarks/page.py [--quick] [--json] [--rounds N]

A study of 100,000 simulated trials (`--quick`: 10,000), three rungs and six hyperparameters is written into a store.
Measured are, each as the median of the rounds:

- `open live`: a fresh `pegbox ui`, from the address to a page whose parallel coordinates are drawn and whose table of
  trials is filled; what the host reads and counts in SQL is part of it;
- `open again`: the same from a host that has served the page before;
- `open file`: the same for the file that `pegbox report` wrote;
- `brush`: from the release of a brush over half an axis to the last view that follows it, of that file;
- `find`: from a query of two conditions in the search field, over all trials, to the last view that follows it;
- `new trial`: from the moment when a running study of a store of its own records a finished trial to a live page that
  counts it;
- `write`: how long `pegbox report` takes, which has no bar.

Needs Playwright and chromium.
"""

import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from figures import Figure, conclude, parser, tell_machine
from playwright.sync_api import Browser, Page, sync_playwright

from pegbox.schemas.decision import Continue, Start, Stop
from pegbox.schemas.events import DecisionMade, Event, RunEnded, RunStarted, SegmentTrained, StudyOpened, TrialEvaluated
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, TrainedSegment, TrialState
from pegbox.storage.ingest import ingest
from pegbox.storage.journal_lines import encode_line
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

# Set by hand as what a visitor bears: seconds to open, and a third of one for an answer to the hand.
BARS = {"open live": 3.0, "open again": 3.0, "open file": 3.0, "brush": 0.3, "find": 0.3, "new trial": 2.0}
STUDY = "large"
RUNGS = (3, 9, 27)
# A fixed moment of November 2025, so that two runs write the same bytes.
BEGAN = 1_764_000_000.0
# Both ends of the page: what is drawn last must be there, or the figure would end too early.
DRAWN = (
    "() => document.querySelector('.parallel canvas') && document.querySelectorAll('#trials tbody tr').length >= 100"
)

COUNTED = "n => document.querySelector('header .facts')?.innerText.startsWith(`${n} trial`)"


def make_spec(n_trials: int) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": STUDY,
            "train": {"kind": "function", "function": "my_project.train:run", "epochs": RUNGS[-1]},
            "space": {
                "lr": {"min": 1e-5, "max": 1e-1, "log": True},
                "units": {"min": 16, "max": 512, "int": True, "log": True},
                "dropout": {"min": 0.0, "max": 0.6},
                "weight_decay": {"min": 1e-6, "max": 1e-1, "log": True},
                "activation": ["relu", "gelu", "silu", "tanh"],
                "optimizer": ["adamw", "sgd"],
            },
            "objective": {"metric": "val_loss"},
            "fidelity": {"schedule": "asha", "min": RUNGS[0], "max": RUNGS[-1], "factor": 3},
            "budget": {"trials": n_trials},
            "run": {"workers": 8},
        }
    )


def write_store(root: Path, n_trials: int) -> None:
    """The store of a study whose search is over; only the driver's journal, without curves."""
    store, spec = open_store(root), make_spec(n_trials)
    # The journal is written by hand: to record each of so many events with an fdatasync would measure the disk.
    with (store.journal / "20251124T000000-driver-bench-1-00000001.jsonl").open("wb") as file:
        for number, (at, event) in enumerate(events_of(spec, n_trials), start=1):
            file.write(encode_line(event, number, at, number))
    ingest(store, wait=True, force=True)


def events_of(spec: StudySpec, n_trials: int) -> Iterator[tuple[float, Event]]:
    draw, at = random.Random(0), BEGAN
    yield at, StudyOpened(study=STUDY, spec=spec)
    yield at, RunStarted(study=STUDY, run="r", host="bench", pid=1)
    numbers = count()
    for trial in range(n_trials):
        at += 0.5
        yield from numbered(trial_of(spec, trial, at, draw), numbers)
    yield at + 10, RunEnded(study=STUDY, run="r", status="completed")


def numbered(events: Iterable[tuple[float, Event]], numbers: Iterator[int]) -> Iterator[tuple[float, Event]]:
    """Decisions counted over the whole study, as its driver does: a history with a gap or a double is refused."""
    for at, event in events:
        yield at, event.model_copy(update={"number": next(numbers)}) if isinstance(event, DecisionMade) else event


def trial_of(spec: StudySpec, trial: int, at: float, draw: random.Random) -> Iterator[tuple[float, Event]]:
    """A third of the trials goes on at each rung, the better ones."""
    lr, units, dropout = 10 ** draw.uniform(-5, -1), round(2 ** draw.uniform(4, 9)), draw.uniform(0, 0.6)
    configuration = {
        "lr": lr,
        "units": units,
        "dropout": dropout,
        "weight_decay": 10 ** draw.uniform(-6, -1),
        "activation": draw.choice(["relu", "gelu", "silu", "tanh"]),
        "optimizer": draw.choice(["adamw", "sgd"]),
    }
    loss = 0.2 + 0.02 * abs(lr - 1e-3) ** 0.3 + 0.1 * (dropout - 0.2) ** 2 + 1 / units + abs(draw.gauss(0, 0.01))
    before = 0
    for place, rung in enumerate(RUNGS):
        step = Continue(trial=trial, to_budget=rung) if before else Start(configuration=configuration, to_budget=rung)
        yield at, decided(trial, step, at)
        at += 1.0
        trained = TrainedSegment(budget=rung, seconds=1.0, worker=f"bench:{trial % 8}")
        yield (
            at,
            SegmentTrained(
                study=STUDY, trial=trial, attempt=1, from_budget=before, to_budget=rung, fold=0, seed=0, trained=trained
            ),
        )
        is_last = rung == RUNGS[-1]
        evaluation = Evaluation(budget=rung, metrics={"val_loss": loss + 0.3 / rung}, seconds=float(place + 1))
        state = TrialState.COMPLETED if is_last else TrialState.PAUSED
        yield at, TrialEvaluated(study=STUDY, trial=trial, evaluation=evaluation, state=state)
        if not is_last and draw.random() > 1 / 3:
            yield at, decided(trial, Stop(trial=trial), at)
            return
        before = rung


def decided(trial: int, step: Start | Continue | Stop, at: float) -> DecisionMade:
    return DecisionMade(
        study=STUDY, number=trial, saw=1, elapsed_seconds=at - BEGAN, decision=step, trial=trial, seed=trial
    )


def timed_open(page: Page, address: str) -> float:
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_function(DRAWN)
    return time.perf_counter() - began


@contextmanager
def live_host(root: Path) -> Iterator[str]:
    """A fresh `pegbox ui`, as a process of its own; gives the address of the study's page."""
    command = [
        sys.executable,
        "-c",
        "from pegbox.cli.app import main; main()",
        "ui",
        "--port",
        "0",
        "--store",
        str(root),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as host:
        try:
            assert host.stdout is not None
            address = host.stdout.readline().strip()
            # Where others have accounts on the machine the address holds a token already.
            yield f"{address}{'&' if '?' in address else '?'}study={STUDY}"
        finally:
            host.terminate()


def open_live(browser: Browser, root: Path) -> tuple[float, float]:
    """Seconds until a fresh host's page is drawn, and until it is drawn once more."""
    with live_host(root) as address:
        page = browser.new_page(viewport={"width": 1320, "height": 900})
        first, again = timed_open(page, address), timed_open(page, address)
        page.close()
    return first, again


def new_trial_seconds(browser: Browser, rounds: int) -> list[float]:
    """Seconds until a page counts a trial that a running study has just recorded."""
    spec, draw, found = make_spec(100), random.Random(1), []
    with tempfile.TemporaryDirectory() as folder:
        started = RunStarted(study=STUDY, run="r", host="bench", pid=1)
        with open_study(open_store(Path(folder)), spec, started) as study, live_host(Path(folder)) as address:
            numbers = count()
            study.record(*(event for _, event in numbered(trial_of(spec, 0, BEGAN, draw), numbers)))
            # Until the first snapshot is published: the host refuses a store without one.
            time.sleep(3)
            page = browser.new_page()
            page.goto(address)
            for trial in range(1, rounds + 1):
                page.wait_for_function(COUNTED, arg=trial)
                page.wait_for_timeout(1000 * draw.uniform(1, 3))  # at any moment of the clocks on the way
                began = time.perf_counter()
                study.record(*(event for _, event in numbered(trial_of(spec, trial, BEGAN + trial, draw), numbers)))
                page.wait_for_function(COUNTED, arg=trial + 1)
                found.append(time.perf_counter() - began)
            page.close()
    return found


def brush_seconds(page: Page) -> float:
    """Brush the lower half of an axis by hand, and wait for the last view."""
    axis = page.locator('.axis[data-name="dropout"]')
    axis.scroll_into_view_if_needed()
    box = axis.bounding_box()
    assert box is not None
    middle, foot = box["x"] + box["width"] / 2, box["y"] + box["height"]
    page.mouse.move(middle, foot - 2)
    page.mouse.down()
    page.mouse.move(middle, foot - box["height"] / 2)
    page.evaluate("performance.clearMeasures('selection')")
    # Measured from the last move on: the views of the moves before it would count as well.
    page.mouse.move(middle, foot - box["height"] / 2 - 3)
    page.mouse.up()
    page.wait_for_function("() => performance.getEntriesByName('selection').length > 0")
    seconds = page.evaluate("performance.getEntriesByName('selection').at(-1).duration") / 1000
    page.locator(".selection button").click()
    page.wait_for_timeout(300)
    return float(seconds)


def find_seconds(page: Page) -> float:
    """Ask for trials by two conditions, and wait for the last view; the pause between two letters is not in it."""
    page.evaluate("performance.clearMeasures('selection')")
    page.fill("#trials .find", "optimizer=adamw val_loss<0.26")
    page.wait_for_function("() => performance.getEntriesByName('selection').length > 0")
    return float(page.evaluate("performance.getEntriesByName('selection').at(-1).duration") / 1000)


def measure(root: Path, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in (*BARS, "write")}
    file = root / "page.html"
    began = time.perf_counter()
    command = [sys.executable, "-c", "from pegbox.cli.app import main; main()", "report", STUDY]
    subprocess.run([*command, "--out", str(file), "--store", str(root)], check=True, capture_output=True)
    found["write"].append(time.perf_counter() - began)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        print(f"chromium {browser.version}", end=", ")
        for _ in range(rounds):
            first, again = open_live(browser, root)
            found["open live"].append(first)
            found["open again"].append(again)
            page = browser.new_page(viewport={"width": 1320, "height": 900})
            found["open file"].append(timed_open(page, file.as_uri()))
            found["brush"].append(brush_seconds(page))
            found["find"].append(find_seconds(page))
            page.close()
        found["new trial"] = new_trial_seconds(browser, rounds)
        browser.close()
    return found


def main() -> int:
    made = parser(__doc__, "10,000 trials, two rounds")
    made.add_argument("--rounds", type=int)
    arguments = made.parse_args()
    tell_machine("duckdb")
    n_trials = 10_000 if arguments.quick else 100_000
    rounds = arguments.rounds or (2 if arguments.quick else 5)
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), n_trials)
        found = measure(Path(folder), rounds)
    print(f"{n_trials:,} trials, median (least to most) of {rounds} rounds")
    figures = []
    for name, values in found.items():
        median = statistics.median(values)
        print(f"  {name:10} {median:6.2f} s ({min(values):.2f} to {max(values):.2f})")
        figures.append(Figure(f"{name}, s", median, BARS.get(name)))
    return conclude(figures, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
