"""What is left is what will be trained, at the pace of what was."""

import pytest

from pegbox.report.progress import Activity, SeedRound, Tally
from pegbox.report.time_left import planned_replicates, seconds_left
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import TrialState


def spec_of(**changes: object) -> StudySpec:
    return StudySpec.model_validate(
        {
            "name": "s",
            "train": {"kind": "function", "function": "a:b", "epochs": 9},
            "space": {"x": [1, 2]},
            "objective": {"metric": "loss"},
            "budget": {"trials": 10},
            "run": {"workers": 2},
            "finalists": {"top": 3, "seeds": 5},
            **changes,
        }
    )


def tally_of(completed: int = 5, paused: int = 0, running: int = 0, **more: object) -> Tally:
    counts = {TrialState.COMPLETED: completed, TrialState.PAUSED: paused, TrialState.RUNNING: running}
    known = {
        "counts": {state: count for state, count in counts.items() if count},
        "tried": completed + paused,
        "epochs": 9 * completed + 3 * paused,
        "mean_seconds": 9.0,
        "search_seconds": 9.0 * completed + 3.0 * paused,
        "elapsed_seconds": (9.0 * completed + 3.0 * paused) / 2,
        "n_trainings": 50,
    }
    return Tally.model_validate({**known, **more})


def busy(to_budget: int = 9, step: int = 0, replicate: int | None = None, seconds: float = 0.0) -> Activity:
    curve = {step: 0.5} if step else {}
    return Activity(
        trial=7, replicate=replicate, to_budget=to_budget, seconds=seconds, configuration={"x": 1}, curve=curve
    )


def rounds(*settled: int) -> tuple[SeedRound, ...]:
    return tuple(SeedRound(replicate=seed, n_settled=count) for seed, count in enumerate(settled))


def test_trials_that_have_not_begun_and_the_finalists_are_left() -> None:
    # Five trainings took 22.5 s of the clock with two workers; five trials and fifteen fresh seeds are left.
    assert seconds_left(spec_of(), tally_of(5)) == pytest.approx((5 + 15) * 9 / 2)


def test_of_a_trial_in_training_only_the_rest_is_left() -> None:
    left = seconds_left(spec_of(), tally_of(9, running=1), (busy(step=6),))

    assert left == pytest.approx((3 + 15 * 9) / 2)


def test_trials_that_a_schedule_left_at_a_rung_are_not_left_to_be_tried() -> None:
    tally = tally_of(4, paused=6)

    each = (4 * 9 + 6 * 3) / 10
    assert seconds_left(spec_of(), tally) == pytest.approx(15 * 9 / 2)
    assert seconds_left(spec_of(budget={"trials": 20}), tally) == pytest.approx((10 * each + 15 * 9) / 2)


@pytest.mark.parametrize(
    ("budget", "search"),
    [
        ({"epochs": 63}, 18 / 2),
        ({"time": 30}, 7.5),
        ({"trials": 100, "time": 30}, 7.5),
        ({"cost": 10}, 45 / 2),
    ],
)
def test_the_limit_that_is_met_first_ends_the_search(budget: dict[str, float], search: float) -> None:
    assert seconds_left(spec_of(budget=budget), tally_of(5, cost=5)) == pytest.approx(search + 15 * 9 / 2)


def test_where_only_results_end_the_search_nobody_knows() -> None:
    assert seconds_left(spec_of(budget={"stagnation": 9}), tally_of(5)) is None


@pytest.mark.parametrize("missing", [{"tried": 0}, {"elapsed_seconds": 0.0}, {"search_seconds": 0.0}])
def test_before_anything_was_trained_there_is_no_pace(missing: dict[str, float]) -> None:
    assert seconds_left(spec_of(), tally_of(2, **missing)) is None


def test_in_the_finalists_round_seeds_are_left_and_nothing_of_the_search() -> None:
    tally = tally_of(10, seed_rounds=rounds(3, 3), finalist_seconds=54, elapsed_seconds=72, search_end="All.")

    assert seconds_left(spec_of(), tally) == pytest.approx(9 * 9 / 2)


def test_a_seed_in_training_counts_with_what_it_still_takes() -> None:
    tally = tally_of(10, seed_rounds=rounds(3, 3, 3, 3), search_end="All.", elapsed_seconds=48)
    running = (busy(replicate=4, seconds=6.0),)

    # Of three seeds of 9 s two wait, and one has 3 s to go; 96 s of training took 48 s.
    assert seconds_left(spec_of(), tally, running) == pytest.approx((2 * 9 + 3) / 2)


@pytest.mark.parametrize(
    ("settled", "running", "planned"),
    [
        ((), (), 15),
        ((3, 3, 2), (), 15),
        ((3, 3, 3, 1), (), 15),
        ((3, 3, 3, 2), (busy(replicate=4),), 3 + 3 + 3 + 2 + 2),
        ((2, 2, 2, 1), (), 10),
        ((2, 2, 2, 1), (busy(replicate=4),), 2 + 2 + 2 + 1 + 1),
        ((3, 3, 3, 3, 3, 3), (), 18),
    ],
)
def test_a_later_seed_is_planned_for_those_that_got_the_one_before(
    settled: tuple[int, ...], running: tuple[Activity, ...], planned: int
) -> None:
    assert planned_replicates(spec_of(), tally_of(10, seed_rounds=rounds(*settled)), running) == planned


def test_folds_of_one_fresh_seed_are_one_seed() -> None:
    folds = (busy(replicate=0), busy(replicate=0))

    assert planned_replicates(spec_of(finalists={"top": 1, "seeds": 1}), tally_of(10), folds) == 1
