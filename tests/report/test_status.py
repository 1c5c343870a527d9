"""How a study stands follows from its tally, its last run and what its workers do."""

import pytest

from pegbox.analysis.advice import Advice
from pegbox.report.answer import answer_of
from pegbox.report.incumbent import Incumbent, front_of
from pegbox.report.next_steps import next_steps
from pegbox.report.progress import Activity, SeedRound, Tally, budget_use
from pegbox.report.status import RunState, status_of
from pegbox.schemas.plan import BudgetSpec
from pegbox.schemas.selection import Finalist, Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState

RUNNING = RunState(run="r", status="running")
BEST = Incumbent(trial=2, value=0.5, values={"loss": 0.5}, budget=9, configuration={"x": 1})


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
    known = {"tried": completed, "epochs": 9 * completed, "n_trainings": completed, **more}
    return Tally.model_validate({"counts": {state: count for state, count in counts.items() if count}, **known})


@pytest.mark.parametrize(
    ("run", "tally", "phase"),
    [
        (None, tally_of(), "waiting"),
        (RUNNING, tally_of(), "waiting"),
        (RUNNING, tally_of(3, 2), "searching"),
        (RUNNING, tally_of(10, 1), "searching"),
        (RUNNING, tally_of(10), "searching"),
        (RUNNING, tally_of(3, search_end="Trial 2 reached the target."), "finalists"),
        (RunState(status="completed"), tally_of(10), "done"),
        (RunState(status="interrupted"), tally_of(3), "interrupted"),
        (RunState(status="failed"), tally_of(3), "failed"),
        (RunState(status="lost"), tally_of(3), "lost"),
    ],
)
def test_the_phase_follows_from_the_run_and_the_end_of_the_search(run, tally, phase):
    assert status_of(spec_of(), tally, run).phase == phase


def test_the_limit_nearest_to_its_end_comes_first():
    limits = BudgetSpec(trials=10, epochs=100, time=60, cost=5, stagnation=4, failures=3)
    tally = tally_of(5, epochs=45, elapsed_seconds=54, cost=1, stagnation=2)

    uses = budget_use(limits, tally)

    assert [use.limit for use in uses] == ["time", "trials", "stagnation", "epochs", "cost"]
    assert uses[0].share == 0.9


def test_a_budget_that_was_overrun_is_full_not_more():
    assert budget_use(BudgetSpec(trials=2), tally_of(5))[0].share == 1.0


def test_trials_at_a_rung_are_tried_whatever_becomes_of_them():
    tally = Tally(counts={TrialState.COMPLETED: 4, TrialState.PAUSED: 5, TrialState.RUNNING: 1}, tried=9)

    assert budget_use(BudgetSpec(trials=10), tally)[0].share == 0.9


def test_a_study_that_is_done_has_all_the_seeds_that_it_took():
    rounds = [SeedRound(replicate=0, n_settled=3), SeedRound(replicate=1, n_settled=2)]
    tally = tally_of(10, seed_rounds=rounds, search_end="All were tried.")

    status = status_of(spec_of(), tally, RunState(status="completed"))

    assert (status.replicates_done, status.replicates_planned, status.seconds_left) == (5, 5, None)


def test_a_running_trial_is_compared_with_the_best_at_the_same_step():
    activities = (
        Activity(trial=7, to_budget=9, configuration={"x": 1}, curve={2: 0.75, 1: 1.0}),
        Activity(trial=8, to_budget=9, configuration={"x": 2}),
    )

    status = status_of(spec_of(), tally_of(3, 2, incumbent=BEST), RUNNING, activities, {1: 0.9, 2: 0.5})

    first, second = status.running
    assert (first.step, first.value, first.versus_best, first.curve) == (2, 0.75, 0.25, (1.0, 0.75))
    assert (second.step, second.value, second.versus_best) == (None, None, None)


def test_a_fresh_seed_is_not_compared_with_the_search():
    activity = Activity(trial=7, replicate=0, to_budget=9, configuration={"x": 1}, curve={1: 1.0})

    assert status_of(spec_of(), tally_of(10), RUNNING, (activity,), {1: 0.9}).running[0].versus_best is None


def test_how_busy_the_workers_were_is_told_while_they_search():
    tally = tally_of(5, 2, elapsed_seconds=50, search_seconds=80)

    assert status_of(spec_of(), tally, RUNNING).busy_share == pytest.approx(0.8)
    assert status_of(spec_of(), tally, RunState(status="completed")).busy_share is None


def selection_of(ties: tuple[int, ...] = (), values: tuple[float, ...] = (0.6, 0.7)) -> Selection:
    finalist = Finalist(
        trial=4, configuration={"x": 2}, search_value=0.4, values=values, mean=values[0], probability_best=1
    )
    return Selection(
        study="s",
        metric="loss",
        goal="minimize",
        winner=4,
        configuration={"x": 2},
        finalists=(finalist, finalist.model_copy(update={"trial": 5, "probability_best": 0})),
        ties=ties,
        reason="It is best.",
    )


def test_the_answer_is_the_incumbent_until_there_is_a_winner():
    status = status_of(spec_of(), tally_of(3, incumbent=BEST), RUNNING)

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

    assert answer_of(spec, status_of(spec, tally_of(3, incumbent=BEST), RUNNING), None).is_target_reached is reached


def next_of(tally: Tally, status: str, found: tuple[Advice, ...] = (), studies: tuple[str, ...] = ()) -> list[str]:
    run = RunState.model_validate({"status": status})
    return [step.command for step in next_steps(status_of(spec_of(), tally, run), found, studies)]


WIDEN = Advice(kind="edge", what="Widen x.", evidence="", command="pegbox resume s --set space.x.max=9")
LONGER = Advice(
    kind="budget", what="Train longer.", evidence="", command="pegbox resume s --as s-next --set train.epochs=9"
)
STOP = Advice(kind="stagnation", what="Stop.", evidence="", command="pegbox stop s")


def test_a_study_that_runs_can_be_stopped_but_not_be_resumed():
    assert next_of(tally_of(9), "running", (WIDEN, STOP)) == ["", "pegbox stop s"]
    assert next_of(tally_of(9), "completed", (WIDEN, STOP)) == [WIDEN.command, "pegbox best s"]


def test_a_study_that_is_begun_gets_a_name_that_is_free():
    assert next_of(tally_of(9), "running", (LONGER,)) == [LONGER.command]
    (command,) = next_of(tally_of(9), "completed", (LONGER,), ("s", "s-next", "s-next-2"))
    assert command == "pegbox resume s --as s-next-3 --set train.epochs=9"


def test_failures_that_are_explained_are_not_told_twice():
    cause = Advice(kind="failures", what="Keep away.", evidence="", command="pegbox resume s --set space.forbid=[]")
    assert next_of(tally_of(9, failures={"error": 9}), "failed", (cause,)) == [cause.command]


@pytest.mark.parametrize(
    ("more", "status", "commands"),
    [
        ({}, "lost", ["pegbox resume s"]),
        ({"failures": {"error": 9}}, "failed", ["pegbox retry s"]),
        ({"search_end": "All were tried."}, "failed", []),
        ({"search_end": "All were tried.", "incumbent": BEST}, "interrupted", ["pegbox resume s"]),
        ({"incumbent": BEST}, "completed", []),
    ],
)
def test_a_run_that_did_not_end_is_gone_on_with_where_that_helps(more, status, commands):
    assert next_of(tally_of(9, **more), status) == commands


def test_what_auto_chose_and_why_the_search_ended_is_in_the_answer():
    tally = tally_of(2, incumbent=BEST, search_end="All 2 configurations have been tried.")

    answer = answer_of(spec_of(), status_of(spec_of(), tally, RunState(status="completed")), None)

    assert (answer.method, answer.search_end) == ("grid", "All 2 configurations have been tried.")
    assert "All 2 configurations of the space fit" in (answer.method_reason or "")


def test_a_method_that_the_study_names_needs_no_reason():
    spec = spec_of(search={"method": "random"})

    status = status_of(spec, tally_of(2), RUNNING)

    assert (status.method, status.method_reason) == ("random", None)


def test_targets_of_several_objectives_are_reached_by_one_trial_or_not_at_all():
    goals = [{"metric": "loss", "target": 0.5}, {"metric": "speed", "goal": "maximize", "target": 3}]
    spec = spec_of(objective=None, objectives=goals)
    apart = front_of([(1, (0.4, 2.0)), (2, (0.6, 4.0))], spec.goals)
    together = front_of([(1, (0.4, 2.0)), (3, (0.5, 3.0))], spec.goals)

    reached = [
        answer_of(spec, status_of(spec, tally_of(2, incumbent=BEST, front=front), RUNNING), None).is_target_reached
        for front in (apart, together)
    ]

    assert reached == [False, True]


@pytest.mark.parametrize(
    ("view", "command"),
    [
        ("study_s", 'pegbox sql "FROM study_s ORDER BY value LIMIT 10"'),
        ("study_a-b", "pegbox sql 'FROM \"study_a-b\" ORDER BY value LIMIT 10'"),
        ("study_it's", "pegbox sql 'FROM \"study_it'\"'\"'s\" ORDER BY value LIMIT 10'"),
    ],
)
def test_the_query_can_be_pasted_into_a_shell(view, command):
    answer = answer_of(spec_of(), status_of(spec_of(), tally_of(9), RunState(status="completed")), None, view)

    assert answer.query == command
