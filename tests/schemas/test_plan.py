"""Durations, objectives and limits mean what they say."""

import re

import pytest
from pydantic import ValidationError

from pegbox.schemas.plan import BudgetSpec, FidelitySpec, Objective, RunSpec, ScheduleSpec
from pegbox.schemas.study import StudySpec


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(90, 90.0), ("90", None), ("90s", 90.0), ("30m", 1800.0), ("1h30m", 5400.0), ("2d", 172800.0), ("1.5h", 5400.0),
     ("500ms", 0.5), ("1h 30m", 5400.0), ("2 hours", 7200.0), ("1 Hour", 3600.0), ("90 min", 5400.0),
     ("1 day, 6 hours", 108000.0), ("1 hour and 30 minutes", 5400.0), ("2 weeks", 1209600.0), ("2:30:00", 9000.0),
     ("2:30", None), ("5 lightyears", None), ("1h x", None), (float("inf"), None), (float("nan"), None),
     ("", None), ("soon", None), ("3x", None), ("-3m", None), (0, None)],
)  # fmt: skip
def test_a_duration_is_read_or_refused(written, seconds):
    if seconds is None:
        with pytest.raises(ValidationError):
            BudgetSpec(time=written)
    else:
        assert BudgetSpec(time=written).time == seconds


def test_durations_survive_json():
    run = RunSpec(timeout="5m")

    assert RunSpec.model_validate_json(run.model_dump_json()) == run


def test_a_loss_is_always_made_small():
    assert Objective(metric="val_accuracy", goal="maximize").loss(0.9) == -0.9
    assert Objective(metric="val_loss").loss(0.9) == 0.9


@pytest.mark.parametrize(
    "build",
    [
        BudgetSpec,
        lambda: BudgetSpec(failures=3),
        lambda: FidelitySpec(min=9, max=3),
        lambda: ScheduleSpec(cron="* * * * *", interval=60),
        lambda: Objective(metric=""),
        lambda: Objective(metric="val_loss", target=float("inf")),
        lambda: BudgetSpec(trials=3, epoch=3),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(ValidationError):
        build()


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"cron": "0 24 * * *"}, "cron '0 24 \\* \\* \\*' cannot be: bad hour"),
        ({"cron": "61 3 * * *"}, "cannot be: bad minute"),
        ({"cron": "0 0 31 2 *"}, "cannot be: bad day-of-month"),
        ({"cron": "*/5 * * * * *"}, "cannot be: wrong number of fields. Write minute, hour"),
        ({"cron": "every monday"}, "cannot be: wrong number of fields"),
        ({"cron": "@daily"}, "cannot be: wrong number of fields"),
        ({"cron": "0 3 * * 8"}, "cannot be: bad day-of-week"),
        ({"cron": "0 3 * * 1", "timezone": "Mars/Olympus"}, "no time zone 'Mars/Olympus' is known"),
        ({"cron": "0 3 * * 1", "timezone": "Europe/Berln"}, "Did you mean 'Europe/Berlin'?"),
        ({"cron": "0 3 * * 1", "timezone": ""}, "no time zone '' is known"),
        ({"interval": float("inf")}, "finite"),
        ({"interval": "0.5s"}, "between one second and ten years"),
        ({"interval": "100000d"}, "between one second and ten years"),
    ],
)
def test_a_clock_that_never_strikes_is_refused(schedule, message):
    with pytest.raises(ValidationError, match=message):
        ScheduleSpec(**schedule)


@pytest.mark.parametrize("cron", ["0 3 * * 1", "*/15 8-18 * * MON-FRI", "0 0 29 2 *", "0 0 L * *", "0 0 31 1,3 0"])
def test_a_clock_that_strikes_is_taken(cron):
    assert ScheduleSpec(cron=cron, timezone="Europe/Berlin").cron == cron


@pytest.mark.parametrize("word", ["max", "MAX", "maximise", "Maximize", "maximum"])
def test_other_words_for_a_goal_are_understood(word):
    assert Objective(metric="acc", goal=word).goal == "maximize"


DATA = {"source": "sklearn:digits", "target": "target"}


def amounts(fidelity, **changes):
    raw = {"name": "s", "data": DATA, "train": {"kind": "mlp", "epochs": 3}, "space": {"lr": {"min": 0.1, "max": 1}}}
    more = {"objective": {"metric": "val_loss"}, "budget": {"trials": 9}, "fidelity": fidelity}
    return StudySpec.model_validate({**raw, **more, **changes})


ROWS = {"of": "rows", "min": 500, "max": 20000}
FUNCTION = {"kind": "function", "function": "mine:run"}


@pytest.mark.parametrize(
    ("fidelity", "changes", "said"),
    [
        ({"of": "rows", "max": 500}, {}, "rungs of rows need both ends, got min=1, max=500"),
        ({"of": "rows", "min": 500}, {}, "rungs of rows need both ends, got min=500, max=None"),
        ({"of": "size"}, {"train": FUNCTION}, "how much of 'size' is a whole training is not known"),
        ({"of": "two words", "max": 9}, {"train": FUNCTION}, "a fidelity is a name of letters, digits and _"),
        ({"of": "lambda", "max": 9}, {"train": FUNCTION}, "none of Python's own words, got 'lambda'"),
        ({"of": "size", "max": 9}, {}, "more epochs or more rows, got 'size'"),
        ({"of": "lr", "max": 9}, {"train": FUNCTION}, "'lr' is a parameter of the space as well"),
        (ROWS, {"budget": {"epochs": 90}}, "a trial has 3 epochs at each rung of rows"),
        (ROWS, {"search": {"method": "pbt"}}, "pbt changes hyperparameters between two epochs"),
        (ROWS, {"train": {"kind": "mlp", "patience": 2}, "final": "refit"}, "final: refit trains to the epoch"),
        (ROWS, {"train": {"kind": "torch", "module": "a:b", "loaders": "a:c"}, "data": None}, "rows of your own"),
    ],
)
def test_a_fidelity_that_cannot_be_is_refused(fidelity, changes, said):
    with pytest.raises(ValidationError, match=re.escape(said)):
        amounts(fidelity, **changes)


def test_rungs_of_rows_grow_by_the_factor_whatever_the_epochs():
    spec = amounts(ROWS)

    assert spec.rungs == (500, 1500, 4500, 13500, 20000)
    assert spec.trial_schedule.name == "asha"
    assert StudySpec.model_validate_json(spec.model_dump_json()) == spec
    assert StudySpec.model_validate(spec.model_dump(exclude_defaults=True)).rungs == spec.rungs


@pytest.mark.parametrize(("schedule", "method", "name"), [("full", "bayes", "full"), ("auto", "freeze_thaw", "full")])
def test_a_schedule_that_is_named_stays(schedule, method, name):
    spec = amounts({**ROWS, "schedule": schedule}, search={"method": method})

    assert spec.trial_schedule.name == name
