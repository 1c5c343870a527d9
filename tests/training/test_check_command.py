"""What is refused of a command, and what is allowed and told to be a likely mistake."""

import sys

import pytest

from pegbox.schemas.study import StudySpec
from pegbox.training.kinds.registry import check_training, training_warnings


def study(*arguments, space=None, metrics="auto", **more):
    train = {"kind": "command", "command": [sys.executable, *arguments], "metrics": metrics, "epochs": 9}
    objective, budget = {"metric": "loss"}, {"trials": 1}
    raw = {"name": "s", "train": train, "space": space or {"lr": {"min": 0.1, "max": 1}}, "objective": objective}
    return StudySpec.model_validate({**raw, "budget": budget, **more})


def warnings(*arguments, **more):
    return [problem.message for problem in training_warnings(study(*arguments, **more))]


def problems(*arguments, **more):
    return [problem.message for problem in check_training(study(*arguments, **more))]


@pytest.fixture(autouse=True)
def program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("import argparse")
    return tmp_path / "train.py"


TRUTH = {"amp": [True, False]}
ASHA = {"fidelity": {"schedule": "asha", "min": 1, "max": 9}}


def test_numbers_may_stand_without_quotes():
    spec = study("train.py", "--lr", "{lr}", "--device", 0, 0.5, True)

    assert spec.train.command[1:] == ("train.py", "--lr", "{lr}", "--device", "0", "0.5", "true")


def test_a_name_with_dots_is_asked_for_where_it_stands():
    (message,) = problems("model.lr={model.lr}", "x={model.rate}", space={"model.lr": 0.1})

    assert "no parameter is named 'model.rate'. Did you mean 'model.lr'?" in message


@pytest.mark.parametrize("everything", ["{args}", "{args_no_hyphens}", "{args_no_boolean_flags}", "{args_json}"])
def test_all_parameters_are_none_left_out(everything):
    assert problems("train.py", everything, space={"lr": 0.1, "units": 3}) == []


def test_a_flag_needs_a_truth_value():
    (message,) = problems("train.py", "{opt?--opt}", space={"opt": ["adam", "sgd"]})

    assert "{opt?...} writes one text for true and one for false, and opt has other values" in message


def test_a_parameter_that_only_decides_about_others_has_an_effect():
    space = {"amp": [True, False], "flag": {"value": "--amp", "when": {"amp": True}}}

    assert problems("train.py", "{flag}", space=space) == []


def test_words_for_truth_values_are_doubted():
    (message,) = warnings("train.py", "--use-bn", "{amp}", space=TRUTH)

    assert 'argparse\'s type=bool takes both for true. Write "{amp?--use-bn}" for a flag' in message


@pytest.mark.parametrize("argument", ["{amp?--amp}", "{amp?1:0}", "{args_no_boolean_flags}", "trainer.amp={amp}"])
def test_forms_that_a_program_understands_are_not_doubted(argument):
    assert warnings("train.py", argument, space=TRUTH) == []


def test_truth_values_among_all_are_doubted():
    assert "{args_no_boolean_flags} writes bare flags" in warnings("train.py", "{args}", space=TRUTH)[0]


def test_a_schedule_that_continues_a_program_which_cannot_is_doubted():
    told = warnings("train.py", "{lr}", **ASHA)

    assert len(told) == 2
    assert "the command is not told how many" in told[0]
    assert "names none of {from_epochs}, {checkpoint_dir}, {resume_dir}" in told[1]


@pytest.mark.parametrize("placeholder", ["{from_epochs}", "{checkpoint_dir}", "{resume_dir}"])
def test_a_program_that_continues_is_not_doubted(placeholder):
    assert warnings("train.py", "{lr}", "{epochs}", placeholder, **ASHA) == []


def test_a_program_that_reads_its_environment_is_not_doubted(program):
    program.write_text(
        "os.environ['PEGBOX_EPOCHS'], os.environ['PEGBOX_RESUME_DIR'], os.environ['PEGBOX_CONFIGURATION']"
    )

    assert warnings("train.py", **ASHA) == []


def test_a_program_that_is_given_nothing_is_doubted():
    (message,) = warnings("train.py")

    assert "every trial would be the same" in message


def test_without_a_schedule_nothing_is_continued():
    assert warnings("train.py", "{lr}") == []


def test_event_files_of_all_trials_in_one_place_are_refused():
    (message,) = problems("train.py", "{lr}", metrics="tensorboard:logs", run={"workers": 2})

    assert "Write `tensorboard:{checkpoint_dir}/logs`" in message


def test_a_missing_reader_of_event_files_is_named(monkeypatch):
    monkeypatch.setattr("pegbox.training.tensorboard_events.find_spec", lambda _: None)

    assert "Run `pip install pegbox[tensorboard]`" in problems("train.py", "{lr}", metrics="tensorboard:logs")[0]
