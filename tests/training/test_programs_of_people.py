"""Programs as people have them, from their command to the verdict on their trial: right, or refused with its cause."""

import sys
import textwrap
from pathlib import Path

import pytest
from tests.training.conftest import ignore, make_segment

from pegbox.execution.trial_evaluation import evaluation_of_fold, missing_value
from pegbox.schemas.study import StudySpec
from pegbox.training.command_trainer import CommandTrainer


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """Run a program as one trial of a study; gives the objective's value, or why the trial failed."""
    monkeypatch.chdir(tmp_path)

    def run(code, *arguments, objective="val_loss", configuration=None, **train):
        Path("program.py").write_text(textwrap.dedent(code))
        command = [sys.executable, "program.py", *arguments]
        raw = {"kind": "command", "command": command, "epochs": 3, **train}
        space = {"lr": {"min": 0.1, "max": 1}}
        spec = StudySpec.model_validate(
            {"name": "s", "train": raw, "space": space, "objective": {"metric": objective}, "budget": {"trials": 1}}
        )
        segment = make_segment(configuration or {"lr": 0.5}, train=spec.train, to_budget=3, objectives=(objective,))
        trained = CommandTrainer().train(segment, None, tmp_path / "checkpoints", ignore)
        measured = CommandTrainer().evaluate(segment, trained, None, "valid")
        evaluation = evaluation_of_fold(segment, trained, measured)
        failure = missing_value(spec, evaluation)
        return f"{failure.kind}: {failure.message}" if failure else evaluation.metrics[objective]

    return run


SLASHES = """
for epoch in range(1, 4):
    print(f"epoch={epoch} val/loss={0.5 / epoch} train/loss={-0.1 / epoch}")
"""


def test_a_name_with_a_slash_is_itself(judge):
    assert judge(SLASHES, objective="val/loss") == pytest.approx(0.5 / 3)


def test_a_name_that_two_others_end_with_is_refused(judge):
    told = judge(SLASHES, objective="loss")

    assert told.startswith(
        "invalid: expected the metric 'loss' as a finite number, and it was never given. Did you mean"
    )
    assert "Known: train/loss, val/loss." in told


@pytest.mark.parametrize("last", ["1,205.13", "1.205,13", "N/A", "None", "12s"])
def test_the_value_of_an_earlier_epoch_never_stands_in_for_a_text(judge, last):
    told = judge(f"print('epoch=1 val_loss=0.5'); print('epoch=2 val_loss={last}')")

    assert told.startswith(f"invalid: val_loss was last given as '{last}', which is no number")


@pytest.mark.parametrize("last", ["nan", "inf", "-inf", "NaN", "1e400"])
def test_the_value_of_an_earlier_epoch_never_stands_in_for_one_that_is_not_finite(judge, last):
    told = judge(f"print('epoch=1 rmse=0.5'); print('epoch=2 rmse={last}')", objective="rmse")

    assert told.startswith("diverged: rmse was ")


def test_one_name_for_two_things_is_refused(judge):
    told = judge("print('Macro F1=0.5'); print('Micro F1=0.6')", objective="F1")

    assert "0.6 behind 'Micro', and another behind 'Macro'" in told


def test_printed_dicts_of_a_trainer(judge):
    code = """
    for epoch in range(1, 4):
        print({'loss': 9, 'learning_rate': 0.1, 'epoch': float(epoch)})
        print({'eval_loss': 1 / epoch, 'eval_runtime': 0.1, 'epoch': float(epoch)})
    print({'train_runtime': 1.2, 'train_loss': 0.5, 'epoch': 3.0})
    """

    assert judge(code, objective="eval_loss") == pytest.approx(1 / 3)


FLAGS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--amp", action="store_true")
parser.add_argument("--bn", action=argparse.BooleanOptionalAction)
options = parser.parse_args()
print(f"val_loss={options.lr + 10 * options.amp + 100 * bool(options.bn)}")
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--lr={lr}", "{amp?--amp}", "{bn?--bn:--no-bn}"], 10.5),
        (["{args_no_boolean_flags}"], 10.5),
        (["--lr", "{lr}", "{bn?--amp}", "{amp?--bn}"], 100.5),
    ],
)
def test_flags_of_argparse(judge, arguments, expected):
    assert judge(FLAGS, *arguments, configuration={"lr": 0.5, "amp": True, "bn": False}) == expected


OVERRIDES = """
import json, sys
given = dict(argument.split("=", 1) for argument in sys.argv[1:])
print(f"val_loss={float(given['model.lr']) + sum(json.loads(given['model.layers'])) + (given['amp'] == 'true')}")
"""


@pytest.mark.parametrize(
    "arguments", [["model.lr={model.lr}", "model.layers={model.layers}", "amp={amp}"], ["{args_no_hyphens}"]]
)
def test_overrides_of_hydra(judge, arguments):
    configuration = {"model.lr": 0.5, "model.layers": (16,), "amp": True}

    assert judge(OVERRIDES, *arguments, configuration=configuration) == 17.5


def test_event_files_of_tensorboard(judge):
    code = """
    import sys, warnings
    warnings.simplefilter("ignore")
    from tensorboard.summary import Writer
    writer = Writer(sys.argv[1])
    for epoch in range(1, 4):
        writer.add_scalar("val_loss", 0.5 / epoch, step=epoch)
    writer.close()
    """

    assert judge(code, "{checkpoint_dir}", metrics="tensorboard:{checkpoint_dir}") == pytest.approx(0.5 / 3)
