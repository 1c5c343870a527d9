"""A schedule promotes the model that was trained on the data as it is now."""

from pathlib import Path
from typing import Literal

import pytest

from pegbox.flows.retune import promoted
from pegbox.flows.retune_decision import Inputs, RetuneDecision
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
