"""A schedule promotes the model that was trained on the data as it is now."""

from itertools import groupby
from pathlib import Path
from threading import Event, Thread
from typing import Literal

import pytest

from pegbox.flows.retune import promoted, retune
from pegbox.flows.retune_decision import Inputs, RetuneDecision
from pegbox.models.load_model import load_model
from pegbox.models.study_model import StudyModel
from pegbox.schemas.events import Incumbent, ModelMade, RunStarted
from pegbox.schemas.model import ModelRecord
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.model_files import model_path
from pegbox.storage.model_log import listed_models
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study


def made(store: StoreLayout, spec: StudySpec, study: str, content: bytes) -> None:
    path = model_path(store, study, "run")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    record = ModelRecord(trial=0, form="torch", final="best", path="p", content="0", n_bytes=1)
    named = spec.model_copy(update={"name": study})
    with open_study(store, named, RunStarted(study=study, run="run", host="h", pid=1)) as log:
        log.report(ModelMade(study=study, run="run", model=record))


@pytest.mark.parametrize(
    ("step", "expected"), [("promoted", b"winner"), ("kept", b"incumbent"), ("held", b"incumbent")]
)
def test_step_leaves_the_model_of_the_new_data_current(
    tmp_path: Path, spec: StudySpec, step: Literal["promoted", "kept", "held"], expected: bytes
) -> None:
    store = open_store(tmp_path / "store")
    retuning = RetuneDecision(spec, Inputs(data="1a2b3c4d", code=None), ())
    made(store, spec, retuning.tuned_name, b"winner")
    made(store, spec, retuning.rescored_name, b"incumbent")
    incumbent = Incumbent(study=retuning.tuned_name, trial=0, configuration={"x": 0.5})

    promoted(retuning.step(step, "why", incumbent, None), retuning, store)

    assert model_path(store, spec.name, "current").read_bytes() == expected
    with open_history(store.root) as file:
        (current,) = [one for one in listed_models(file, spec.name) if one.standing == "current"]
    assert current.promoted_as == spec.name


def test_schedule_of_a_training_without_files_promotes_nothing(tmp_path: Path, spec: StudySpec) -> None:
    store = open_store(tmp_path / "store")
    retuning = RetuneDecision(spec, Inputs(data="1a2b3c4d", code=None), ())
    with open_study(store, spec, RunStarted(study=spec.name, run="run", host="h", pid=1)):
        pass
    step = retuning.step("promoted", "why", None, None)

    assert promoted(step, retuning, store) == step
    assert not model_path(store, spec.name, "current").exists()


class Reader(Thread):
    """Asks the promoted model of a study again and again, as a service does that loads it for each request."""

    def __init__(self, name: str, store: Path) -> None:
        super().__init__()
        self._name, self._store, self._is_over = name, store, Event()
        self.answers: list[tuple[str, ...]] = []

    def run(self) -> None:
        """Whatever it meets fails the test: pytest tells of an error that ends a thread."""
        while not self._is_over.is_set():
            model = load_model(self._name, store=self._store)
            assert isinstance(model, StudyModel)
            self.answers.append(tuple(model.predict({"x": [-1.0, 1.0]})))

    def end(self) -> None:
        self._is_over.set()
        self.join()


def write_rows(path: Path, below: str, above: str) -> None:
    rows = "".join(f"{x / 50},{below if x < 0 else above}\n" for x in range(-50, 50))
    path.write_text(f"x,y\n{rows}")


@pytest.mark.long
@pytest.mark.flow
@pytest.mark.usefixtures("prefect_client")
def test_reader_predicts_while_the_schedule_promotes_on_changed_data(project: Path) -> None:
    spec = StudySpec.model_validate(
        {
            "name": "signs",
            "data": {"source": "rows.csv", "target": "y"},
            "train": {
                "kind": "families",
                "early": 1,
                "families": {
                    "tree": {"kind": "sklearn", "estimator": "sklearn.tree:DecisionTreeClassifier"},
                    "linear": {"kind": "sklearn", "estimator": "sklearn.linear_model:LogisticRegression"},
                },
            },
            "space": {"family": ["tree", "linear"], "linear.C": {"values": [1.0, 10.0], "when": {"family": "linear"}}},
            "objective": {"metric": "val_accuracy", "goal": "maximize"},
            "budget": {"trials": 2},
            "finalists": {"top": 1, "seeds": 1},
            "run": {"workers": 1, "threads": 1},
            "schedule": {"interval": "1d"},
        }
    )
    write_rows(project / "rows.csv", "low", "high")
    first = retune(spec, project / "store")
    reader = Reader("signs@current", project / "store")
    reader.start()
    # The same rows with their classes exchanged: no answer of the one model is one of the other.
    write_rows(project / "rows.csv", "high", "low")
    try:
        second = retune(spec, project / "store")
        n_before = len(reader.answers)
        while reader.is_alive() and len(reader.answers) < n_before + 3:
            reader.join(0.01)
    finally:
        reader.end()

    assert first.step == "promoted"
    assert second.step in {"promoted", "held", "kept"}
    assert [answer for answer, _ in groupby(reader.answers)] == [("low", "high"), ("high", "low")]
