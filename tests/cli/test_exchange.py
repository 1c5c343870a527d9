"""`pegbox import` and `pegbox export`: real files of Optuna and Hyperopt, taken over and given away."""

import datetime
import json
import os
import pickle
import subprocess
import sys

import pytest

optuna = pytest.importorskip("optuna")


class Bomb:
    """A pickle of it would write a file where it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.fixture
def theirs(tmp_path):
    """An Optuna storage of one study."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = tmp_path / "optuna.db"
    study = optuna.create_study(storage=f"sqlite:///{path}", study_name="theirs")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
    return path


def documents():
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5)
    return [
        {
            "state": 2,
            "result": {"loss": number / 2, "status": "ok"},
            "misc": {"vals": {"lr": [0.1 * (number + 1)]}},
            "book_time": moment,
            "refresh_time": moment,
        }
        for number in range(3)
    ]


def values(pegbox, root, study):
    said = pegbox("sql", f"SELECT value FROM trials WHERE study = '{study}' ORDER BY number", "--json", "--store", root)
    return [row["value"] for row in json.loads(said.out)]


def test_an_optuna_file_becomes_a_study_of_the_store(pegbox, theirs, tmp_path):
    said = pegbox("import", theirs, "--name", "ours", "--store", tmp_path / "store")

    assert said.code == 0, said.err
    assert said.out.startswith("ours: 3 trials taken over")
    loaded = optuna.load_study(study_name="theirs", storage=f"sqlite:///{theirs}")
    assert values(pegbox, tmp_path / "store", "ours") == [trial.value for trial in loaded.trials]


def test_an_optuna_url_is_taken_too_and_keeps_its_name(pegbox, theirs, tmp_path):
    said = pegbox("import", f"sqlite:///{theirs}", "--json", "--store", tmp_path / "store")

    assert json.loads(said.out) == {"study": "theirs", "trials": 3}
    assert said.err == ""


@pytest.mark.parametrize("form", ["pkl", "json"])
def test_hyperopt_documents_come_from_a_pickle_or_from_json(pegbox, tmp_path, form):
    path = tmp_path / f"forest.{form}"
    path.write_bytes(pickle.dumps(documents()) if form == "pkl" else json.dumps(documents(), default=str).encode())

    said = pegbox("import", path, "--store", tmp_path / "store")

    assert said.code == 0, said.err
    assert values(pegbox, tmp_path / "store", "forest") == [0.0, 0.5, 1.0]


@pytest.mark.filterwarnings("ignore")  # hyperopt warns of its own dependencies
def test_a_pickled_trials_object_is_read_without_hyperopt(pegbox, tmp_path):
    pytest.importorskip("hyperopt")
    path = tmp_path / "object.pkl"
    search = (
        "import pickle, sys, hyperopt; trials = hyperopt.Trials(); hyperopt.fmin(lambda x: x * x, "
        "hyperopt.hp.uniform('x', -1, 1), algo=hyperopt.rand.suggest, max_evals=4, trials=trials, "
        "show_progressbar=False); pickle.dump(trials, open(sys.argv[1], 'wb'))"
    )
    subprocess.run([sys.executable, "-c", search, str(path)], check=True, capture_output=True, timeout=120)

    said = pegbox("import", path, "--store", tmp_path / "store")

    assert said.code == 0, said.err
    assert len(values(pegbox, tmp_path / "store", "object")) == 4


def test_a_study_file_tells_the_space_that_documents_do_not(pegbox, tmp_path):
    (tmp_path / "forest.json").write_text(json.dumps(documents(), default=str))
    (tmp_path / "study.yaml").write_text(
        'name: forest\ntrain: {kind: function, function: "a:b"}\nspace:\n  lr: {min: 1.0e-3, max: 1.0, log: true}\n'
        "objective: {metric: loss}\nbudget: {trials: 3}\n"
    )

    pegbox("import", tmp_path / "forest.json", "--space", tmp_path / "study.yaml", "--store", tmp_path / "store")

    from pegbox.storage.history_file import open_history

    with open_history(tmp_path / "store") as history:
        domain = history.history("forest").space.parameters["lr"]
    assert (domain.min, domain.max, domain.log) == (1e-3, 1.0, True)


def test_a_pickle_runs_none_of_its_code(pegbox, tmp_path):
    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps([Bomb(tmp_path / "fell")]))

    said = pegbox("import", tmp_path / "bomb.pkl", "--store", tmp_path / "store")

    assert said.code == 1
    assert "is not loaded, because a pickle may run any code" in said.err
    assert not (tmp_path / "fell").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.db", None, "There is no file"),
        ("none.pkl", None, "cannot be read"),
        ("cut.pkl", b"\x80\x05]", "could not be read"),
        ("other.json", b'{"loss": 1}', "must hold a list of Hyperopt's documents, got dict"),
        ("table.csv", b"a,b\n1,2\n", "could not be"),
    ],
)
def test_what_is_no_foreign_study_is_named_and_nothing_is_made(pegbox, tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    said = pegbox("import", tmp_path / name, "--store", tmp_path / "store")

    assert said.code == 1
    assert words in said.err
    assert "should not happen" not in said.err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "a.pkl", "--study", "x"], "--name"),
        (["import", "a.db", "--space", "study.yaml"], "--space"),
        (["export", "done"], "--parquet DIRECTORY"),
        (["export", "done", "--all", "--parquet", "out"], "--all"),
    ],
)
def test_options_that_do_not_go_together_are_usage_errors(pegbox, store, arguments, words):
    said = pegbox(*arguments, "--store", store)

    assert said.code == 2
    assert words in said.err


@pytest.mark.parametrize("command", [["import", "x.db"], ["export", "done", "--optuna", "x.db"]])
def test_without_optuna_the_extra_is_named(pegbox, store, tmp_path, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.db").touch()

    said = pegbox(*command, "--store", store)

    assert said.code == 1
    assert "pip install 'pegbox[optuna]'" in said.err


def test_parquet_of_a_study_holds_its_trials(pegbox, store, tmp_path):
    import pyarrow.parquet as pq

    said = pegbox("export", "done", "--parquet", tmp_path / "out", "--store", store)

    assert said.out.split() == [str(tmp_path / "out" / f"{name}.parquet") for name in ("trials", "metrics")]
    assert pq.read_table(tmp_path / "out" / "trials.parquet")["lr"].to_pylist() == [1.0, 0.1, 0.01, 0.001]
    assert pq.read_table(tmp_path / "out" / "metrics.parquet").num_rows == 4 * 4  # trials, epochs


def test_parquet_of_all_studies_holds_all_trials(pegbox, store, tmp_path):
    import pyarrow.parquet as pq

    said = pegbox("export", "--all", "--parquet", tmp_path / "out", "--store", store, "--json")

    assert json.loads(said.out)["study"] is None
    assert pq.read_table(tmp_path / "out" / "trials.parquet").num_rows == 13


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("place", ["optuna.db", "optuna.log"])
def test_optuna_opens_what_was_exported(pegbox, store, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)

    said = pegbox("export", "done", "--optuna", place, "--store", store)

    back = pegbox("import", place, "--store", tmp_path / "other", "--json")
    assert said.out == f"done: 4 trials written to {place}\n"
    assert json.loads(back.out) == {"study": "done", "trials": 4}
    assert values(pegbox, tmp_path / "other", "done") == values(pegbox, store, "done")


def test_an_unknown_study_is_not_exported(pegbox, store, tmp_path):
    said = pegbox("export", "dnoe", "--parquet", tmp_path / "out", "--store", store)

    assert said.code == 1
    assert "Did you mean 'done'?" in said.err
    assert not (tmp_path / "out").exists()


class Call:
    """What a pickle says to call a function with arguments, where it is loaded."""

    def __init__(self, function, *arguments):
        self.called = function, arguments

    def __reduce__(self):
        return self.called


def laughs():
    """Lists of lists, ten of the same in each: 300 bytes that stand for 10^12 values."""
    grown = [0.5] * 10
    for _ in range(12):
        grown = [grown] * 10
    return grown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: pickle.dumps([{"state": 2, "misc": laughs()}]), "more than 10,000,000 values"),
        (lambda: pickle.dumps([{"state": 2, "misc": Call(bytearray, 1 << 50)}]), "asks for more memory"),
        (lambda: pickle.dumps([{"state": 2, "misc": ["x" * 10_000_000] * 1000}]), "more than 10,000,000 values"),
        (lambda: b"(l" * 100_000, "could not be read"),
        (lambda: b"]}I0\n" + b"]" * 100_000 + b"a" * 99_999 + b"sa.", "too deep"),
        (lambda: b"]}I0\n]q\x00h\x00asa.", "more than 10,000,000 values"),
        (lambda: b"I" + b"9" * 1_000_000 + b"\n.", "could not be read"),
    ],
    ids=["aliases", "allocation", "text", "marks", "depth", "circle", "digits"],
)
def test_a_pickle_that_is_a_bomb_is_named_and_costs_nothing(pegbox, tmp_path, content, words):
    (tmp_path / "bomb.pkl").write_bytes(content())

    said = pegbox("import", tmp_path / "bomb.pkl", "--store", tmp_path / "store")

    assert said.code == 1
    assert words in said.err
    assert "should not happen" not in said.err


def test_a_pipe_is_no_file_of_documents(pegbox, tmp_path):
    os.mkfifo(tmp_path / "pipe.pkl")

    said = pegbox("import", tmp_path / "pipe.pkl", "--store", tmp_path / "store")

    assert (said.code, "is no file" in said.err) == (1, True)
