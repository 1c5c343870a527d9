"""Durations, objectives and limits mean what they say."""

import pytest
from pydantic import ValidationError

from pegbox.schemas.plan import BudgetSpec, FidelitySpec, Objective, RunSpec, ScheduleSpec


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(90, 90.0), ("90", None), ("90s", 90.0), ("30m", 1800.0), ("1h30m", 5400.0), ("2d", 172800.0), ("1.5h", 5400.0),
     ("500ms", 0.5), ("1h 30m", 5400.0), ("", None), ("soon", None), ("3x", None), ("-3m", None), (0, None)],
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
        ScheduleSpec,
        lambda: ScheduleSpec(cron="* * * * *", interval=60),
        lambda: Objective(metric=""),
        lambda: Objective(metric="val_loss", target=float("inf")),
        lambda: BudgetSpec(trials=3, epoch=3),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(ValidationError):
        build()
