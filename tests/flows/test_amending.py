"""A study that is resumed with other settings, and failed trials that are tried again, through real flows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from driver_process import calls, history_of

from pegbox.flows.amending import respecify, retry_failed
from pegbox.report.check_study import check_study
from pegbox.report.replay_audit import replay_study
from pegbox.schemas.errors import NotFoundError, NoTrialSucceededError, StudyError, StudyMismatchError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_client")]

Hill = Callable[..., StudySpec]
FAIL_AGAIN = """

def fail_again(x):
    count = Path("calls.txt").read_text().count(repr(x)) if Path("calls.txt").exists() else 0
    if count > 0:
        raise RuntimeError("one seed is enough")
    return run(x)
"""


@pytest.fixture
def store(project: Path) -> Path:
    return project / "store"


def _tune(spec: StudySpec, store: Path) -> None:
    from pegbox.flows.tune import tune

    tune(spec, store)


def test_resumed_study_with_a_larger_budget_keeps_its_trials(project: Path, store: Path, hill: Hill) -> None:
    _tune(hill(), store)
    first = history_of(project).trials

    amended = respecify(store, "hill", ["budget.trials=8", "run.workers=1"], check_study)
    _tune(amended.spec, store)

    assert history_of(project).trials[:6] == first
    assert len(history_of(project).trials) == 8
    assert replay_study(store, "hill").is_exact


def test_narrowed_space_keeps_old_trials_and_chooses_inside(project: Path, store: Path, hill: Hill) -> None:
    _tune(hill(), store)
    first = history_of(project)
    assert first.selection is not None
    best = first.selection.winner
    highest = float(str(first.trials[best].configuration["x"])) - 0.01

    amended = respecify(store, "hill", [f"space.x.max={highest}", "budget.trials=9"], check_study)
    _tune(amended.spec, store)

    history = history_of(project)
    assert [trial.configuration for trial in history.trials[:6]] == [trial.configuration for trial in first.trials]
    assert history.selection is not None
    assert history.selection.winner != best
    assert all(float(str(one.configuration["x"])) <= highest for one in history.selection.finalists)
    assert replay_study(store, "hill").is_exact


def test_history_keeps_the_versions_of_the_space(project: Path, store: Path, hill: Hill) -> None:
    _tune(hill(budget={"trials": 2}), store)

    amended = respecify(store, "hill", ["space.x.max=2.0"], check_study)
    _tune(amended.spec, store)

    spaces = open_history(store).sql(
        "SELECT body->>'$.spec.space.x.max' FROM events WHERE type = 'study_opened' ORDER BY version"
    )
    assert spaces.fetchall() == [("1.0",), ("2.0",)]


def test_another_objective_is_refused_and_nothing_is_written(store: Path, hill: Hill) -> None:
    _tune(hill(budget={"trials": 1}), store)

    with pytest.raises(StudyMismatchError, match="objective"):
        respecify(store, "hill", ["objective.metric=other"], check_study)

    assert open_history(store).history("hill").spec == hill(budget={"trials": 1})


def test_study_of_another_name_may_change_what_makes_trials_incomparable(
    project: Path, store: Path, hill: Hill
) -> None:
    _tune(hill(budget={"trials": 2}), store)

    amended = respecify(store, "hill", ["train.epochs=3", "budget.trials=1"], check_study, "hill-next")
    _tune(amended.spec, store)

    assert open_history(store).history("hill").spec == hill(budget={"trials": 2})
    (trial,) = history_of(project, study="hill-next").trials
    assert trial.to_budget == 3


def test_empty_name_of_another_study_is_refused(store: Path, hill: Hill) -> None:
    _tune(hill(budget={"trials": 1}), store)

    with pytest.raises(StudyError, match="--as"):
        respecify(store, "hill", [], check_study, "")


def test_setting_that_cannot_run_is_refused_with_its_place(store: Path, hill: Hill) -> None:
    _tune(hill(budget={"trials": 1}), store)

    with pytest.raises(StudyError, match=r"--set, search\.method: .*bays"):
        respecify(store, "hill", ["search.method=bays"], check_study)


def test_retried_trials_get_one_further_attempt(project: Path, store: Path, hill: Hill) -> None:
    spec = hill(train={"kind": "function", "function": "hill:fail_left"})
    _tune(spec, store)
    failed = [trial.number for trial in history_of(project).failed]
    assert failed
    mended = (project / "hill.py").read_text().replace("if x < 0.5:", "if False:")
    (project / "hill.py").write_text(mended)

    amended = retry_failed(store, "hill", [], check_study, [])
    _tune(amended.spec, store)

    history = history_of(project)
    assert amended.retried == tuple(failed)
    assert [trial.state for trial in history.trials] == [TrialState.COMPLETED] * 6
    assert [trial.number for trial in history.trials if trial.attempt == 2] == failed
    assert replay_study(store, "hill").is_exact


def test_failed_fresh_seed_is_told_and_can_be_retried(project: Path, store: Path, hill: Hill) -> None:
    hill_file = project / "hill.py"
    hill_file.write_text(hill_file.read_text() + FAIL_AGAIN)
    spec = hill(train={"kind": "function", "function": "hill:fail_again"}, budget={"trials": 2})
    with pytest.raises(NoTrialSucceededError, match="every replicate failed"):
        _tune(spec, store)
    assert [trial.failed_replicates for trial in history_of(project).trials] == [(0, 1), (0, 1)]
    hill_file.write_text(hill_file.read_text().replace("if count > 0:", "if False:"))

    amended = retry_failed(store, "hill", [], check_study, [0])
    _tune(amended.spec, store)

    history = history_of(project)
    assert amended.retried == (0,)
    assert [len(trial.replicates) for trial in history.trials] == [2, 0]
    assert history.selection is not None
    assert history.selection.winner == 0


def test_trial_that_did_not_fail_cannot_be_retried(store: Path, hill: Hill) -> None:
    _tune(hill(budget={"trials": 1}), store)

    with pytest.raises(NotFoundError, match=r"Trial 0 of study 'hill' has not failed\. Failed: none"):
        retry_failed(store, "hill", [], check_study, [0])


def test_trials_that_were_kept_are_not_trained_again(project: Path, store: Path, hill: Hill) -> None:
    _tune(hill(), store)
    before = calls(project)

    amended = respecify(store, "hill", ["space.x.max=1.5"], check_study)
    _tune(amended.spec, store)

    assert calls(project) == before


GROW = '''
"""A hill whose values fall with the budget; every segment leaves a line that names it."""

from pathlib import Path


def run(x, trial):
    with Path("calls.txt").open("a") as calls:
        calls.write(f"{x!r} {trial.seed} {trial.from_budget} {trial.budget}\\n")
    for step in range(trial.from_budget + 1, trial.budget + 1):
        trial.report(step, value=(x - 0.3) ** 2 + 1 / step)
    return {"value": (x - 0.3) ** 2 + 1 / trial.budget}
'''


@pytest.fixture
def growing(project: Path, hill: Hill) -> StudySpec:
    """A study of nine epochs that trains trials to three of them."""
    (project / "hill.py").write_text(GROW)
    train = {"kind": "function", "function": "hill:run", "epochs": 9}
    return hill(train=train, fidelity={"max": 3}, budget={"trials": 4})


@pytest.mark.parametrize("schedule", [pytest.param("full", marks=pytest.mark.long), "asha"])
def test_raised_full_budget_compares_trials_at_the_new_one(
    project: Path, store: Path, growing: StudySpec, schedule: str
) -> None:
    _tune(growing, store)
    first = history_of(project)

    amended = respecify(
        store, "hill", ["fidelity.max=9", f"fidelity.schedule={schedule}", "budget.trials=8"], check_study
    )
    _tune(amended.spec, store)

    history = history_of(project)
    assert [trial.evaluations[0] for trial in history.trials[:4]] == [trial.evaluations[0] for trial in first.trials]
    assert history.completed
    assert {trial.budget for trial in history.completed} == {9}
    assert {one.budget for trial in history.trials for one in trial.replicates} == {9}
    assert history.selection is not None
    assert history.selection != first.selection
    continued = [line.split() for line in calls(project) if line.split()[2:] == ["3", "9"]]
    old = {str(trial.seed) for trial in first.trials}
    assert {seed for _, seed, *_ in continued} & old
    assert replay_study(store, "hill").is_exact
    with open_history(store) as file:
        states = dict(file.sql("SELECT number, state FROM trials WHERE study = 'hill'").fetchall())
        budgets = file.sql("SELECT DISTINCT budget FROM evaluations WHERE replicate IS NOT NULL").fetchall()
    assert states == {trial.number: history.told_state(trial).value for trial in history.trials}
    assert budgets == [(9,)]


def test_full_budget_below_what_was_trained_is_refused(store: Path, growing: StudySpec) -> None:
    _tune(growing, store)

    with pytest.raises(StudyMismatchError, match=r"trained to 3 already, .* others that end at 2\. Keep fidelity\.max"):
        respecify(store, "hill", ["fidelity.max=2"], check_study)
