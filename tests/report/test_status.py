"""How a study stands follows from its tally, its last run and what its workers do."""

import pytest

from pegbox.report.answer import answer_of
from pegbox.report.progress import Incumbent, Tally, budget_use
from pegbox.report.status import Activity, RunState, status_of
from pegbox.schemas.plan import BudgetSpec
from pegbox.schemas.selection import Finalist, Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState

RUNNING = RunState(run="r", status="running")
BEST = Incumbent(trial=2, value=0.5, budget=9, configuration={"x": 1})


def spec_of(**changes: object) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "s",
            "train": {"kind": "function", "function": "a:b", "epochs": 9},
            "space": {"x": [1, 2]},
            "objective": {"metric": "loss", "target": 0.4},
            "budget": {"trials": 10},
            "run": {"workers": 2},
            "finalists": {"top": 3, "seeds": 2},
            **changes,
        }
    )


def tally_of(completed: int = 0, running: int = 0, **more: object) -> Tally:
    counts = {TrialState.COMPLETED: completed, TrialState.RUNNING: running}
    return Tally.model_validate({"counts": {state: count for state, count in counts.items() if count}, **more})


@pytest.mark.parametrize(
    ("run", "tally", "phase"),
    [
        (None, tally_of(), "waiting"),
        (RUNNING, tally_of(), "waiting"),
        (RUNNING, tally_of(3, 2), "searching"),
        (RUNNING, tally_of(10, 1), "searching"),
        (RUNNING, tally_of(10), "finalists"),
        (RunState(status="completed"), tally_of(10), "done"),
        (RunState(status="interrupted"), tally_of(3), "interrupted"),
        (RunState(status="failed"), tally_of(3), "failed"),
        (RunState(status="lost"), tally_of(3), "lost"),
    ],
)
def test_the_phase_follows_from_run_and_budget(run, tally, phase):
    assert status_of(spec_of(), tally, run).phase == phase


def test_the_limit_nearest_to_its_end_comes_first():
    limits = BudgetSpec(trials=10, epochs=100, time=60, cost=5, stagnation=4, failures=3)
    tally = tally_of(5, epochs=45, elapsed_seconds=54, cost=1, stagnation=2)

    uses = budget_use(limits, tally)

    assert [use.limit for use in uses] == ["time", "trials", "stagnation", "epochs", "cost"]
    assert uses[0].share == 0.9


def test_a_budget_that_was_overrun_is_full_not_more():
    assert budget_use(BudgetSpec(trials=2), tally_of(5))[0].share == 1.0


def test_time_left_goes_on_as_it_went_and_counts_the_finalists():
    tally = tally_of(5, 2, elapsed_seconds=50, mean_seconds=4)

    # Half of the trials took 50 s; six fresh seeds of 4 s each are shared by two workers.
    assert status_of(spec_of(), tally, RUNNING).seconds_left == pytest.approx(50 + 12)


def test_in_the_finalists_round_only_seeds_are_left():
    tally = tally_of(10, elapsed_seconds=50, mean_seconds=4, replicates=4)

    status = status_of(spec_of(), tally, RUNNING)

    assert status.seconds_left == pytest.approx(4)
    assert (status.replicates_done, status.replicates_planned) == (4, 6)


@pytest.mark.parametrize("tally", [tally_of(0, 2), tally_of(0, 2, elapsed_seconds=3)])
def test_before_the_first_trial_ends_nobody_knows_the_time_left(tally):
    assert status_of(spec_of(), tally, RUNNING).seconds_left is None


def test_a_running_trial_is_compared_with_the_best_at_the_same_step():
    activities = (
        Activity(trial=7, to_budget=9, configuration={"x": 1}, curve={2: 0.75, 1: 1.0}),
        Activity(trial=8, to_budget=9, configuration={"x": 2}),
    )

    status = status_of(spec_of(), tally_of(3, 2, best=BEST), RUNNING, activities, {1: 0.9, 2: 0.5})

    first, second = status.running
    assert (first.step, first.value, first.versus_best, first.curve) == (2, 0.75, 0.25, (1.0, 0.75))
    assert (second.step, second.value, second.versus_best) == (None, None, None)


def test_a_fresh_seed_is_not_compared_with_the_search():
    activity = Activity(trial=7, replicate=0, to_budget=9, configuration={"x": 1}, curve={1: 1.0})

    assert status_of(spec_of(), tally_of(10), RUNNING, (activity,), {1: 0.9}).running[0].versus_best is None


def test_how_busy_the_workers_were_is_told_while_they_search():
    tally = tally_of(5, 2, elapsed_seconds=50, trained_seconds=80)

    assert status_of(spec_of(), tally, RUNNING).busy_share == pytest.approx(0.8)
    assert status_of(spec_of(), tally, RunState(status="completed")).busy_share is None


def selection_of(ties: tuple[int, ...] = ()) -> Selection:
    finalist = Finalist(trial=4, configuration={"x": 2}, search_value=0.4, values=(0.6,), mean=0.6, probability_best=1)
    return Selection(
        study="s",
        metric="loss",
        goal="minimize",
        winner=4,
        configuration={"x": 2},
        finalists=(finalist,),
        ties=ties,
        reason="It is best.",
    )


def test_the_answer_is_the_incumbent_until_there_is_a_winner():
    status = status_of(spec_of(), tally_of(3, best=BEST), RUNNING)

    before, after = (answer_of(spec_of(), status, selection) for selection in (None, selection_of()))

    assert (before.trial, before.configuration) == (2, {"x": 1})
    assert (after.trial, after.configuration) == (4, {"x": 2})


def test_an_answer_of_nothing_has_no_configuration():
    answer = answer_of(spec_of(), status_of(spec_of(), tally_of(), None), None)

    assert (answer.trial, answer.configuration, answer.is_target_reached) == (None, None, None)


@pytest.mark.parametrize(
    ("objective", "reached"),
    [
        ({"metric": "loss", "target": 0.5}, True),
        ({"metric": "loss", "target": 0.4}, False),
        ({"metric": "loss", "goal": "maximize", "target": 0.4}, True),
        ({"metric": "loss", "goal": "maximize", "target": 0.6}, False),
        ({"metric": "loss"}, None),
    ],
)
def test_a_target_is_reached_in_the_direction_of_the_goal(objective, reached):
    spec = spec_of(objective=objective)

    assert answer_of(spec, status_of(spec, tally_of(3, best=BEST), RUNNING), None).is_target_reached is reached


def test_a_tie_asks_for_more_seeds():
    answer = answer_of(spec_of(), status_of(spec_of(), tally_of(9), RunState(status="completed")), selection_of((5, 6)))

    assert "trial 5, 6" in answer.next_steps[0].why
    assert answer.next_steps[0].command == "finalists: {top: 3, seeds: 4}"


@pytest.mark.parametrize(
    ("view", "command"),
    [
        ("study_s", "pegbox sql 'FROM study_s ORDER BY value LIMIT 10'"),
        ("study_a-b", "pegbox sql 'FROM \"study_a-b\" ORDER BY value LIMIT 10'"),
        ("study_it's", "pegbox sql 'FROM \"study_it'\"'\"'s\" ORDER BY value LIMIT 10'"),
    ],
)
def test_the_query_can_be_pasted_into_a_shell(view, command):
    answer = answer_of(spec_of(), status_of(spec_of(), tally_of(9), RunState(status="completed")), None, view)

    assert answer.next_steps[-1].command == command
