"""The study files of examples/ and of the demo run as a user would run them, through a real flow and its workers."""

from pathlib import Path

import pytest

from pegbox.schemas.study_file import read_study

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("study_file", "metric", "at_least"),
    # The share of the larger class is 0.70, and the mean as a guess has an r2 of 0.
    [
        ("examples/churn.yaml", "test_accuracy", 0.8),
        pytest.param("examples/energy.yaml", "test_r2", 0.95, marks=pytest.mark.long),
        pytest.param("cli/templates/demo/study.yaml", "test_accuracy", 0.97, marks=pytest.mark.long),
    ],
)
def test_example_with_data_finds_a_model_that_predicts(
    study_file: str, metric: str, at_least: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pegbox.flows.tune import tune

    monkeypatch.chdir(REPOSITORY)

    selection = tune(read_study(Path(study_file)).spec, tmp_path / "store")

    assert selection.test_metrics[metric] >= at_least


@pytest.mark.long
def test_demo_begins_well_with_few_trials(tmp_path: Path) -> None:
    from pegbox.flows.tune import tune

    demo = read_study(REPOSITORY / "cli/templates/demo/study.yaml").spec
    short = demo.model_copy(
        update={
            "budget": demo.budget.model_copy(update={"trials": 6}),
            "finalists": demo.finalists.model_copy(update={"top": 1, "seeds": 2}),
        }
    )

    selection = tune(short, tmp_path / "store")

    assert selection.test_metrics["test_accuracy"] >= 0.94
