"""Which earlier studies a study learns from."""

from typing import Any

import pytest

from pegbox.schemas.errors import StudyError
from pegbox.schemas.study import StudySpec
from pegbox.schemas.warm_start import EarlierStudy, PastStudy
from pegbox.search.warm_start_sources import check_warm_start, choose_warm_start, is_warm_started
from pegbox.testing.studies import study

SPACE = {name: {"min": 0.0, "max": 1.0} for name in ("x", "y", "z")}


def learner(warm_start: Any = "auto", name: str = "new", **changes: Any) -> StudySpec:
    return study(SPACE, **{"name": name, "search": {"method": "bayes", "warm_start": warm_start}} | changes)


def past(name: str, n_completed: int = 20, space: dict[str, Any] | None = None, **changes: Any) -> PastStudy:
    return PastStudy(spec=study(space or SPACE, name=name, **changes), version=7, n_completed=n_completed)


def names(chosen: tuple[EarlierStudy, ...]) -> list[str]:
    return [one.study for one in chosen]


def test_auto_takes_studies_that_fit_the_latest_first() -> None:
    others = [
        past("latest"),
        past("new"),
        past("young", n_completed=4),
        past("other metric", objective={"metric": "accuracy"}),
        past("other goal", objective={"metric": "loss", "goal": "maximize"}),
        past("other kind", train={"kind": "command", "command": ["train", "{x}"], "epochs": 9}),
        past("elsewhere", space={"x": SPACE["x"], "u": SPACE["x"], "v": SPACE["x"]}),
        past("two goals", objectives=({"metric": "loss"}, {"metric": "size"})),
        past("overlapping", space={"x": SPACE["x"], "y": SPACE["x"], "v": SPACE["x"]}),
    ]
    assert names(choose_warm_start(learner(), others)) == ["latest", "overlapping"]


def test_a_chosen_study_is_pinned_to_its_version() -> None:
    assert choose_warm_start(learner(), [past("one")]) == (EarlierStudy(study="one", version=7),)


def test_auto_takes_no_more_than_a_few() -> None:
    assert len(choose_warm_start(learner(), [past(f"study {number}") for number in range(40)])) == 16


def test_own_takes_what_the_schedule_tuned_before() -> None:
    others = [past("digits@aaaa"), past("digits"), past("mnist@aaaa"), past("digits@bbbb")]
    chosen = choose_warm_start(learner("own", name="digits@cccc"), others)
    assert names(chosen) == ["digits@aaaa", "digits@bbbb"]


def test_named_studies_come_in_their_order_and_once() -> None:
    chosen = choose_warm_start(learner(("b", "a", "b")), [past("a"), past("b"), past("c")])
    assert names(chosen) == ["b", "a"]


def test_a_named_study_that_is_not_there_is_an_error() -> None:
    with pytest.raises(StudyError, match=r"no study 'digist' to learn from. Did you mean 'digits'\?"):
        choose_warm_start(learner(("digist",)), [past("digits")])


def test_a_named_study_that_teaches_nothing_is_an_error() -> None:
    other = past("other", objective={"metric": "loss", "goal": "maximize"})
    with pytest.raises(StudyError, match="it was to maximize loss, this one is to minimize loss"):
        choose_warm_start(learner(("other",)), [other])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (learner("auto"), True),
        (learner("none"), False),
        (learner("own"), False),
        (learner("own", name="new@aaaa"), True),
        (learner("own", name="new@aaaa", search={"method": "random"}), False),
    ],
)
def test_a_study_learns_where_it_is_asked_to_and_can(spec: StudySpec, expected: bool) -> None:
    assert is_warm_started(spec) is expected


def test_a_method_that_cannot_learn_says_so() -> None:
    spec = learner(search={"method": "random", "warm_start": "auto"})
    assert "random learns nothing from earlier studies" in check_warm_start(spec)[0].message


def test_several_objectives_are_taught_nothing() -> None:
    spec = learner(objectives=({"metric": "loss"}, {"metric": "size"}))
    assert "this study has 2" in check_warm_start(spec)[0].message


def test_a_study_cannot_learn_from_itself() -> None:
    assert "'new' is this study itself" in check_warm_start(learner(("old", "new")))[0].message
    assert check_warm_start(learner("auto", name="auto")) == ()
