"""Ask and tell: durable, resumable, and strict about what was asked."""

import math

import pytest

import pegbox
from pegbox.schemas.errors import SearchError, StoreBusyError, StudyError


def study(tmp_path, **sections):
    told = {
        "name": "s",
        "space": {"x": pegbox.Float(0.0, 1.0), "n": pegbox.Int(1, 3), "kind": pegbox.Choice(["a", "b"])},
        "objective": {"metric": "loss"},
        "search": {"method": "random"},
        "budget": {"trials": 6},
    }
    return pegbox.Study(told, store=tmp_path / "store", **sections)


def loss_of(asked):
    return {"loss": (asked.configuration["x"] - 0.3) ** 2}


def test_a_loop_of_ones_own_is_asked_and_told_to_the_end(tmp_path):
    with study(tmp_path) as mine:
        told = []
        while (asked := mine.ask()) is not None:
            mine.tell(asked, loss_of(asked))
            told.append(asked)
            assert len(mine.trials("rows")) == len(told)

    assert [one.number for one in told] == list(range(6))
    best = min(told, key=lambda one: loss_of(one)["loss"])
    assert mine.best["number"] == best.number
    assert mine.best_configuration == best.configuration
    assert [row["loss"] for row in mine.sql("SELECT value AS loss FROM trials ORDER BY number", "rows")] == [
        pytest.approx(loss_of(one)["loss"]) for one in told
    ]


def test_what_was_asked_and_never_told_is_asked_again_by_the_next_process(tmp_path):
    first = study(tmp_path)
    before = first.ask()
    second = first.ask()
    first.tell(second.number, {"loss": 1.0})
    first.close()

    with study(tmp_path) as again:
        assert again.ask() == before
        assert again.ask().number == 2


def test_proposals_do_not_depend_on_a_break(tmp_path):
    with study(tmp_path / "a") as whole:
        in_one = [whole.ask().configuration for _ in range(3)]
    broken = []
    for _ in range(3):
        with study(tmp_path / "b") as part:
            asked = part.ask()
            part.tell(asked, {"loss": 1.0})
            broken.append(asked.configuration)

    assert broken == in_one


def test_a_schedule_asks_for_more_of_the_same_trial(tmp_path):
    with study(tmp_path, train={"epochs": 9}, fidelity={"schedule": "asha", "min": 3, "factor": 3}) as mine:
        stretches = []
        while (asked := mine.ask()) is not None:
            mine.tell(asked, {"loss": asked.configuration["x"]})
            stretches.append((asked.number, asked.from_budget, asked.budget))

    assert (0, 0, 3) in stretches
    assert any(begin == 3 and end == 9 for _, begin, end in stretches)


def test_a_schedule_that_waits_says_for_what(tmp_path):
    sections = {"train": {"epochs": 9}, "fidelity": {"schedule": "halving", "min": 3}, "budget": {"trials": 2}}
    with study(tmp_path, **sections) as mine:
        assert [mine.ask().number, mine.ask().number] == [0, 1]
        with pytest.raises(SearchError, match="tell the trials 0, 1 first"):
            mine.ask()


REFUSED = [
    ({}, "expected the metric 'loss' as a finite number, and it was never given"),
    ({"los": 1.0}, "Did you mean 'los'"),
    ({"loss": "low"}, "tell takes a number for 'loss', got 'low'"),
    ({"loss": True}, "tell takes a number for 'loss', got True"),
    ({"loss": None}, "tell takes a number for 'loss', got None"),
]


def test_metrics_that_cannot_be_told_are_refused_and_the_trial_waits_on(tmp_path):
    with study(tmp_path) as mine:
        asked = mine.ask()
        for metrics, says in REFUSED:
            with pytest.raises(StudyError, match=says):
                mine.tell(asked, metrics)
        mine.tell(asked, {"loss": 1.0})


def test_what_failed_or_is_not_finite_is_a_failure(tmp_path):
    with study(tmp_path) as mine:
        mine.tell(mine.ask(), {"loss": math.nan})
        mine.tell(mine.ask(), {"loss": -math.inf})
        mine.fail(mine.ask(), "the machine caught fire")

    rows = mine.sql("SELECT state, failure_kind AS kind FROM trials ORDER BY number", "rows")
    assert rows == [{"state": "failed", "kind": kind} for kind in ("diverged", "diverged", "error")]


def test_telling_twice_or_without_asking_is_refused(tmp_path):
    with study(tmp_path) as mine:
        asked = mine.ask()
        mine.tell(asked, {"loss": 1.0})
        with pytest.raises(StudyError, match=r"trial 0 was told already.*Waiting to be told: none"):
            mine.tell(asked, {"loss": 2.0})
        with pytest.raises(StudyError, match="trial 7 was never asked for"):
            mine.tell(7, {"loss": 2.0})
        with pytest.raises(StudyError, match="'zero' was never asked for"):
            mine.tell("zero", {"loss": 2.0})


def test_a_study_that_is_asked_is_held(tmp_path):
    with study(tmp_path) as mine:
        mine.ask()
        with pytest.raises(StoreBusyError):
            study(tmp_path).ask()


def test_a_copy_in_a_population_names_whose_weights_it_begins_with(tmp_path):
    options = {"population": 4, "interval": 2, "mutable": ["x"]}
    sections = {
        "train": {"kind": "function", "function": "math:sin", "epochs": 4},
        "search": {"method": "pbt", "options": options},
        "budget": {"epochs": 16},
    }
    asked = []
    with study(tmp_path, **sections) as mine:
        while (one := mine.ask()) is not None:
            mine.tell(one, loss_of(one))
            asked.append(one)

    copies = [one for one in asked if one.parent is not None]
    assert copies
    assert all(one.from_budget == 2 and one.parent < one.number for one in copies)
