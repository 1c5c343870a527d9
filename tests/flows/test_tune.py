"""Whole studies through real flows, real worker processes and a real store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pegbox.report.replay_audit import replay_study
from pegbox.schemas.errors import NoTrialSucceededError, StudyMismatchError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import verify

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]

Hill = Callable[..., StudySpec]
TRADE = """

def trade(x):
    return {"value": (x - 0.3) ** 2, "size": 1 - x}
"""


def _tune(spec: StudySpec, project: Path) -> None:
    from pegbox.flows.tune import tune

    tune(spec, project / "store")


def _history(project: Path, study: str = "hill") -> History:
    return open_history(project / "store").history(study)


def _calls(project: Path) -> list[str]:
    return (project / "calls.txt").read_text().splitlines()


def test_study_ends_with_a_winner_among_its_trials(project: Path, hill: Hill) -> None:
    _tune(hill(), project)

    history = _history(project)
    assert [trial.state for trial in history.trials] == [TrialState.COMPLETED] * 6
    assert history.selection is not None
    nearest = min(history.trials, key=lambda trial: abs(float(str(trial.configuration["x"])) - 0.3))
    assert history.selection.winner == nearest.number


def test_clear_loser_gets_no_more_fresh_seeds(project: Path, hill: Hill) -> None:
    _tune(hill(finalists={"top": 3, "seeds": 5}), project)

    selection = _history(project).selection
    assert selection is not None
    assert [len(finalist.values) for finalist in selection.finalists] == [5, 3, 3]
    assert "after 3 seeds" in selection.reason


def test_several_objectives_end_with_a_front_and_its_knee(project: Path, hill: Hill) -> None:
    (project / "hill.py").write_text((project / "hill.py").read_text() + TRADE)
    train = {"kind": "function", "function": "hill:trade"}
    traded = {"space": {"x": {"min": 0.3, "max": 1.0}}, "objectives": [{"metric": "value"}, {"metric": "size"}]}
    _tune(hill(train=train, objective=None, finalists={"top": 4, "seeds": 2}, **traded), project)

    selection = _history(project).selection
    assert selection is not None
    assert len(selection.front) == 4
    assert {point.trial for point in selection.front} == {selection.winner, *selection.ties}
    assert all(set(point.estimates) == {"value", "size"} for point in selection.front)


def test_trial_outside_a_constraint_does_not_win(project: Path, hill: Hill) -> None:
    (project / "hill.py").write_text((project / "hill.py").read_text() + TRADE)
    train = {"kind": "function", "function": "hill:trade"}
    _tune(hill(train=train, constraints=[{"metric": "size", "max": 0.4}]), project)

    history = _history(project)
    assert history.selection is not None
    kept = [trial for trial in history.trials if float(str(trial.configuration["x"])) >= 0.6]
    best = min(kept, key=lambda trial: float(str(trial.configuration["x"])))
    assert history.selection.winner == best.number
    assert history.selection.best.constrained["size"] <= 0.4


def test_finished_study_trains_nothing_again(project: Path, hill: Hill) -> None:
    _tune(hill(), project)
    before = _calls(project)

    _tune(hill(), project)

    assert _calls(project) == before


def test_larger_budget_trains_the_difference_only(project: Path, hill: Hill) -> None:
    _tune(hill(), project)
    first = _history(project).trials

    _tune(hill(budget={"trials": 9}), project)

    assert _history(project).trials[:6] == first
    assert len(_history(project).trials) == 9


def test_same_content_in_another_study_is_not_trained_again(project: Path, hill: Hill) -> None:
    _tune(hill(), project)
    before = _calls(project)

    _tune(hill(name="twin"), project)

    assert _calls(project) == before
    assert len(_history(project, "twin").completed) == 6
    with open_history(project / "store") as history:
        steps = history.sql("SELECT study, count(*) FROM metrics WHERE name = 'value' GROUP BY study ORDER BY study")
        assert steps.fetchall() == [("hill", 10), ("twin", 10)]
    assert verify(StoreLayout(project / "store")).findings == ()


def test_failures_are_facts_and_the_study_goes_on(project: Path, hill: Hill) -> None:
    _tune(hill(train={"kind": "function", "function": "hill:fail_left"}, budget={"trials": 8}), project)

    history = _history(project)
    assert history.failed
    assert history.completed
    failure = history.failed[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.ERROR
    assert "cannot climb" in failure.message


def test_killed_worker_gets_another_attempt(project: Path, hill: Hill) -> None:
    _tune(hill(train={"kind": "function", "function": "hill:die_once"}, budget={"trials": 3}), project)

    history = _history(project)
    assert len(history.completed) == 3
    assert sorted(trial.attempt for trial in history.trials) == [1, 1, 2]


def test_trial_that_misses_the_metric_fails_alone(project: Path, hill: Hill) -> None:
    _tune(hill(train={"kind": "function", "function": "hill:forget_left"}, budget={"trials": 8}), project)

    history = _history(project)
    assert {trial.state for trial in history.trials} == {TrialState.COMPLETED, TrialState.FAILED}
    failures = [trial.failure for trial in history.failed if trial.failure]
    assert {failure.kind for failure in failures} == {FailureKind.INVALID}
    assert "expected the metric 'value'" in failures[0].message


def test_study_without_a_success_says_why(project: Path, hill: Hill) -> None:
    spec = hill(train={"kind": "function", "function": "hill:fail_left"}, space={"x": {"min": 0.0, "max": 0.4}})

    with pytest.raises(NoTrialSucceededError, match=r"6 failed, 6 of them with 'error'.*cannot climb"):
        _tune(spec, project)


def test_another_space_under_the_same_name_is_refused(project: Path, hill: Hill) -> None:
    _tune(hill(budget={"trials": 1}), project)

    with pytest.raises(StudyMismatchError, match=r"study 'hill' with another space: space.x.min was 0.0, is now 5.0"):
        _tune(hill(space={"x": {"min": 5.0, "max": 6.0}}), project)


def test_folds_give_each_trial_the_mean_of_its_folds(project: Path, hill: Hill) -> None:
    spec = hill(
        name="folds",
        data={"source": "sklearn:iris", "target": "target", "split": {"test": 0.2, "folds": 3, "stratify": True}},
        train={"kind": "mlp", "task": "classification", "epochs": 2},
        space={"lr": {"min": 1e-3, "max": 1e-1, "log": True}, "units": 8, "layers": 1},
        objective={"metric": "val_loss"},
        budget={"trials": 2},
        finalists={"top": 1, "seeds": 1},
    )

    _tune(spec, project)

    rows = open_history(project / "store").sql(
        "SELECT fold, count(*) FROM evaluations WHERE study = 'folds' AND replicate IS NULL GROUP BY fold ORDER BY fold"
    )
    assert rows.fetchall() == [(0, 2), (1, 2), (2, 2), (None, 2)]


def test_hopeless_trial_does_not_see_the_last_folds(project: Path, hill: Hill) -> None:
    known = [{"lr": lr, "units": 8} for lr in (0.02, 0.03, 0.04, 0.05, 0.06, 1e-6)]
    spec = hill(
        name="folds",
        data={"source": "sklearn:iris", "target": "target", "split": {"folds": 5, "stratify": True}},
        train={"kind": "mlp", "task": "classification", "epochs": 4},
        space={"lr": {"min": 1e-6, "max": 1e-1, "log": True}, "units": 8},
        objective={"metric": "val_loss"},
        search={"method": "random", "enqueue": known},
        fidelity={"schedule": "median", "min": 4},
        budget={"trials": 6},
        run={"workers": 1, "threads": 1},
        finalists={"top": 1, "seeds": 1},
    )

    _tune(spec, project)

    history = _history(project, "folds")
    assert history.trials[5].state is TrialState.STOPPED
    assert [len(trial.folds) for trial in history.trials] == [5, 5, 5, 5, 5, 2]
    assert replay_study(project / "store", "folds").is_exact


def test_trial_that_fails_on_one_fold_does_not_see_the_others(project: Path, hill: Hill) -> None:
    known = [{"lr": lr, "optimizer": "sgd"} for lr in (0.01, 1e29)]
    spec = hill(
        name="folds",
        data={"source": "sklearn:iris", "target": "target", "split": {"folds": 4, "stratify": True}},
        train={"kind": "mlp", "task": "classification", "epochs": 2},
        space={"lr": {"min": 1e-3, "max": 1e30, "log": True}, "optimizer": "sgd"},
        objective={"metric": "val_loss"},
        search={"method": "random", "enqueue": known},
        budget={"trials": 2},
        run={"workers": 1, "threads": 1},
        finalists={"top": 1, "seeds": 1},
    )

    _tune(spec, project)

    history = _history(project, "folds")
    assert [trial.state for trial in history.trials] == [TrialState.COMPLETED, TrialState.FAILED]
    rows = open_history(project / "store").sql("SELECT count(*) FROM segments WHERE trial = 1")
    assert rows.fetchall() == [(1,)]


def test_a_trial_that_measures_itself_is_two_task_runs(project: Path, hill: Hill) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName

    _tune(hill(name="counted", budget={"trials": 20}, finalists={"top": 1, "seeds": 1}), project)

    with get_client(sync_client=True) as client:
        runs = client.read_task_runs(flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=["tune-counted"])))
    names = [run.name for run in runs]
    assert len([name for name in names if name.startswith("propose-trials")]) <= 20 + 1
    assert len([name for name in names if name.startswith("trial-")]) == 20 + 2  # a fresh seed; found again at the end
    assert not [name for name in names if name.startswith("evaluate-")]
