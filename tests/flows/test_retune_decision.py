from typing import Any

import pytest

from pegbox.analysis.paired_comparison import compare_paired
from pegbox.flows.retune_decision import RetuneDecision, in_words
from pegbox.schemas.events import Incumbent, ScheduleStep
from pegbox.schemas.selection import Finalist, Selection
from pegbox.schemas.study import StudySpec

INCUMBENT = Incumbent(study="hill@11111111", trial=2, configuration={"x": 0.5})


@pytest.fixture
def scheduled(spec: StudySpec) -> StudySpec:
    raw = spec.model_dump(mode="json")
    return StudySpec.model_validate(
        raw | {"schedule": {"interval": "1d"}, "fidelity": {"schedule": "asha", "min": 3, "max": 9}}
    )


def _after(spec: StudySpec, step: Any, fingerprint: str) -> RetuneDecision:
    first = RetuneDecision(spec, fingerprint, ())
    return RetuneDecision(spec, fingerprint, (first.step(step, "because", INCUMBENT, None),))


@pytest.mark.parametrize("step", ["unchanged", "held", "kept", "promoted"])
def test_same_question_on_same_data_is_settled(scheduled: StudySpec, step: str) -> None:
    assert _after(scheduled, step, "aaaa").is_settled


def test_lapsed_incumbent_settles_nothing(scheduled: StudySpec) -> None:
    assert not _after(scheduled, "lapsed", "aaaa").is_settled


def test_new_data_or_a_larger_budget_is_not_settled(scheduled: StudySpec) -> None:
    steps = (RetuneDecision(scheduled, "aaaa", ()).step("held", "because", INCUMBENT, None),)
    longer = scheduled.model_copy(update={"budget": scheduled.budget.model_copy(update={"trials": 99})})

    assert not RetuneDecision(scheduled, "bbbb", steps).is_settled
    assert not RetuneDecision(longer, "aaaa", steps).is_settled


def test_more_workers_ask_nothing_new(scheduled: StudySpec) -> None:
    steps = (RetuneDecision(scheduled, "aaaa", ()).step("held", "because", INCUMBENT, None),)
    faster = scheduled.model_copy(update={"run": scheduled.run.model_copy(update={"workers": 8})})

    assert RetuneDecision(faster, "aaaa", steps).is_settled


def test_rescoring_trains_the_incumbent_alone_to_the_full_budget(scheduled: StudySpec) -> None:
    retuning = RetuneDecision(scheduled, "22222222222", ())

    rescoring = retuning.rescoring(INCUMBENT)

    assert rescoring.name == "hill@22222222/incumbent"
    assert rescoring.search.enqueue == ({"x": 0.5},)
    assert (rescoring.budget.trials, rescoring.fidelity.schedule, rescoring.full_budget) == (1, "full", 9)
    assert (rescoring.finalists.top, rescoring.finalists.seeds) == (1, scheduled.finalists.seeds)
    assert rescoring.seed == scheduled.seed
    assert StudySpec.model_validate(rescoring.model_dump(mode="json")) == rescoring


def test_tuning_tries_the_incumbent_and_its_rivals_first(scheduled: StudySpec) -> None:
    steps: tuple[ScheduleStep, ...] = (RetuneDecision(scheduled, "a", ()).step("promoted", "because", INCUMBENT, None),)
    finalists = tuple(
        Finalist(trial=n, configuration={"x": x}, search_value=1.0, values=(1.0,), mean=1.0, probability_best=0.3)
        for n, x in enumerate([0.5, 0.25, 7.0])
    )
    earlier = Selection(
        study="hill@11111111",
        metric="value",
        goal="minimize",
        winner=0,
        configuration={"x": 0.5},
        finalists=finalists,
        reason="It is the best.",
    )

    tuning = RetuneDecision(scheduled, "22222222222", steps).tuning(earlier)

    assert tuning.name == "hill@22222222"
    assert tuning.search.enqueue == ({"x": 0.5}, {"x": 0.25})
    assert tuning.fidelity == scheduled.fidelity
    assert tuning.schedule is None


def test_comparison_is_said_with_its_interval_and_seeds() -> None:
    paired = compare_paired({0: 1.0, 1: 2.0}, {0: 1.5, 1: 2.5})

    assert in_words(paired, "val_loss") == "by 0.5 (0.5 to 0.5) in val_loss as a loss over 2 common seeds"
    assert in_words(compare_paired({}, {}), "val_loss") == "without a common seed to compare"
