"""The study that is written for a table: it is valid, and each decision stands beside its reason."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pegbox.integrations.draft import render
from pegbox.report import table_families, table_study
from pegbox.report.check_study import check_study, look_at_data
from pegbox.report.table_study import draft_study, study_name
from pegbox.schemas.data import DataSpec
from pegbox.schemas.preset_space import draw_published
from pegbox.schemas.study import StudySpec
from pegbox.schemas.study_file import read_study
from pegbox.schemas.train import FamiliesTrain, SklearnTrain

N = 1500


def noise(seed: int = 0, n_rows: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n_rows)


def classes(share: float, n_rows: int = N) -> np.ndarray:
    return np.where(np.arange(n_rows) % 1000 < 1000 * share, "left", "stayed")


def find(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


TABLES: dict[str, dict[str, Any]] = {
    "churn": {"customer": [f"C{i}" for i in range(N)], "plan": ["a", "b", None] * 500, "x": noise(), "y": classes(0.3)},
    "imbalanced": {"x": noise(), "y": classes(0.02)},
    "many classes": {"x": noise(), "y": [f"class {i % 7}" for i in range(N)]},
    "series": {"day": np.arange(N).astype("datetime64[D]"), "x": noise(), "y": noise(1)},
    "few": {"x": noise(n_rows=60), "y": classes(0.006, 60)},
    "key": {"patient_id": np.arange(N) % 200, "x": noise(), "y": classes(0.3)},
    "dirty": {
        "pri: ce # [€]": [f"{abs(value):.2f} €".replace(".", ",") for value in noise(2)],
        "const": [1] * N,
        "- text\n'\"": [f"t {i}" for i in range(N)],
        "é": noise(),
        "y": noise(1),
    },
    "wide": {**{f"c{i}": noise(i, 120) for i in range(2000)}, "y": noise(1, 120)},
    "mostly constant": {
        **{f"c{i}": [i // 150] * 120 for i in range(300)},
        **{f"d{i}": [-i] * 120 for i in range(1, 300)},
        "x": noise(1, 120),
        "y": noise(2, 120),
    },
}


def families_of(study: StudySpec) -> FamiliesTrain:
    assert isinstance(study.train, FamiliesTrain)
    return study.train


def estimators_of(study: StudySpec) -> dict[str, SklearnTrain]:
    return {name: one for name, one in families_of(study).families.items() if isinstance(one, SklearnTrain)}


def study_of(folder: Path, name: str, seconds: float | None = None) -> tuple[StudySpec, str]:
    """The study as it is read from the text that is written."""
    path = folder / "table.parquet"
    pq.write_table(pa.table({column: pa.array(values) for column, values in TABLES[name].items()}), path)
    (folder / "study.yaml").write_text(render(draft_study(DataSpec(source=str(path), target="y"), seconds)), "utf-8")
    return read_study(folder / "study.yaml").spec, (folder / "study.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_what_is_written_is_valid_and_measures_its_objective(tmp_path: Path, name: str) -> None:
    study, text = study_of(tmp_path, name)

    problems, understood = look_at_data(draw_published(study)) if name != "wide" else ((), None)
    assert (check_study(study), problems) == ((), ())
    assert understood is None or understood.target == "y"
    assert (study.final, study.budget.whole) == ("all", 600)
    assert len(text.splitlines()) > 25


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("churn", "val_accuracy"),
        ("imbalanced", "val_balanced_accuracy"),
        ("many classes", "val_accuracy"),
        ("series", "val_rmse"),
        ("few", "val_balanced_accuracy"),
    ],
)
def test_metric_and_families_fit_the_rows(tmp_path: Path, name: str, metric: str) -> None:
    study, _ = study_of(tmp_path, name)

    assert [goal.metric for goal in study.goals] == [metric]
    train = families_of(study)
    assert {"linear", "boosting", "forest", "mlp", "resnet"} <= train.families.keys()
    wanted = "Regressor" if metric == "val_rmse" else "Classifier"
    assert [one.estimator.endswith(wanted) for key, one in estimators_of(study).items() if key != "linear"]
    # Who judges by balanced accuracy has the rare class counted as much in training too, by every family.
    weighted = {key.partition(".")[0] for key in study.space.parameters if ".class_weight" in key}
    assert weighted == (train.families.keys() if metric == "val_balanced_accuracy" else set())


def test_libraries_of_boosting_take_part_where_they_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_families, "find_spec", lambda name: None)
    without = families_of(study_of(tmp_path, "churn")[0]).families.keys()
    monkeypatch.setattr(table_families, "find_spec", lambda name: name)

    assert families_of(study_of(tmp_path, "churn")[0]).families.keys() - without == {"lightgbm", "xgboost"}
    # It has no weights of classes that would hold for more than two.
    assert families_of(study_of(tmp_path, "imbalanced")[0]).families.keys() - without == {"lightgbm"}


def test_a_rare_class_is_named_with_its_share(tmp_path: Path) -> None:
    _, text = study_of(tmp_path, "imbalanced")

    assert "The class 'left' has 2.67 % of the rows" in text


def test_what_would_not_fit_the_memory_one_hot_is_left_to_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_families, "MOST_CELLS", 100)

    study, text = study_of(tmp_path, "imbalanced")

    assert list(families_of(study).families) == ["mlp", "resnet"]
    assert "would not fit the memory" in " ".join(text.replace("#", "").split())
    assert check_study(study) == ()


def test_networks_are_trained_for_as_long_as_there_is_time(tmp_path: Path) -> None:
    short, usual = (study_of(tmp_path, "many classes", seconds)[0] for seconds in (20, 600))

    assert short.train.epochs < usual.train.epochs == table_families.MOST_EPOCHS
    assert (short.run.timeout, usual.run.timeout) == (10, 100)


@pytest.mark.parametrize(("cells", "cores", "workers"), [(10**9, 4, 4), (10**9, 64, 8), (10, 4, 1)])
def test_workers_stand_side_by_side_where_trainings_are_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int, cores: int, workers: int
) -> None:
    monkeypatch.setattr(table_study, "CELLS_OF_A_CORE", cells)
    monkeypatch.setattr(table_study, "available_cores", lambda: cores)

    assert study_of(tmp_path, "imbalanced")[0].run.workers == workers


@pytest.mark.parametrize("name", ["few", "imbalanced", "series"])
def test_the_usual_configuration_of_each_family_is_tried_first(tmp_path: Path, name: str) -> None:
    study, _ = study_of(tmp_path, name)

    assert [known["family"] for known in study.search.enqueue] == list(families_of(study).families)
    # Written as a share where the library has a word, or said beside its defaults.
    named = {"max_features", "max_samples", "class_weight", "max_iter", "n_jobs", "verbosity"}
    for family, train in estimators_of(study).items():
        usual = next(known for known in study.search.enqueue if known["family"] == family)
        own = {key.removeprefix(f"{family}."): value for key, value in usual.items()}
        if family == "xgboost":  # leaves what nobody sets to its library
            continue
        defaults = find(train.estimator)().get_params()
        for key in own.keys() - named - {"family"}:
            assert own[key] == defaults[key], (family, key)


def test_every_decision_has_its_reason_above_it(tmp_path: Path) -> None:
    _, text = study_of(tmp_path, "churn")

    lines = text.splitlines()
    for entry in ("  drop:", "  split:", "train:", "objective:", "budget:", "run:", "final:"):
        place = next(i for i, line in enumerate(lines) if line.startswith(entry))
        assert lines[place - 1].lstrip().startswith("# "), entry


def test_many_columns_that_are_left_out_are_told_in_few_lines(tmp_path: Path) -> None:
    study, text = study_of(tmp_path, "mostly constant")

    assert study.data is not None
    assert len(study.data.drop) == 599
    told = " ".join(text.replace("#", "").split())
    assert len(text.partition("  drop:")[0].splitlines()) < 40
    assert "and 138 more: is 0 in all rows" in told
    assert "289 more columns are left out for reasons such as these" in told


@pytest.mark.parametrize(
    ("source", "target", "name"),
    [
        ("data/bank churn.csv.gz", "left?", "bank-churn-left"),
        ("SELECT * FROM 'a.csv'", "y", "table-y"),
        ("sklearn:iris", "", "iris"),
        ("é.csv", "ü", "e-u"),
        ("表.csv", "目", "table"),
        ("my.data:load", "y", "load-y"),
    ],
)
def test_a_study_is_named_after_its_table_and_target(source: str, target: str, name: str) -> None:
    assert study_name(source, target) == name
