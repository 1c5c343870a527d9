"""A population of a user's function in a real flow: killed, gone on with, replayed, and its schedule trained again."""

from pathlib import Path

import pytest
from driver_process import DriverProcess, history_of
from tests.search.population.simulated_population import SimulatedPopulation, population_study

from pegbox.report.replay_audit import replay_study
from pegbox.schemas.study import StudySpec

pytestmark = pytest.mark.flow

TRAIN = """
from pathlib import Path


def run(lr, units, trial):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{lr!r}\\n")
    epoch, loss = trial.load_checkpoint() or (0, 1.0)
    for epoch in range(epoch, trial.budget):
        loss *= 1 - 0.3 / (1 + abs(lr / (0.3 * 0.6**epoch) - 1))
        trial.report(epoch + 1, val_loss=loss)
    trial.save_checkpoint((trial.budget, loss))
"""
SPACE = {"lr": {"min": 1e-4, "max": 1.0, "log": True}, "units": {"min": 8, "max": 64, "power_of_two": True}}


def study() -> StudySpec:
    return population_study(
        train={"kind": "function", "function": "schedules:run", "epochs": 12},
        data=None,
        space=SPACE,
        options={"population": 4, "mutable": ["lr"]},
        budget={"epochs": 48},
        run={"workers": 1, "threads": 1},
        finalists={"top": 1, "seeds": 2},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "schedules.py").write_text(TRAIN)
    return tmp_path


def test_killed_population_goes_on_as_if_nothing_had_happened(folder: Path, prefect_api: str) -> None:
    process = DriverProcess(study(), folder, prefect_api)
    process.wait_for_calls(7)
    process.kill()
    code, output = DriverProcess(study(), folder, prefect_api).finish()

    assert code == 0, output
    found, expected = history_of(folder, study="population"), SimulatedPopulation(study()).run()
    assert [trial.schedule for trial in found.trials] == [trial.schedule for trial in expected.trials]
    assert [trial.parent for trial in found.trials] == [trial.parent for trial in expected.trials]
    values = [trial.value("val_loss") for trial in expected.trials]
    assert [trial.value("val_loss") for trial in found.trials] == values
    # The function draws no random numbers: on fresh seeds and from zero, the schedule gives the very same value.
    assert found.selection is not None
    assert set(found.selection.best.values) == {found.trials[found.selection.winner].value("val_loss")}
    assert replay_study(folder / "store", "population").is_exact
