"""Other fidelities than epochs: rows that are part of more rows, whole trainings at each rung, amounts handed over."""

import numpy as np
import pytest
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import CustomTrain, FunctionTrain, SklearnTrain
from pegbox.schemas.trial import Evaluation, TrainedSegment
from pegbox.training.amounts import AmountTrainer, by_amount, nested_order, some_rows
from pegbox.training.function_trainer import FunctionTrainer
from pegbox.training.kinds.registry import check_training, code_of
from pegbox.training.sklearn_trainer import SklearnTrainer

TREE = SklearnTrain(kind="sklearn", estimator="sklearn.tree:DecisionTreeClassifier", epochs=1)
OBJECTIVE = {"objective": {"metric": "loss"}, "budget": {"trials": 9}, "name": "s"}


def of_rows(n_rows, **changes):
    return make_segment({"random_state": 0}, train=TREE, fidelity="rows", to_budget=n_rows, **changes)


def test_every_beginning_holds_the_classes_in_their_shares():
    target = np.repeat([0, 1, 2], [600, 300, 100])

    order = nested_order(target, is_classes=True)

    assert sorted(order) == list(range(1000))
    for n_rows in (10, 50, 333, 900):
        counts = np.bincount(target[order[:n_rows]], minlength=3)
        assert np.abs(counts - n_rows * np.array([0.6, 0.3, 0.1])).max() <= 1.5


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_fewer_rows_are_among_more(tmp_path, task):
    data = make_splits(tmp_path, task=task)

    few, more = some_rows(data, 20), some_rows(data, 60)

    assert (len(few.train), len(more.train), few.info.n_rows["train"]) == (20, 60, 20)
    assert {row.tobytes() for row in few.train.numeric} <= {row.tobytes() for row in more.train.numeric}
    assert few.target_scale == more.target_scale == data.target_scale
    assert len({few.info.fingerprint, more.info.fingerprint, data.info.fingerprint}) == 3
    assert len(few.valid) == len(data.valid)


def test_each_rung_of_rows_is_a_training_anew(tmp_path):
    data, trainer, told = make_splits(tmp_path), by_amount(of_rows(20), SklearnTrainer()), []
    report = lambda step, metrics: told.append(step)  # noqa: E731

    few = trainer.train(of_rows(20), data, tmp_path / "checkpoints", report)
    more = trainer.train(of_rows(60, from_budget=20, checkpoint=few.checkpoint), data, tmp_path / "checkpoints", report)

    assert (few.budget, few.restarted, more.budget, more.restarted) == (20, False, 60, True)
    assert set(told) == {20, 60}
    assert [one.step for one in more.reports] == [60]
    assert few.checkpoint != more.checkpoint
    measured = trainer.evaluate(of_rows(60, from_budget=20), more, data, "valid")
    assert (measured.budget, measured.metrics) == (60, {**measured.metrics, **more.reports[0].metrics})


def test_epochs_are_left_to_the_trainer_itself():
    trainer = SklearnTrainer()

    assert by_amount(make_segment({}, train=TREE), trainer) is trainer


def test_what_is_counted_tells_results_apart():
    epochs = make_segment({"lr": 1}, to_budget=20)
    rows, size = (epochs.model_copy(update={"fidelity": name}) for name in ("rows", "image_size"))

    assert len({one.content_key("data") for one in (epochs, rows, size)}) == 3


class Noting:
    """A trainer of a user's: it reports its own epochs, and gives up when it is told to."""

    def __init__(self, gives_up=False):
        self.seen, self.gives_up = [], gives_up

    def train(self, segment, data, checkpoints, report):
        self.seen.append(segment)
        report(1, {"loss": 0.5})
        return TrainedSegment(budget=1, seconds=1.0, stopped_early=self.gives_up)

    def evaluate(self, segment, trained, data, part):
        return Evaluation(budget=trained.budget, metrics={"loss": 0.5})


def of_size(size, **changes):
    train = CustomTrain(kind="custom", trainer="mine:Trainer", epochs=4)
    return make_segment({"lr": 0.5}, train=train, fidelity="image_size", to_budget=size, **changes)


@pytest.mark.parametrize("gives_up", [False, True])
def test_a_trainer_of_the_users_is_handed_the_amount(tmp_path, gives_up):
    own = Noting(gives_up)

    trained = AmountTrainer(own).train(of_size(64, from_budget=32, checkpoint=tmp_path), None, tmp_path, ignore)

    assert own.seen[0].configuration == {"lr": 0.5, "image_size": 64}
    assert own.seen[0].checkpoint == tmp_path  # what it left at the rung before it may go on from
    assert (trained.budget, trained.stopped_early) == (64, gives_up)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [("lr, image_size", "image_size"), ("lr, trial", "trial.budget"), ("lr, **more", "more['image_size']"),
     ("trial", "trial.suggest_int('image_size', 1, 9)")],
)  # fmt: skip
def test_a_function_reads_the_amount_by_name_or_of_its_trial(tmp_path, monkeypatch, arguments, value):
    (tmp_path / "amount_reader.py").write_text(f"def run({arguments}): return {{'loss': {value}}}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "amount_reader", raising=False)
    train = FunctionTrain(kind="function", function="amount_reader:run", epochs=9)
    segment = of_size(64).model_copy(update={"train": train})
    trainer = AmountTrainer(FunctionTrainer())

    trained = trainer.train(segment, None, tmp_path / "checkpoints", ignore)

    assert trainer.evaluate(segment, trained, None, "valid").metrics == {"loss": 64.0}
    spec = study({"kind": "function", "function": "amount_reader:run"}, of="image_size", max=64)
    assert check_training(spec) == ()


def study(train, **fidelity):
    space = {"lr": {"min": 0.1, "max": 1}}
    return StudySpec.model_validate({**OBJECTIVE, "train": train, "space": space, "fidelity": fidelity})


def test_a_function_that_cannot_know_the_amount_is_refused(tmp_path, monkeypatch):
    (tmp_path / "amount_deaf.py").write_text("def run(lr): return lr\n")
    monkeypatch.chdir(tmp_path)

    (problem,) = check_training(study({"kind": "function", "function": "amount_deaf:run"}, of="image_size", max=64))

    assert problem.path == ("fidelity", "of")
    assert "takes no argument 'image_size'" in problem.message


def test_how_amounts_are_given_is_part_of_the_code():
    raw = {"kind": "sklearn", "estimator": "sklearn.tree:DecisionTreeClassifier"}
    data, rows = {"source": "sklearn:iris", "target": "target"}, {"of": "rows", "min": 10, "max": 80}
    space = {"max_depth": [1, 2]}
    epochs = StudySpec.model_validate({**OBJECTIVE, "train": raw, "space": space, "data": data})

    before, after = code_of(epochs), code_of(StudySpec.model_validate(epochs.model_dump() | {"fidelity": rows}))

    assert [part.name for part in after.parts if part not in before.parts] == ["amounts"]


def test_a_command_that_is_not_told_the_amount_is_refused():
    command = {"kind": "command", "command": ["python", "train.py", "--lr", "{lr}"]}

    (problem,) = check_training(study(command, of="image_size", max=64))

    assert problem.path == ("fidelity", "of")
    assert "no {image_size}" in problem.message
    command["command"] += ["--size", "{image_size}"]
    assert check_training(study(command, of="image_size", max=64)) == ()


@pytest.mark.parametrize("name", ["trial", "seed", "args_json"])
def test_a_name_that_is_handed_over_already_is_refused(name):
    command = {"kind": "command", "command": ["python", "train.py", "{args}", "--seed", f"{{{name}}}"]}

    (problem,) = check_training(study(command, of=name, max=64))

    assert problem.path == ("fidelity", "of")
    assert f"is handed {name!r} already" in problem.message
    assert not check_training(study(command, of=f"{name}_size", max=64))
