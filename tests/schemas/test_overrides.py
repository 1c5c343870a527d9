import pytest

from pegbox.schemas.errors import StudyError
from pegbox.schemas.overrides import override
from pegbox.schemas.study import StudySpec


@pytest.fixture
def spec() -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "digits",
            "train": {"kind": "function", "function": "my_project:run"},
            "space": {"units": {"min": 32, "max": 1024, "log": True, "int": True}, "optimizer": ["adamw", "sgd"]},
            "objective": {"metric": "loss"},
            "budget": {"trials": 20},
        }
    )


def test_settings_replace_what_they_name_and_nothing_else(spec: StudySpec) -> None:
    changed = override(spec, ["budget.trials=50", "space.units.max=2048", "run.timeout=5m"])

    assert changed.budget.trials == 50
    assert changed.space.parameters["units"] == spec.space.parameters["units"].model_copy(update={"max": 2048})
    assert changed.run.timeout == 300
    assert changed.space.parameters["optimizer"] == spec.space.parameters["optimizer"]


def test_no_setting_changes_nothing(spec: StudySpec) -> None:
    assert override(spec, []) == spec


def test_a_parameter_can_be_added(spec: StudySpec) -> None:
    changed = override(spec, ["space.dropout={min: 0.0, max: 0.5}"])

    assert list(changed.space.parameters) == ["units", "optimizer", "dropout"]


def test_a_section_that_was_left_out_can_be_set(spec: StudySpec) -> None:
    assert override(spec, ["schedule.cron=0 3 * * 1"]).schedule is not None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("budget.trials", r"a path and a value such as budget\.trials=50, got 'budget\.trials'"),
        ("budget.trails=50", r"budget\.trails: unknown key 'trails'\. Did you mean 'trials'"),
        ("budgets.trials=50", r"unknown key 'budgets'\. Did you mean 'budget'"),
        ("space.unit.max=2048", r"space\.unit: unknown key 'unit'\. Did you mean 'units'"),
        ("space.units.max=16", "min must be below max"),
        ("budget.trials=many", "trials must be a whole number"),
        ("budget.trials.more=1", r"a mapping is expected on the way, but budget\.trials is 20"),
        ("name=other", "the name tells one study from another"),
        ("space.units=[1", "does not go on or end here"),
    ],
)
def test_mistakes_are_named_with_their_place(spec: StudySpec, setting: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as raised:
        override(spec, [setting])

    assert str(raised.value).startswith("--set")
