import datetime
import json
from pathlib import Path
from typing import Any

import optuna
import pyarrow.parquet
import pytest
from driven_study import drive

from pegbox.report.import_export import export_optuna, import_hyperopt, import_optuna
from pegbox.schemas.errors import NotFoundError, StoreError, StoreUnwritableError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.parquet_export import export_parquet

optuna.logging.set_verbosity(optuna.logging.ERROR)
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")  # metric names, journals


def objective(trial: optuna.Trial) -> float:
    lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    layers = trial.suggest_int("layers", 1, 9, step=2)
    kind = trial.suggest_categorical("kind", ["sgd", "adam", None])
    momentum = trial.suggest_float("momentum", 0, 1) if kind == "sgd" else 0.0
    for step in range(1, 4):
        trial.report(lr + layers / step, step)
        if trial.number % 4 == 3:
            raise optuna.TrialPruned
    if trial.number == 5:
        raise ArithmeticError("by zero")
    return lr + layers + momentum


def optuna_place(tmp_path: Path, kind: str) -> tuple[str, optuna.storages.BaseStorage]:
    path = tmp_path / f"optuna.{kind}"
    if kind == "db":
        return str(path), optuna.storages.RDBStorage(f"sqlite:///{path}")
    return str(path), optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))


@pytest.mark.parametrize("kind", ["db", "log"])
def test_an_optuna_study_comes_over_whole(store: StoreLayout, tmp_path: Path, kind: str) -> None:
    place, storage = optuna_place(tmp_path, kind)
    theirs = optuna.create_study(storage=storage, study_name="theirs", sampler=optuna.samplers.RandomSampler(seed=0))
    theirs.optimize(objective, n_trials=12, catch=(ArithmeticError,))
    assert import_optuna(store, place) == 12
    with open_history(store.root) as history:
        ours = history.history("theirs")
        rows = history.sql("SELECT number, epoch(started_at), epoch(ended_at) FROM trials ORDER BY number").fetchall()
        curve = history.sql("SELECT step, value FROM curve('theirs', 0)").fetchall()
        best = history.best("theirs")
    for trial, other, (number, started, ended) in zip(theirs.trials, ours.trials, rows, strict=True):
        assert other.configuration == trial.params
        assert all(ours.space.parameters[name].contains(value) for name, value in other.configuration.items())
        assert number == trial.number
        assert trial.datetime_start is not None
        assert trial.datetime_complete is not None
        assert started == pytest.approx(trial.datetime_start.timestamp(), abs=1e-3)
        assert ended == pytest.approx(trial.datetime_complete.timestamp(), abs=1e-3)
    assert [trial.state for trial in ours.trials[3:6]] == [TrialState.STOPPED, TrialState.COMPLETED, TrialState.FAILED]
    assert curve == sorted(theirs.trials[0].intermediate_values.items())
    assert best is not None
    assert (best["number"], best["value"]) == (theirs.best_trial.number, theirs.best_value)


def test_an_optuna_study_of_two_objectives_keeps_both(store: StoreLayout, tmp_path: Path) -> None:
    place, storage = optuna_place(tmp_path, "db")
    theirs = optuna.create_study(storage=storage, study_name="two", directions=["minimize", "maximize"])
    theirs.optimize(lambda trial: (trial.suggest_float("x", 0, 1), trial.suggest_int("n", 1, 3)), n_trials=10)
    import_optuna(store, place, "two", name="both")
    with open_history(store.root) as history:
        front = {row[0] for row in history.sql("SELECT number FROM pareto('both')").fetchall()}
    assert front == {trial.number for trial in theirs.best_trials}


def test_an_optuna_value_that_is_infinite_is_a_failure(store: StoreLayout, tmp_path: Path) -> None:
    place, storage = optuna_place(tmp_path, "db")
    optuna.create_study(storage=storage, study_name="s").optimize(lambda _: float("inf"), n_trials=1)
    import_optuna(store, place)
    with open_history(store.root) as history:
        assert history.sql("SELECT state, value, failure_kind FROM trials").fetchall() == [("failed", None, "diverged")]


def test_an_unknown_optuna_study_is_answered_with_the_known(store: StoreLayout, tmp_path: Path) -> None:
    place, storage = optuna_place(tmp_path, "db")
    optuna.create_study(storage=storage, study_name="theirs")
    with pytest.raises(NotFoundError, match="Did you mean 'theirs'"):
        import_optuna(store, place, "their")


def test_a_study_is_not_imported_over_another(store: StoreLayout, tmp_path: Path) -> None:
    place, storage = optuna_place(tmp_path, "db")
    optuna.create_study(storage=storage, study_name="s").optimize(
        lambda trial: trial.suggest_float("x", 0, 1), n_trials=1
    )
    import_optuna(store, place)
    with pytest.raises(StoreError, match="already"):
        import_optuna(store, place)


def test_a_file_that_is_no_optuna_storage_is_named(store: StoreLayout, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="could not be opened"):
        import_optuna(store, "nonsense://x")


@pytest.mark.parametrize("kind", ["db", "log"])
def test_optuna_opens_what_was_exported(recorded: StoreLayout, tmp_path: Path, kind: str) -> None:
    place = str(tmp_path / f"optuna.{kind}")
    assert export_optuna(recorded.root, "digits", place) == 20
    loaded = optuna.load_study(study_name="digits", storage=optuna_place(tmp_path, kind)[1])
    assert loaded.best_trial.number == 7
    assert loaded.best_value == 1.0
    assert loaded.metric_names == ["val_loss"]
    assert loaded.trials[7].params == {"layers": 4, "lr": 0.001, "momentum": pytest.approx(0.7), "optimizer": "sgd"}
    assert loaded.trials[7].intermediate_values == {1: 3.0, 2: 2.0, 3: 1.0}
    assert loaded.trials[18].state == optuna.trial.TrialState.FAIL
    assert loaded.trials[18].user_attrs["failure"] == "diverged: the loss was diverged"
    assert isinstance(loaded.trials[0].duration, datetime.timedelta)


def test_trials_that_a_schedule_left_behind_are_exported_too(tmp_path: Path) -> None:
    spec = StudySpec.model_validate(
        {
            "name": "left",
            "train": {"kind": "function", "function": "a:b", "epochs": 9},
            "space": {"x": {"min": 0.0, "max": 1.0}},
            "objective": {"metric": "loss"},
            "search": {"method": "random"},
            "fidelity": {"schedule": "asha"},
            "budget": {"trials": 12},
        }
    )
    drive(tmp_path / "store", spec, lambda at, epochs, _: {"loss": float(at["x"]) + 1 / epochs})

    assert export_optuna(tmp_path / "store", "left", str(tmp_path / "optuna.db")) == 12

    loaded = optuna.load_study(study_name="left", storage=optuna_place(tmp_path, "db")[1])
    with open_history(tmp_path / "store") as history:
        left = [row[0] for row in history.sql("SELECT number FROM trials WHERE state != 'completed'").fetchall()]
    assert left
    assert {loaded.trials[number].state for number in left} == {optuna.trial.TrialState.PRUNED}
    assert all(loaded.trials[number].intermediate_values for number in left)


def test_a_study_survives_the_way_there_and_back(recorded: StoreLayout, store: StoreLayout, tmp_path: Path) -> None:
    place = str(tmp_path / "out.db")
    export_optuna(recorded.root, "digits", place)
    import_optuna(store, place)
    question = "SELECT number, state, value, params::JSON FROM trials WHERE study = 'digits' ORDER BY number"
    with open_history(recorded.root) as before, open_history(store.root) as after:
        assert after.sql(question).fetchall() == before.sql(question).fetchall()


def test_nothing_is_exported_over_another_study(recorded: StoreLayout, tmp_path: Path) -> None:
    place = str(tmp_path / "out.db")
    export_optuna(recorded.root, "digits", place)
    with pytest.raises(StoreError, match="already"):
        export_optuna(recorded.root, "digits", place)


def hyperopt_document(number: int, **changes: Any) -> dict[str, Any]:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5 + number)
    return {
        "state": 2,
        "tid": number,
        "result": {"loss": number / 2, "status": "ok", "accuracy": 0.5},
        "misc": {"tid": number, "vals": {"lr": [0.1 * number], "n": [3 + number], "momentum": [0.9] if number else []}},
        "book_time": moment,
        "refresh_time": moment + datetime.timedelta(seconds=2),
    } | changes


def test_hyperopt_documents_come_over(store: StoreLayout) -> None:
    documents = [
        *(hyperopt_document(number) for number in range(3)),
        hyperopt_document(3, state=3, result={"status": "fail", "failure": "by zero"}),
        hyperopt_document(4, state=1),
        hyperopt_document(5, result={"loss": float("nan"), "status": "ok"}),
    ]
    assert import_hyperopt(store, documents, "theirs") == 5
    with open_history(store.root) as history:
        rows = history.sql("SELECT state, value, lr, n, momentum, seconds FROM study_theirs ORDER BY number").fetchall()
        kinds = history.sql("SELECT failure_kind, failure_message FROM trials WHERE state = 'failed' ORDER BY 1")
        assert kinds.fetchall() == [("diverged", "loss was nan"), ("error", "by zero")]
        assert history.sql("SELECT metrics['accuracy'] FROM top('theirs', k := 1)").fetchall() == [(0.5,)]
    assert rows[:3] == [
        ("completed", 0.0, 0.0, 3, None, 2.0),
        ("completed", 0.5, 0.1, 4, 0.9, 2.0),
        ("completed", 1.0, 0.2, 5, 0.9, 2.0),
    ]


def test_hyperopt_documents_may_come_from_json(store: StoreLayout) -> None:
    documents = json.loads(json.dumps([hyperopt_document(number) for number in range(2)], default=str))
    assert import_hyperopt(store, documents, "theirs", space={"lr": {"min": 0.0, "max": 1.0}}) == 2
    with open_history(store.root) as history:
        assert history.history("theirs").space.order == ("lr",)


@pytest.mark.filterwarnings("ignore")  # hyperopt warns of its own dependencies
def test_a_real_hyperopt_search_comes_over(store: StoreLayout) -> None:
    hyperopt = pytest.importorskip("hyperopt")
    import numpy as np

    trials = hyperopt.Trials()
    hyperopt.fmin(
        lambda x: x**2,
        hyperopt.hp.uniform("x", -1, 1),
        algo=hyperopt.rand.suggest,
        max_evals=5,
        trials=trials,
        rstate=np.random.default_rng(0),
        show_progressbar=False,
    )
    assert import_hyperopt(store, trials.trials, "real") == 5
    with open_history(store.root) as history:
        values = [row[0] for row in history.sql("SELECT value FROM trials ORDER BY number").fetchall()]
    assert values == trials.losses()


def test_something_else_than_hyperopt_documents_is_refused(store: StoreLayout) -> None:
    with pytest.raises(StoreError, match="must have state"):
        import_hyperopt(store, [{"loss": 1.0}], "x")


def test_parquet_has_a_typed_column_for_each_parameter(recorded: StoreLayout, tmp_path: Path) -> None:
    trials, metrics = export_parquet(recorded.root, tmp_path / "out", "digits")
    table = pyarrow.parquet.read_table(trials)
    assert table.num_rows == 20
    assert [str(table.schema.field(name).type) for name in ("lr", "layers", "optimizer")] == [
        "double",
        "int64",
        "string",
    ]
    assert pyarrow.parquet.read_table(metrics).num_rows == 18 * 6
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["metrics.parquet", "trials.parquet"]


def test_parquet_of_all_studies_has_parameters_as_json(recorded: StoreLayout, tmp_path: Path) -> None:
    trials, _ = export_parquet(recorded.root, tmp_path)
    rows = pyarrow.parquet.read_table(trials).to_pylist()
    assert len(rows) == 23
    assert json.loads(rows[0]["params"])["lr"] == 0.1


def test_parquet_that_cannot_be_written_is_named(recorded: StoreLayout, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnwritableError, match="Name another one"):
        export_parquet(recorded.root, tmp_path / "file", "digits")
