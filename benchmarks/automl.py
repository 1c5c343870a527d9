"""Measures the model that `pegbox auto` ends in beside those of other tools, in the same time, on rows that none saw.

    python benchmarks/automl.py [--quick] [--json] [--seconds 60,300] [--tables a,b] [--tools pegbox,flaml,...]
                                [--python flaml=/path/to/python]

Ten tables, bundled with scikit-learn or generated: dirty ones, rare classes, many levels, a time series. Each tool is
given the same training rows as a CSV file, the time and two cores, in a process of its own, and predicts the same test
rows; `pegbox` is `pegbox auto` and `pegbox predict`, the start of Prefect included. A tool whose pins collide has an
environment of its own, named by `--python`; one that is not installed is skipped with a line. Figures are the mean rank
over tables (1 is the best), and on how many tables pegbox is worse than scikit-learn's defaults beyond noise: by more
than two standard errors of the paired difference over the test rows. The wall time of each is told: a tool may take
longer than it is given.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from automl_peers import PEERS
from figures import Figure, conclude, parser, tell_machine
from scipy.stats import rankdata

Columns = dict[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float64]
OURS = "pegbox"
TOOLS = (OURS, *PEERS)
TEST = 0.3
"""Of the rows, held out from every tool; the latest of a time series."""
_PEER = "import sys; sys.path.insert(0, sys.argv[1]); import automl_peers; automl_peers.answer(*sys.argv[2:])"
QUICK = ("breast_cancer", "dirty", "series")


class Table(NamedTuple):
    """Columns with the target `y`, and how a model of it is judged."""

    columns: Columns
    metric: str = "accuracy"
    is_series: bool = False

    @property
    def task(self) -> str:
        """What the target is."""
        return "regression" if self.metric == "rmse" else "classification"


def bundled(name: str, metric: str = "accuracy") -> Table:
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    words = np.array([f"class {code}" for code in found.target]) if metric == "accuracy" else found.target
    return Table({**{f"x{i}": found.data[:, i] for i in range(found.data.shape[1])}, "y": words}, metric)


def numbers(rng: np.random.Generator, n_rows: int, n_columns: int) -> Columns:
    return {f"x{i}": rng.normal(size=n_rows) for i in range(n_columns)}


def dirty(rng: np.random.Generator) -> Table:
    """Gaps, a category with spelling variants, yes and no, an identifier, a constant, a column with outliers."""
    n = 3000
    found = numbers(rng, n, 6)
    city = rng.choice(["Bonn", "Oslo", "Rome", "bonn "], n, p=[0.3, 0.3, 0.3, 0.1])
    member = rng.choice(["yes", "no"], n)
    score = found["x0"] * found["x1"] + (city == "Rome") + 0.7 * (member == "yes") * found["x2"]
    y = np.where(score + 0.5 * rng.normal(size=n) > 0.3, "left", "stays")
    for name in ("x0", "x3"):
        found[name] = np.where(rng.random(n) < 0.15, np.nan, found[name])
    found["x4"] = np.where(rng.random(n) < 0.01, 1e6, found["x4"])
    ids = np.array([f"c{i}" for i in rng.permutation(n)])
    return Table({"id": ids, "constant": np.ones(n), "city": city, "member": member, **found, "y": y})


def imbalanced(rng: np.random.Generator) -> Table:
    n = 6000
    found = numbers(rng, n, 10)
    score = found["x0"] + found["x1"] ** 2 - found["x2"] * found["x3"] + 0.7 * rng.normal(size=n)
    return Table({**found, "y": np.where(score > np.quantile(score, 0.95), "fraud", "fine")}, "balanced_accuracy")


def levels(rng: np.random.Generator) -> Table:
    """Two columns of many categories, whose effects add up."""
    n = 5000
    shop, item = rng.integers(0, 120, n), rng.integers(0, 40, n)
    effects = rng.normal(size=120)[shop] + rng.normal(size=40)[item]
    found = numbers(rng, n, 4)
    score = effects + 0.5 * found["x0"] + rng.normal(size=n)
    names = {"shop": np.array([f"shop {i}" for i in shop]), "item": np.array([f"item {i}" for i in item])}
    return Table({**names, **found, "y": np.where(score > 0, "sold", "kept")})


def smooth(rng: np.random.Generator) -> Table:
    """What networks find and trees approximate by steps."""
    n = 3000
    x = rng.uniform(-1, 1, (n, 8))
    y = np.sin(3 * x @ rng.normal(size=8)) + 0.5 * np.tanh(x @ rng.normal(size=8)) + 0.1 * rng.normal(size=n)
    return Table({**{f"x{i}": x[:, i] for i in range(8)}, "y": y}, "rmse")


def friedman(rng: np.random.Generator) -> Table:
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(2000, n_features=12, noise=1.0, random_state=1)
    return Table({**{f"x{i}": x[:, i] for i in range(12)}, "y": y}, "rmse")


def series(rng: np.random.Generator) -> Table:
    """A load by the hour with a day, a week, a trend and yesterday's value; the test rows are the latest."""
    n = 24 * 200
    hours = np.arange(n)
    day, week = hours % 24, (hours // 24) % 7
    warmth = 10 + 8 * np.sin(2 * np.pi * hours / (24 * 365)) + rng.normal(size=n)
    load = 50 + 0.002 * hours + 10 * np.sin(2 * np.pi * day / 24) - 6 * (week >= 5) + 0.1 * (warmth - 18) ** 2
    load = load + 1.5 * rng.normal(size=n)
    at = (np.datetime64("2024-01-01T00:00:00") + hours.astype("timedelta64[h]")).astype(str)
    times = np.array([one.replace("T", " ") for one in at])
    before = np.concatenate([load[:24], load[:-24]])
    found = {"at": times, "hour": day, "weekday": week, "warmth": warmth, "day_before": before}
    return Table({**found, "y": load}, "rmse", is_series=True)


def linear(rng: np.random.Generator) -> Table:
    """Many columns, few rows, and nothing but a sum."""
    n = 400
    x = rng.normal(size=(n, 60))
    y = x[:, :20] @ rng.normal(size=20) + 2 * rng.normal(size=n)
    return Table({**{f"x{i}": x[:, i] for i in range(60)}, "y": y}, "rmse")


TABLES: dict[str, Callable[[np.random.Generator], Table]] = {
    "breast_cancer": lambda _: bundled("breast_cancer"),
    "digits": lambda _: bundled("digits"),
    "diabetes": lambda _: bundled("diabetes", "rmse"),
    "dirty": dirty,
    "imbalanced": imbalanced,
    "levels": levels,
    "smooth": smooth,
    "friedman": friedman,
    "linear": linear,
    "series": series,
}


class Answer(NamedTuple):
    """What a tool made of a table.

    Attributes:
        said: Of each test row; None where it failed.
        seconds: Of wall time.
    """

    said: npt.NDArray[Any] | None
    seconds: float


def write_table(folder: Path, table: Table, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Both parts as CSV files, the test part without its target; gives that."""
    n = len(table.columns["y"])
    order = np.arange(n) if table.is_series else rng.permutation(n)
    cut = round(n * (1 - TEST))
    for part, rows in (("train", order[:cut]), ("test", order[cut:])):
        names = [name for name in table.columns if part == "train" or name != "y"]
        lines = zip(*([_word(one) for one in table.columns[name][rows]] for name in names), strict=True)
        text = "\n".join([",".join(names), *(",".join(line) for line in lines)])
        (folder / f"{part}.csv").write_text(f"{text}\n", encoding="utf-8")
    return table.columns["y"][order[cut:]]


def _word(value: Any) -> str:
    if isinstance(value, float) and np.isnan(value):
        return ""
    return str(value)


def ask(tool: str, folder: Path, table: Table, seconds: float, pythons: dict[str, str]) -> Answer:
    """What a tool answers, in a process of its own."""
    if tool == OURS:
        return _ask_pegbox(folder, seconds)
    command = [pythons.get(tool, sys.executable), "-c", _PEER, str(Path(__file__).parent)]
    command += [tool, str(folder), table.task, table.metric, str(seconds)]
    started = time.monotonic()
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    took = time.monotonic() - started
    if done.returncode:
        print(f"  {tool} failed: {(done.stderr.strip().splitlines() or ['without a word'])[-1][:200]}", flush=True)
        return Answer(None, took)
    return Answer(np.array((folder / f"{tool}.txt").read_text(encoding="utf-8").splitlines()), took)


def _ask_pegbox(folder: Path, seconds: float) -> Answer:
    pegbox = str(Path(sys.executable).with_name("pegbox"))
    environment = os.environ | {"PEGBOX_STORE": str(folder / f"store-{seconds:g}")}
    commands = (
        [pegbox, "auto", "train.csv", "--target", "y", "--time", f"{seconds:g}s", "--force"],
        [pegbox, "predict", "train-y", "test.csv", "--out", "pegbox.parquet"],
    )
    started = time.monotonic()
    for command in commands:
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=environment)
        if done.returncode:
            print(f"  pegbox failed: {done.stderr.strip().splitlines()[-1][:200]}", flush=True)
            return Answer(None, time.monotonic() - started)
    import pyarrow.parquet as pq

    said = pq.read_table(folder / "pegbox.parquet").column("prediction").to_numpy(zero_copy_only=False)
    return Answer(said.astype(str), time.monotonic() - started)


def losses(table: Table, truth: npt.NDArray[Any], said: npt.NDArray[Any]) -> Floats:
    """Of each row; their mean is what tools are ranked by, for a root and a one minus change no rank."""
    if table.metric == "rmse":
        return np.asarray((truth.astype(float) - said.astype(float)) ** 2)
    wrong = np.asarray(truth.astype(str) != said, dtype=np.float64)
    if table.metric == "accuracy":
        return wrong
    # Each class counts as much as any other.
    names, counts = np.unique(truth, return_counts=True)
    weights = dict(zip(names, len(truth) / (len(names) * counts), strict=True))
    return wrong * np.array([weights[one] for one in truth])


def told(table: Table, found: Floats) -> float:
    """The metric itself."""
    return float(found.mean() ** 0.5 if table.metric == "rmse" else 1 - found.mean())


class Outcome(NamedTuple):
    """Of one table: the losses of each tool that answered, and seconds."""

    losses: dict[str, Floats]
    seconds: dict[str, float]

    def ranks(self, tools: Sequence[str]) -> dict[str, float]:
        """1 is the best; who failed shares the last places, and ties their mean."""
        means = [self.losses[tool].mean() if tool in self.losses else np.inf for tool in tools]
        return dict(zip(tools, rankdata(means).tolist(), strict=True))

    def is_worse(self, than: str) -> bool:
        """True if pegbox is beyond noise, or failed."""
        if than not in self.losses:
            return False
        if OURS not in self.losses:
            return True
        difference = self.losses[OURS] - self.losses[than]
        return bool(difference.mean() > 2 * difference.std(ddof=1) / len(difference) ** 0.5)


def measure(name: str, tools: Sequence[str], seconds: float, pythons: dict[str, str]) -> Outcome:
    rng = np.random.default_rng(0)
    table = TABLES[name](rng)
    found: dict[str, Floats] = {}
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        truth = write_table(Path(folder), table, rng)
        for tool in tools:
            answer = ask(tool, Path(folder), table, seconds, pythons)
            took[tool] = answer.seconds
            if answer.said is not None:
                found[tool] = losses(table, truth, answer.said)
    cells = "".join(
        f"  {tool} {told(table, found[tool]):.4f} ({took[tool]:.0f} s)" if tool in found else f"  {tool} failed"
        for tool in tools
    )
    print(f"{name:14}{table.metric:18}{seconds:4g} s{cells}", flush=True)
    return Outcome(found, took)


def available(tools: Sequence[str], pythons: dict[str, str]) -> list[str]:
    """Those that can be run, the others named."""
    found = []
    for tool in tools:
        module = PEERS[tool][1] if tool in PEERS else "pegbox"
        command = [pythons.get(tool, sys.executable), "-c", f"import {module}"]
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:
            found.append(tool)
        else:
            print(f"{tool} is skipped: {module} is not installed. Name its environment with --python {tool}=PYTHON.")
    return found


def summary(outcomes: Sequence[Outcome], tools: Sequence[str], seconds: float) -> list[Figure]:
    ranks = {tool: statistics.mean(one.ranks(tools)[tool] for one in outcomes) for tool in tools}
    figures = [
        Figure(
            f"mean rank of {tool}, {seconds:g} s",
            rank,
            # Ahead of FLAML; the others are shown.
            bar=ranks.get("flaml") if tool == OURS else None,
            is_beyond=True,
        )
        for tool, rank in ranks.items()
    ]
    if "sklearn" in tools and OURS in tools:
        worse = sum(one.is_worse("sklearn") for one in outcomes)
        figures.append(Figure(f"tables worse than defaults, {seconds:g} s", worse, 0))
    if OURS in tools:
        longest = max(one.seconds[OURS] for one in outcomes)
        figures.append(Figure(f"longest wall time of pegbox, {seconds:g} s", longest))
    return figures


def _pair(text: str) -> tuple[str, str]:
    tool, _, python = text.partition("=")
    if tool not in PEERS or not python:
        raise argparse.ArgumentTypeError(f"expected TOOL=PYTHON with one of {', '.join(PEERS)}, got {text!r}")
    return tool, python


def main() -> int:
    options = parser(__doc__, f"{', '.join(QUICK)} in 20 seconds each")
    options.add_argument("--seconds", default="60,300", help="that each tool has, several after each other")
    options.add_argument("--tables", default=",".join(TABLES))
    options.add_argument("--tools", default=",".join(TOOLS))
    options.add_argument("--python", type=_pair, action="append", default=[], metavar="TOOL=PYTHON")
    chosen = options.parse_args()
    pythons = dict(chosen.python)
    tell_machine("scikit-learn", "lightgbm")
    tools = available(chosen.tools.split(","), pythons)
    names = QUICK if chosen.quick else chosen.tables.split(",")
    figures = []
    for seconds in (20.0,) if chosen.quick else map(float, chosen.seconds.split(",")):
        outcomes = [measure(name, tools, seconds, pythons) for name in names]
        figures += summary(outcomes, tools, seconds)
    return conclude(figures, chosen.json)


if __name__ == "__main__":
    sys.exit(main())
