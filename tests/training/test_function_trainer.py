"""Functions of a user's: how they are called, what they may return, what they keep, what is refused."""

import itertools
import sys
import textwrap

import pytest
from tests.training.conftest import ignore, make_segment, make_splits

from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import FunctionTrain
from pegbox.training.function_trainer import FunctionTrainer

_NUMBERS = itertools.count()


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Write a function `run`, train a segment with it, and give what was trained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def train(code, configuration=None, report=ignore, data=None, module=None, **changes):
        if module is None:
            module = f"user_module_{next(_NUMBERS)}"
            (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        spec = FunctionTrain(kind="function", function=f"{module}:run", epochs=9)
        segment = make_segment(configuration or {"lr": 0.5}, train=spec, **changes)
        trained = FunctionTrainer().train(segment, data, tmp_path / "checkpoints", report)
        trained_metrics = FunctionTrainer().evaluate(segment, trained, data, "valid").metrics
        return trained, trained_metrics

    return train


def refusal(call, code, **options):
    with pytest.raises(TrialError) as raised:
        call(code, **options)
    return raised.value.failure


def test_a_returned_number_is_the_metric_value(call):
    _, metrics = call("def run(lr): return lr * 2")

    assert metrics == {"value": 1.0}


def test_a_returned_number_is_the_one_objective(call):
    _, metrics = call("def run(lr): return lr * 2", objectives=("rmse",))

    assert metrics == {"rmse": 1.0}


def test_as_many_numbers_as_objectives_are_they_in_order(call):
    _, metrics = call("def run(lr): return lr, 2", objectives=("loss", "size"))

    assert metrics == {"loss": 0.5, "size": 2.0}


def test_objectives_that_count_numbers_are_found_by_their_place(call):
    _, metrics = call("def run(lr): return lr, 2", objectives=("value_1", "value_0"))

    assert metrics == {"value_0": 0.5, "value_1": 2.0}


def test_optunas_reports_are_the_one_objective(call):
    trained, _ = call("def run(lr, trial): trial.report(lr, 1)", objectives=("rmse",))

    assert trained.reports[0].metrics == {"rmse": 0.5}


def test_a_returned_mapping_names_its_metrics(call):
    _, metrics = call("def run(lr): return {'loss': lr, 'accuracy': 1, 'test_loss': 3}")

    assert metrics == {"loss": 0.5, "accuracy": 1.0}


def test_several_returned_numbers_are_counted(call):
    _, metrics = call("def run(lr): return lr, 2")

    assert metrics == {"value_0": 0.5, "value_1": 2.0}


def test_numbers_of_numpy_and_torch_are_numbers(call):
    _, metrics = call(
        """
        import numpy, torch
        def run(lr):
            single = {"c": numpy.array([3]), "d": torch.ones(1, 1)}
            return {"a": numpy.float32(0.5), "b": torch.tensor(2.0), **single}
        """
    )

    assert metrics == {"a": 0.5, "b": 2.0, "c": 3.0, "d": 1.0}


def test_reports_alone_are_enough(call):
    seen = []

    trained, metrics = call(
        """
        def run(lr, trial):
            for epoch in range(trial.from_budget + 1, trial.budget + 1):
                trial.report(epoch, val_loss=lr / epoch)
                trial.report(epoch, {"val_accuracy": epoch})
        """,
        report=lambda step, metrics: seen.append((step, metrics)),
    )

    assert metrics == {"val_loss": 0.25, "val_accuracy": 2.0}
    assert seen[0] == (1, {"val_loss": 0.5})
    assert (trained.budget, trained.checkpoint, trained.restarted) == (2, None, False)


def test_the_trial_says_what_a_function_may_ask(call, tmp_path):
    data = make_splits(tmp_path)

    _, metrics = call(
        """
        def run(lr, trial):
            assert trial.device in {"cpu", "cuda"} and trial.checkpoint_dir.is_dir() and trial.resume_dir is None
            return {"seed": trial.seed, "rows": len(trial.data.train), "number": trial.number, "to": trial.budget}
        """,
        data=data,
    )

    assert metrics == {"seed": 1, "rows": 120, "number": 0, "to": 2}


CONTINUES = """
def run(lr, trial):
    state = trial.load_checkpoint() or {"epoch": 0, "total": 0.0}
    while state["epoch"] < trial.budget:
        state["epoch"] += 1
        state["total"] += lr
        trial.report(state["epoch"], total=state["total"])
    trial.save_checkpoint(state)
"""


def test_a_function_that_keeps_a_checkpoint_continues(call):
    first, _ = call(CONTINUES, to_budget=3)
    rest, metrics = call(CONTINUES, from_budget=3, to_budget=9, checkpoint=first.checkpoint)

    assert [report.step for report in rest.reports] == [4, 5, 6, 7, 8, 9]
    assert metrics == {"total": 4.5}
    assert not rest.restarted


def test_a_function_that_keeps_none_restarts_and_says_so(call):
    trained, _ = call("def run(lr): return lr", from_budget=3, to_budget=9)

    assert trained.restarted
    assert trained.checkpoint is None


def test_files_of_a_function_that_fails_are_not_kept(call, tmp_path):
    code = """
    def run(lr, trial):
        trial.save_checkpoint(1)
        raise KeyError("x")
    """

    with pytest.raises(KeyError):
        call(code)

    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_cut_checkpoint_is_invalid(call):
    first, _ = call(CONTINUES, to_budget=3)
    (first.checkpoint / "state.pkl").write_bytes(b"\x80\x05")

    failure = refusal(call, CONTINUES, from_budget=3, to_budget=9, checkpoint=first.checkpoint)

    assert failure.kind is FailureKind.INVALID
    assert "cannot be read" in failure.message


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("def run(lr): return None", "invalid", "returned None and reported nothing"),
        ("import numpy\ndef run(lr): return numpy.array('0.5')", "invalid", "must give a number for 'value'"),
        ("import numpy\ndef run(lr): return numpy.array([1, 2])", "invalid", "must give a number for 'value'"),
        ("def run(lr): return 'low'", "invalid", "must give a number for 'value', got 'low'"),
        ("def run(lr): return {'loss': 'low'}", "invalid", "must give a number for 'loss', got 'low'"),
        ("def run(lr): return {'loss': None}", "invalid", "got None"),
        ("def run(lr): return {}", "invalid", "reported nothing"),
        ("def run(lr): return {1: 2.0, '1': 3.0}", "invalid", "two metrics that both read '1'"),
        ("def run(lr): return {'caf\\udce9': 2.0}", "invalid", "characters that can be stored, got 'caf\\udce9'"),
        ("def run(lr): return {'a\\0b': 2.0}", "invalid", "characters that can be stored"),
        ("def run(lr): return {'n' * 10_000_000: 2.0}", "invalid", "a metric's name is up to 500 characters"),
        ("def run(lr, trial): trial.report(1, {'caf\\udce9': 2.0})", "invalid", "characters that can be stored"),
        ("def run(lr, trial): trial.report('one', loss=1)", "invalid", "a step is a whole number from 0, got 'one'"),
        ("def run(lr, trial): trial.report(3)", "invalid", "report takes a step and metrics"),
        ("def run(rate): return rate", "invalid", "takes no 'lr'. Known: rate"),
        ("def run(lr, depth): return lr", "invalid", "needs 'depth'"),
        ("run = 3", "invalid", "must be a function, got 3"),
        ("def walk(lr): return lr", "invalid", "has no 'run'"),
    ],
)
def test_what_cannot_be_used_is_named(call, code, kind, message):
    failure = refusal(call, code)

    assert failure.kind == kind
    assert message in failure.message


@pytest.mark.parametrize(
    "code",
    [
        "def run(lr): return {'rmse': float('nan')}",
        "def run(lr): return float('nan')",
        """
        def run(lr, trial):
            for epoch in range(1, 6):
                trial.report(epoch, rmse=1 / epoch if epoch < 5 else float("nan"))
        """,
        """
        def run(lr, trial):
            trial.report(1, rmse=0.5)
            return float("inf")
        """,
    ],
)
def test_what_is_not_finite_at_last_has_no_value(call, code):
    trained, metrics = call(code, objectives=("rmse",))

    assert metrics == {}
    assert trained.reports[-1].unusable["rmse"] in {"nan", "inf"}


def test_what_was_not_finite_on_the_way_may_recover(call):
    _, metrics = call(
        """
        def run(lr, trial):
            for epoch in range(1, 4):
                trial.report(epoch, loss=float("inf") if epoch == 1 else 1 / epoch, auc=float("nan"))
        """,
        objectives=("loss",),
    )

    assert metrics == {"loss": pytest.approx(1 / 3)}


def test_a_loss_that_stays_lost_ends_the_training(call):
    code = """
    def run(lr, trial):
        for epoch in range(1, 100):
            trial.report(epoch, loss=float("nan"))
        raise AssertionError("it went on")
    """

    failure = refusal(call, code, objectives=("loss",))

    assert failure.kind is FailureKind.DIVERGED
    assert "loss was nan up to step 3, 3 reports in a row" in failure.message


def test_a_module_that_is_not_there_is_invalid(call):
    failure = refusal(call, "", module="no_such_module_anywhere")

    assert failure.kind is FailureKind.INVALID
    assert "'no_such_module_anywhere' was not found" in failure.message


def test_a_broken_import_inside_the_module_is_its_own_error(call):
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        call("import no_such_library\ndef run(lr): return lr")


def test_equal_seeds_give_equal_random_numbers(call):
    code = """
    import random, numpy
    def run(lr): return {"a": random.random(), "b": numpy.random.rand()}
    """

    _, first = call(code)
    _, again = call(code)
    _, other = call(code, seed=2)

    assert first == again
    assert first != other


OBJECTIVE = """
import optuna

def run(trial):
    lr = trial.suggest_float("lr", 1e-5, 1.0, log=True)
    layers = trial.suggest_int("layers", 1, 4)
    optimizer = trial.suggest_categorical("optimizer", ["adam", "sgd"])
    trial.set_user_attr("seen", True)
    for epoch in range(9):
        accuracy = lr * layers + epoch + (optimizer == "sgd")
        trial.report(accuracy, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned()
    return accuracy
"""
DECLARED = {"lr": 0.5, "layers": 2, "optimizer": "sgd"}


def test_an_objective_written_for_optuna_runs_unchanged(call):
    trained, metrics = call(OBJECTIVE, configuration=DECLARED, to_budget=9)

    assert metrics == {"value": 10.0}
    assert (trained.budget, trained.stopped_early) == (9, False)


def test_an_optuna_objective_is_pruned_at_its_rung(call):
    trained, metrics = call(OBJECTIVE, configuration=DECLARED, to_budget=3)

    assert metrics == {"value": 4.0}
    assert [report.step for report in trained.reports] == [0, 1, 2]
    assert (trained.budget, trained.stopped_early) == (3, False)


def test_the_same_objective_gives_the_same_under_optuna(call):
    import optuna

    _, metrics = call(OBJECTIVE, configuration=DECLARED, to_budget=9)

    objective = {}
    exec(OBJECTIVE, objective)
    assert metrics["value"] == objective["run"](optuna.trial.FixedTrial(DECLARED))


def test_an_objective_that_asks_for_another_parameter_is_invalid(call):
    failure = refusal(call, OBJECTIVE, configuration={"lr": 0.5, "layer": 2})

    assert "asks for 'layers', which this configuration does not hold. Did you mean 'layer'?" in failure.message
