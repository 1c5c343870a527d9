"""The page of a study with several objectives or constraints, and of studies beside each other and by the clock."""

from pathlib import Path

import pytest
from simulated_study import Simulation, write_simulation

from pegbox.page.analysis_blocks import analyse
from pegbox.page.analysis_document import TRAINING_TIME
from pegbox.page.build import build_page
from pegbox.page.document import StudyPage
from pegbox.page.studies_block import MOST_COMPARED
from pegbox.schemas.events import Incumbent, RunStarted, ScheduleStep
from pegbox.storage.schedule_log import ScheduleLog
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

GOALS = [{"metric": "val_loss"}, {"metric": "latency_ms"}]
LIMIT = 1.4


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two objectives with a limit on the second, and three studies of one objective, of which two are scheduled."""
    root = tmp_path_factory.mktemp("goals")
    limited = {"objectives": GOALS, "constraints": [{"metric": "latency_ms", "max": LIMIT}]}
    write_simulation(root, Simulation("two", n_trials=60, objective=None, **limited))
    write_simulation(root, Simulation("single", n_trials=30, constraints=limited["constraints"]))
    write_simulation(root, Simulation("energy@aaaaaaaa", n_trials=15, seed=1))
    write_simulation(root, Simulation("energy@bbbbbbbb", n_trials=15, seed=2))
    return root


@pytest.fixture(scope="module")
def two(store: Path) -> StudyPage:
    return build_page(store, "two", 0.0, analyse)


def test_effects_are_on_each_objective_and_on_the_time(two: StudyPage) -> None:
    assert [group.metric for group in two.analysis.effects] == ["val_loss", "latency_ms", TRAINING_TIME]
    assert {row.parameter for row in two.analysis.effects[1].rows} == {axis.name for axis in two.parameters}


def test_the_time_effect_says_where_training_takes_longest(two: StudyPage) -> None:
    (units,) = (row for row in two.analysis.effects[2].rows if row.parameter == "units")

    assert units.trend.startswith("On average from ")


def test_trials_outside_the_limits_are_told_apart(two: StudyPage) -> None:
    latency = dict(zip(two.trials.number, two.trials.metrics["latency_ms"], strict=True))
    states = dict(zip(two.trials.number, two.trials.state, strict=True))
    outside = {number for number, state in states.items() if state == "infeasible"}

    assert outside
    assert all((latency[number] or 0) > LIMIT for number in outside)
    assert all((latency[number] or 0) <= LIMIT for number, state in states.items() if state == "completed")
    assert two.head.counts["infeasible"] == len(outside)
    assert two.head.limits == ("latency_ms at most 1.4",)


def test_best_so_far_keeps_the_limits(store: Path) -> None:
    page = build_page(store, "single", 0.0, analyse)
    states = dict(zip(page.trials.number, page.trials.state, strict=True))

    assert {states[number] for number in page.best.number} == {"completed"}
    row = next(one for one in page.studies if one.study == "single")
    assert page.answer is not None
    assert (row.best, row.best_trial, row.is_selected) == (page.answer.value, page.answer.trial, True)


def test_the_answer_has_a_value_of_every_objective(two: StudyPage) -> None:
    assert two.answer is not None
    assert list(two.answer.further) == ["latency_ms"]


def test_the_front_stands_with_its_intervals_and_its_knee(two: StudyPage) -> None:
    front = two.analysis.sureness.front

    assert [one.trial for one in front if one.is_knee] == [two.answer.trial if two.answer else None]
    assert all(len(one.estimates) == len(GOALS) for one in front)
    assert all(
        low is not None and low <= value for one in front for low, value in zip(one.low, one.estimates, strict=True)
    )


def test_the_hypervolume_grows_to_its_last_value(two: StudyPage) -> None:
    shares = two.volume.value

    assert list(shares) == sorted(shares)
    assert 0 < shares[-1] <= 1


def test_studies_of_one_objective_are_compared_with_their_like(store: Path) -> None:
    page = build_page(store, "single", 0.0, analyse)
    drawn = {one.study for one in page.studies if one.best_values}

    assert drawn == {"single", "energy@aaaaaaaa", "energy@bbbbbbbb"}
    assert len(drawn) <= MOST_COMPARED + 1


def test_a_study_with_several_objectives_names_them_all(two: StudyPage) -> None:
    (row,) = (one for one in two.studies if one.study == "two")

    assert (row.goal, row.metric, row.best) == ("minimize", "val_loss and minimize latency_ms", None)


def test_scheduled_studies_show_each_others_answers(store: Path) -> None:
    page = build_page(store, "energy@aaaaaaaa", 0.0, analyse)

    assert {one.study for one in page.lineage.verdicts} == {"energy@aaaaaaaa", "energy@bbbbbbbb"}


def test_what_the_schedule_concluded_is_told(tmp_path: Path) -> None:
    write_simulation(tmp_path, Simulation("energy@aaaaaaaa", n_trials=6))
    incumbent = Incumbent(study="energy@aaaaaaaa", trial=3, configuration={"lr": 0.01})
    with ScheduleLog(open_store(tmp_path), "energy") as log:
        log.record(
            ScheduleStep(
                study="energy", step="promoted", reason="First answer.", data_fingerprint="d", asked="a",
                incumbent=incumbent,
            )
        )  # fmt: skip

    (row,) = build_page(tmp_path, "energy@aaaaaaaa", 0.0, analyse).lineage.steps

    assert (row.step, row.reason, row.study) == ("promoted", "First answer.", "energy@aaaaaaaa")


def test_a_run_tells_what_was_asked_differently(tmp_path: Path) -> None:
    for trials, run in ((5, "first"), (9, "second")):
        spec = Simulation("grown", n_trials=trials).spec
        with open_study(open_store(tmp_path), spec, RunStarted(study="grown", run=run, host="h", pid=1)):
            pass

    latest, first = build_page(tmp_path, "grown", 0.0, analyse).lineage.runs

    assert latest.changes == ("budget.trials 5 → 9",)
    assert first.changes == ()
