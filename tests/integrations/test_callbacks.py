"""The examples of callbacks: each library reports, stops at the rung, and goes on from where it stopped."""

import sys
from importlib import import_module, util
from pathlib import Path

import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from pegbox.integrations.boosting import grow
from pegbox.integrations.trial_link import TrialLink
from pegbox.schemas.errors import TrialError
from pegbox.schemas.running_trial import running, set_running
from pegbox.schemas.train import CommandTrain, FunctionTrain
from pegbox.schemas.trial import Segment, Stage
from pegbox.training.checkpoint_directory import checkpoint_directory
from pegbox.training.command_trainer import CommandTrainer
from pegbox.training.function_trainer import FunctionTrainer
from pegbox.training.trial_handle import TrialHandle
from pegbox.training.user_metrics import Reports

# What the libraries still call of each other's older names.
pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("DeprecationWarning", "FutureWarning")]

EXAMPLES = Path(__file__).parents[2] / "examples" / "callbacks"


def ignore(step, metrics):
    pass


class Example:
    """One example as a study would call it."""

    def __init__(self, module, metric, configuration):
        self.module, self.metric, self.configuration = module, metric, configuration

    def segment(self, **fields):
        return Segment(
            study="s",
            trial=0,
            configuration=self.configuration,
            seed=1,
            train=FunctionTrain(kind="function", function=f"{self.module}:run", epochs=4, device="cpu"),
            code="c",
            objectives=(self.metric,),
            **fields,
        )

    def train(self, folder, **fields):
        return FunctionTrainer().train(self.segment(**fields), None, folder, ignore)

    def curve(self, trained):
        return [(one.step, one.metrics[self.metric]) for one in trained.reports if self.metric in one.metrics]


EXAMPLES_OF = {
    "lightning": ("lightning_net", "val_loss", {"lr": 0.02}),
    "transformers": ("transformers_bert", "eval_loss", {"lr": 0.02}),
    "xgboost": ("xgboost_trees", "val_logloss", {"eta": 0.4}),
    "lightgbm": ("lightgbm_trees", "val_binary_logloss", {"learning_rate": 0.4}),
    "skorch": ("skorch_net", "val_loss", {"lr": 0.02}),
    "fastai": ("fastai_net", "val_loss", {"lr": 0.02}),
    "keras": ("keras_net", "val_loss", {"lr": 0.02}),
    "sklearn": ("sklearn_trees", "val_loss", {"learning_rate": 0.4}),
}


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Without this repository and its tests, whose `datasets` transformers would take for the library of that name.
    own = {EXAMPLES.parents[1], EXAMPLES.parents[1] / "tests"}
    elsewhere = [path for path in sys.path if Path(path or ".").resolve() not in own]
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *elsewhere])
    yield tmp_path
    for name in ("rows", *(module for module, *_ in EXAMPLES_OF.values())):
        sys.modules.pop(name, None)


IMPORTS_MUCH = {"transformers", "keras", "fastai"}
"""Libraries that take seconds to load."""


@pytest.fixture(params=[pytest.param(one, marks=[pytest.mark.long] * (one in IMPORTS_MUCH)) for one in EXAMPLES_OF])
def example(request, there):
    if util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return Example(*EXAMPLES_OF[request.param])


def test_a_library_reports_stops_at_the_rung_and_goes_on(example, there):
    whole = example.train(there / "a", to_budget=4)
    first = example.train(there / "b", to_budget=2)
    rest = example.train(there / "b", from_budget=2, to_budget=4, checkpoint=first.checkpoint)

    assert [step for step, _ in example.curve(whole)] == [1, 2, 3, 4]
    assert [step for step, _ in example.curve(rest)] == [3, 4]
    values = [[value for _, value in example.curve(one)] for one in (whole, first, rest)]
    assert values[1] + values[2] == pytest.approx(values[0], rel=1e-4)
    assert not rest.restarted


def test_outside_of_a_trial_a_callback_does_nothing(example, there):
    assert running() is None

    import_module(example.module).run(**example.configuration)

    assert running() is None


@pytest.mark.skipif(util.find_spec("lightning") is None, reason="lightning is not installed")
@pytest.mark.parametrize(
    ("validating", "steps"), [({"val_check_interval": 0.5}, [1, 2]), ({"limit_val_batches": 0}, [])]
)
def test_lightning_may_validate_twice_an_epoch_or_never(there, validating, steps):
    example = Example("lightning_net", "val_loss", {"lr": 0.02, **validating})

    trained = example.train(there, to_budget=2)

    assert [step for step, _ in example.curve(trained)] == steps
    assert [one.step for one in trained.reports if "train_loss" in one.metrics] == [1, 2]


PROGRAM = """
from pegbox.integrations.trial_link import TrialLink
link = TrialLink("kept.txt")
done = int(link.kept.read_text()) if link.kept else 0
print("50%|##", end="")
while not link.is_over(done):
    done += 1
    link.report(done, {"val_loss": 1 / done, "name": "x", "many": [1, 2], "right": True})
link.place.write_text(str(done))
"""


def test_a_callback_of_a_command_reports_by_printing(there):
    train = CommandTrain(kind="command", command=(sys.executable, "-c", PROGRAM), epochs=4)
    fields = {"study": "s", "trial": 0, "configuration": {}, "seed": 1, "train": train, "code": "c"}

    first = CommandTrainer().train(Segment(**fields, to_budget=2), None, there, ignore)
    on = {"from_budget": 2, "to_budget": 4, "checkpoint": first.checkpoint}
    rest = CommandTrainer().train(Segment(**fields, **on), None, there, ignore)

    assert [(one.step, one.metrics) for one in first.reports] == [(1, {"val_loss": 1.0}), (2, {"val_loss": 0.5})]
    assert [one.step for one in rest.reports] == [3, 4]


def copy_of(example, there, **configuration):
    """A copy in a population: it goes on from the second epoch of another trial with its own configuration."""
    first = example.train(there / "a", to_budget=2)
    earlier = (Stage(configuration=example.configuration, to_budget=2),)
    other = Example(example.module, example.metric, configuration)
    stretch = {"from_budget": 2, "to_budget": 4, "checkpoint": first.checkpoint}
    return other.train(there / "b", **stretch, earlier=earlier), other.train(there / "c", **stretch)


def test_trees_of_a_copy_go_on_with_its_own_values(there):
    example = Example(*EXAMPLES_OF["sklearn"])

    copied, same = (example.curve(one) for one in copy_of(example, there, learning_rate=0.01))

    assert [step for step, _ in copied] == [3, 4]
    assert copied[0][1] != same[0][1]


@pytest.mark.skipif(util.find_spec("skorch") is None, reason="skorch is not installed")
def test_a_callback_that_would_bring_the_rates_of_the_parent_refuses_a_copy(there):
    with pytest.raises(TrialError, match="a copy in a population has its own"):
        copy_of(Example(*EXAMPLES_OF["skorch"]), there, lr=0.5)


def test_a_program_is_told_that_it_is_a_copy(there):
    code = "import pegbox; trial = pegbox.current_trial(); trial.report(trial.budget, val_loss=float(trial.is_copy))"
    train = CommandTrain(kind="command", command=(sys.executable, "-c", code), epochs=4)
    fields = {"study": "s", "trial": 0, "configuration": {}, "seed": 1, "train": train, "code": "c", "from_budget": 2}
    earlier = (Stage(configuration={}, to_budget=2),)

    segments = [Segment(**fields, to_budget=4, checkpoint=there, earlier=one) for one in (earlier, ())]

    trained = [CommandTrainer().train(segment, None, there, ignore) for segment in segments]
    assert [one.reports[-1].metrics["val_loss"] for one in trained] == [1.0, 0.0]


def test_a_loss_that_is_not_finite_is_reported_as_it_is(there):
    reports = Reports(lambda step, metrics: None, ("val_loss",))
    with checkpoint_directory(Example("m", "val_loss", {}).segment(to_budget=1), "", there) as directory:
        set_running(TrialHandle(Example("m", "val_loss", {}).segment(to_budget=1), None, directory, reports))
        try:
            TrialLink("x").report(1, {"val_loss": float("nan")})
        finally:
            set_running(None)

    assert [one.unusable for one in reports.all] == [{"val_loss": "nan"}]


@pytest.mark.parametrize(("estimator", "every"), [(LinearRegression(), 1), (RandomForestClassifier(), 0)])
def test_what_has_no_rounds_cannot_grow(estimator, every):
    with pytest.raises(TrialError, match="grow takes an estimator with warm_start"):
        grow(estimator, [[1]], [1], dict, every=every)


@pytest.mark.long
@pytest.mark.skipif(util.find_spec("transformers") is None, reason="transformers is not installed")
def test_what_compute_objective_makes_of_metrics_is_reported(there, monkeypatch):
    import pegbox.integrations.transformers as ours

    plain = ours.train
    monkeypatch.setattr(
        ours, "train", lambda trainer: plain(trainer, compute_objective=lambda told: -told["eval_loss"])
    )

    trained = Example("transformers_bert", "objective", {"lr": 0.02}).train(there, to_budget=2)

    told = [one.metrics for one in trained.reports if "objective" in one.metrics]
    assert [one["objective"] for one in told] == [-one["eval_loss"] for one in told]
    assert len(told) == 2


@pytest.mark.long
@pytest.mark.skipif(util.find_spec("fastai") is None, reason="fastai is not installed")
def test_a_fastai_callback_belongs_to_one_fit_of_a_trial(there, monkeypatch):
    import pegbox.integrations.fastai as ours

    callback = ours.PegboxCallback()
    monkeypatch.setattr(ours, "PegboxCallback", lambda: callback)
    example = Example("fastai_net", "val_loss", {"lr": 0.02})
    example.train(there / "a", to_budget=1)

    with pytest.raises(TrialError, match="belongs to one fit of a trial, got a second one"):
        example.train(there / "b", to_budget=1)
