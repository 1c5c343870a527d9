from typing import Any

import pytest

from pegbox.analysis.paired_comparison import Paired, TrialLosses, compare_losses
from pegbox.flows.retune_decision import Inputs, RetuneDecision, in_signed_words, in_words
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
    first = RetuneDecision(spec, Inputs(fingerprint, None), ())
    return RetuneDecision(spec, Inputs(fingerprint, None), (first.step(step, "because", INCUMBENT, None),))


@pytest.mark.parametrize("step", ["unchanged", "held", "kept", "promoted"])
def test_same_question_on_same_data_is_settled(scheduled: StudySpec, step: str) -> None:
    assert _after(scheduled, step, "aaaa").is_settled


def test_lapsed_incumbent_settles_nothing(scheduled: StudySpec) -> None:
    assert not _after(scheduled, "lapsed", "aaaa").is_settled


def test_new_data_or_a_larger_budget_is_not_settled(scheduled: StudySpec) -> None:
    steps = (RetuneDecision(scheduled, Inputs("aaaa", None), ()).step("held", "because", INCUMBENT, None),)
    longer = scheduled.model_copy(update={"budget": scheduled.budget.model_copy(update={"trials": 99})})

    assert not RetuneDecision(scheduled, Inputs("bbbb", None), steps).is_settled
    assert not RetuneDecision(longer, Inputs("aaaa", None), steps).is_settled


def test_more_workers_ask_nothing_new(scheduled: StudySpec) -> None:
    steps = (RetuneDecision(scheduled, Inputs("aaaa", None), ()).step("held", "because", INCUMBENT, None),)
    faster = scheduled.model_copy(update={"run": scheduled.run.model_copy(update={"workers": 8})})

    assert RetuneDecision(faster, Inputs("aaaa", None), steps).is_settled


def test_later_version_of_pegbox_asks_nothing_new(scheduled: StudySpec) -> None:
    class LaterSpec(StudySpec):
        shine: int = 3

    later = LaterSpec.model_validate(scheduled.model_dump(mode="json"))
    steps = (RetuneDecision(scheduled, Inputs("aaaa", None), ()).step("held", "because", INCUMBENT, None),)
    shining = later.model_copy(update={"shine": 4})

    assert RetuneDecision(later, Inputs("aaaa", None), steps).is_settled
    assert not RetuneDecision(shining, Inputs("aaaa", None), steps).is_settled


def test_nothing_is_claimed_of_what_was_asked_where_its_fingerprint_knew_versions(scheduled: StudySpec) -> None:
    step = RetuneDecision(scheduled, Inputs("aaaa", None), ()).step("held", "because", INCUMBENT, None)
    steps = (step.model_copy(update={"asked": "0123456789abcdef"}),)

    assert RetuneDecision(scheduled, Inputs("aaaa", None), steps).is_settled
    assert RetuneDecision(scheduled, Inputs("bbbb", None), steps).is_data_alone


@pytest.mark.parametrize(
    "changes",
    [
        {"space": {"x": {"min": 0, "max": 1, "int": True}}},
        {"space": {"x": {"min": 0.0, "max": 1.0, "log": False}, "y": 1}},
        {"space": {"x": {"min": 0.0, "max": 1.0}}, "train": {"kind": "function", "function": "math:cos", "epochs": 9}},
        {"objective": {"metric": "value", "goal": "maximize"}},
        {"seed": 1},
    ],
)
def test_what_changes_an_answer_is_asked_anew(scheduled: StudySpec, changes: dict[str, Any]) -> None:
    steps = (RetuneDecision(scheduled, Inputs("aaaa", None), ()).step("held", "because", INCUMBENT, None),)

    other = StudySpec.model_validate(scheduled.model_dump(mode="json") | changes)

    assert not RetuneDecision(other, Inputs("aaaa", None), steps).is_settled


def test_rescoring_trains_the_incumbent_alone_to_the_full_budget(scheduled: StudySpec) -> None:
    retuning = RetuneDecision(scheduled, Inputs("22222222222", None), ())

    rescoring = retuning.rescoring(INCUMBENT)

    assert rescoring.name == "hill@22222222/incumbent"
    assert rescoring.search.enqueue == ({"x": 0.5},)
    assert (rescoring.budget.trials, rescoring.fidelity.schedule, rescoring.full_budget) == (1, "full", 9)
    assert (rescoring.finalists.top, rescoring.finalists.seeds) == (1, scheduled.finalists.seeds)
    assert rescoring.seed == scheduled.seed
    assert StudySpec.model_validate(rescoring.model_dump(mode="json")) == rescoring


def test_tuning_tries_the_incumbent_and_its_rivals_first(scheduled: StudySpec) -> None:
    steps: tuple[ScheduleStep, ...] = (
        RetuneDecision(scheduled, Inputs("a", None), ()).step("promoted", "because", INCUMBENT, None),
    )
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

    tuning = RetuneDecision(scheduled, Inputs("22222222222", None), steps).tuning(earlier)

    assert tuning.name == "hill@22222222"
    assert tuning.search.enqueue == ({"x": 0.5}, {"x": 0.25})
    assert tuning.fidelity == scheduled.fidelity
    assert tuning.schedule is None


def compare_paired(first: dict[int, float], second: dict[int, float]) -> Paired:
    return compare_losses(TrialLosses(first), TrialLosses(second))


def test_comparison_is_said_with_its_interval_and_seeds() -> None:
    worse = compare_paired({0: 1.0, 1: 2.0, 2: 3.0}, {0: 1.5, 1: 2.5, 2: 3.51})
    unclear = in_signed_words(compare_paired({0: 1.5, 1: 2.75}, {0: 1.0, 1: 2.0}), "val_loss")
    by_rows = worse.model_copy(update={"n_rows": 80, "same_rows": True})

    assert in_words(worse, "val_loss").startswith(
        "by 0.5033 (0.489 to 0.5177) in val_loss over 3 common seeds (the noise"
    )
    assert (
        in_words(by_rows, "val_loss")
        == "by 0.5033 (0.489 to 0.5177) in val_loss over 3 common seeds and 80 common rows"
    )
    alone = in_words(compare_paired({0: 1.5}, {0: 1.0}), "loss")
    assert alone.startswith("by 0.5 in loss over 1 common seed (noise is not known here")
    assert unclear.startswith("by -0.625 (-2.213 to +0.9633) in val_loss as a loss, where less is better, over 2")
    assert in_words(compare_paired({}, {}), "val_loss") == "without a common seed to compare"


def _retuning(spec: StudySpec, inputs: Inputs, *before: Inputs, always: bool = False) -> RetuneDecision:
    """A run after one for each of these states of data and code."""
    assert spec.schedule is not None
    spec = spec.model_copy(update={"schedule": spec.schedule.model_copy(update={"always": always})})
    steps: tuple[ScheduleStep, ...] = ()
    for earlier in before:
        steps = (*steps, RetuneDecision(spec, earlier, steps).step("kept", "because", INCUMBENT, None))
    return RetuneDecision(spec, inputs, steps)


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        (Inputs("a", None), Inputs("b", None), "On the new data"),
        (Inputs("a", "c"), Inputs("b", "c"), "On the new data"),
        (Inputs("a", "c"), Inputs("a", "d"), "With the new code"),
        (Inputs("a", "c"), Inputs("b", "d"), "On the new data and with the new code"),
        (Inputs(None, "c"), Inputs("b", "c"), "On data that was not watched before"),
        (Inputs("c", None), Inputs("b", "c"), "On data that was not watched before"),
        (Inputs(None, "c"), Inputs(None, "d"), "On data that pegbox cannot see and with the new code"),
    ],
)
def test_data_and_code_are_told_apart(scheduled: StudySpec, before: Inputs, now: Inputs, says: str) -> None:
    retuning = _retuning(scheduled, now, before)

    assert not retuning.is_settled
    assert retuning.occasion == says


def test_a_study_of_own_code_is_the_same_only_where_both_are(scheduled: StudySpec) -> None:
    assert "The data and the code are the same" in _retuning(scheduled, Inputs("a", "c"), Inputs("a", "c")).unchanged
    assert "The data is the same," in _retuning(scheduled, Inputs("a", None), Inputs("a", None)).unchanged
    assert _retuning(scheduled, Inputs("a", "c"), Inputs("a", "c")).is_settled


def test_always_tunes_a_study_of_its_own_at_each_run(scheduled: StudySpec) -> None:
    same = Inputs("a" * 32, "c")

    runs = [_retuning(scheduled, same, *[same] * n, always=True) for n in range(3)]

    assert not any(run.is_settled for run in runs)
    assert len({run.tuned_name for run in runs}) == 3
    assert _retuning(scheduled, same, same, always=True).tuned_name == runs[1].tuned_name


def test_data_that_cannot_be_seen_is_never_the_same(scheduled: StudySpec) -> None:
    unseen = Inputs(None, "c")

    assert not _retuning(scheduled, unseen, unseen).is_settled
