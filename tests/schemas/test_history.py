"""The history is a fold: live, resumed and replayed agree, and nothing is lost on the way."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pegbox.schemas.decision import Continue, Start, Stop
from pegbox.schemas.events import (
    DecisionMade,
    Event,
    MetricsReported,
    RunStarted,
    SearchEnded,
    SegmentStarted,
    SegmentTrained,
    SelectionMade,
    StudyOpened,
    TrialEvaluated,
    TrialFailed,
    TrialRetried,
    WarmStartChosen,
)
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.history import History
from pegbox.schemas.plan import SearchSpec
from pegbox.schemas.selection import Finalist, Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import FunctionTrain
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.schemas.warm_start import EarlierStudy

TRAIN = FunctionTrain(kind="function", function="a:b", epochs=9)
SPEC = StudySpec(
    name="s", train=TRAIN, space={"x": {"min": 0, "max": 1}}, objective={"metric": "loss"}, budget={"trials": 9}
)
OPENED = StudyOpened(study="s", spec=SPEC)


def started(number: int, to_budget: int = 9, decision: int | None = None) -> DecisionMade:
    choice = Start(configuration={"x": number / 100}, to_budget=to_budget)
    count = number if decision is None else decision
    return DecisionMade(
        study="s", number=count, saw=0, elapsed_seconds=count, decision=choice, trial=number, seed=number
    )


def continued(number: int, to_budget: int, decision: int) -> DecisionMade:
    choice = Continue(trial=number, to_budget=to_budget)
    return DecisionMade(
        study="s", number=decision, saw=0, elapsed_seconds=decision, decision=choice, trial=number, seed=0
    )


def running(number: int, attempt: int = 1, replicate: int | None = None) -> SegmentStarted:
    segment = Segment(
        study="s", trial=number, attempt=attempt, configuration={"x": 0.5}, seed=0, to_budget=9, train=TRAIN, code="c",
        replicate=replicate,
    )  # fmt: skip
    return SegmentStarted(study="s", run="r", segment=segment)


def trained(number: int, fold: int = 0, replicate: int | None = None) -> SegmentTrained:
    result = TrainedSegment(budget=9, checkpoint=Path(f"t{number}-f{fold}"), seconds=1)
    return SegmentTrained(
        study="s", trial=number, attempt=1, from_budget=0, to_budget=9, fold=fold, seed=0, trained=result,
        replicate=replicate,
    )  # fmt: skip


def evaluated(number: int, loss: float, state: TrialState = TrialState.COMPLETED, **more: int) -> TrialEvaluated:
    evaluation = Evaluation(**{"budget": 9, "metrics": {"loss": loss}, **more})
    kept = {0: Path(f"t{number}")}
    return TrialEvaluated(study="s", trial=number, evaluation=evaluation, state=state, checkpoints=kept)


def failed(number: int, *, final: bool = True, replicate: int | None = None) -> TrialFailed:
    failure = Failure(kind=FailureKind.ERROR, message="it broke.")
    return TrialFailed(study="s", trial=number, attempt=1, failure=failure, final=final, replicate=replicate)


def replay(*events: Event) -> History:
    history = History.replay([OPENED, *events])
    assert history is not None
    return history


def test_a_study_that_was_never_opened_has_no_history():
    assert History.replay([]) is None


def test_a_trial_lives_from_proposal_to_completion():
    states = [
        replay(started(0)),
        replay(started(0), running(0)),
        replay(started(0), running(0), trained(0)),
        replay(started(0), running(0), trained(0), evaluated(0, 0.5)),
    ]

    assert [history.trials[0].state for history in states] == ["proposed", "running", "running", "completed"]
    assert states[-1].trials[0].value("loss") == 0.5
    assert states[-1].trials[0].checkpoints == {0: Path("t0")}


def test_a_paused_trial_goes_on_and_keeps_its_values_by_budget():
    history = replay(
        started(0, to_budget=3),
        evaluated(0, 0.9, TrialState.PAUSED, budget=3),
        continued(0, 9, decision=1),
        running(0),
        evaluated(0, 0.4, budget=9),
    )

    trial = history.trials[0]
    assert (trial.value("loss", 3), trial.value("loss", 9), trial.value("loss")) == (0.9, 0.4, 0.4)
    assert (trial.budget, trial.to_budget, trial.state) == (9, 9, TrialState.COMPLETED)


def test_one_fold_alone_is_not_the_value_of_a_trial():
    history = replay(started(0), running(0), evaluated(0, 0.1, fold=0), evaluated(0, 0.3, fold=1), evaluated(0, 0.2))

    assert [one.metrics["loss"] for one in history.trials[0].evaluations] == [0.2]


def test_the_clock_can_be_moved_without_an_event():
    history = replay(started(0))

    assert history.at(99).elapsed_seconds == 99
    assert history.at(99).version == history.version


def test_a_stopped_trial_is_finished_but_not_completed():
    stop = DecisionMade(study="s", number=1, saw=0, elapsed_seconds=1, decision=Stop(trial=0), trial=0, seed=0)

    history = replay(started(0), evaluated(0, 0.9, TrialState.PAUSED, budget=3), stop)

    assert history.trials[0].state is TrialState.STOPPED
    assert (history.completed, history.active) == ((), ())


def test_only_a_final_failure_ends_a_trial():
    again = replay(started(0), running(0), failed(0, final=False), running(0, attempt=2))
    ended = replay(started(0), running(0), failed(0))

    assert (again.trials[0].state, again.trials[0].attempt) == (TrialState.RUNNING, 2)
    assert ended.trials[0].failure.message == "it broke."
    assert [trial.number for trial in ended.failed] == [0]


def test_the_finalists_round_changes_nothing_of_the_search():
    before = replay(started(0), running(0), trained(0), evaluated(0, 0.5))

    after = before.after(
        running(0, replicate=0),
        trained(0, fold=5, replicate=0),
        evaluated(0, 0.7, replicate=0),
        failed(0, replicate=1),
    )

    changed = after.trials[0].model_copy(update={"replicates": (), "failed_replicates": ()})
    assert changed == before.trials[0]
    assert [one.metrics["loss"] for one in after.trials[0].replicates] == [0.7]
    assert after.trials[0].failed_replicates == (1,)


def test_fresh_seed_that_failed_can_be_retried():
    history = replay(started(0), evaluated(0, 0.5), failed(0, replicate=1), failed(0, replicate=2))

    again = history.after(TrialRetried(study="s", trial=0, attempt=1, replicate=1))

    assert again.trials[0].failed_replicates == (2,)
    assert again.trials[0].state is TrialState.COMPLETED


def test_reopening_with_a_larger_budget_keeps_the_trials():
    larger = SPEC.model_copy(update={"budget": SPEC.budget.model_copy(update={"trials": 40})})

    history = replay(started(0), StudyOpened(study="s", spec=larger))

    assert history.spec.budget.trials == 40
    assert len(history.trials) == 1


def test_why_the_search_ended_is_kept_until_it_goes_on():
    over = SearchEnded(study="s", reason="The one trial of the budget was tried.", elapsed_seconds=7)
    history = History.replay([OPENED, started(0), over])

    assert (history.search_end, history.elapsed_seconds) == (over.reason, 7)
    assert history.after(started(1)).search_end is None
    assert history.after(TrialRetried(study="s", trial=0, attempt=2)).search_end is None
    assert history.after(OPENED).search_end is None


def test_the_answer_is_kept():
    finalist = Finalist(trial=0, configuration={}, search_value=1, values=(1,), mean=1, probability_best=1)
    selection = Selection(
        study="s", metric="loss", goal="minimize", winner=0, configuration={}, finalists=(finalist,), reason="."
    )

    history = replay(started(0), SelectionMade(study="s", run="r", selection=selection))

    assert history.selection.best is finalist


def test_events_that_touch_no_trial_only_count():
    report = MetricsReported(study="s", trial=0, attempt=1, fold=0, seed=0, step=1, metrics={"loss": 1.0})

    history = replay(started(0), report, RunStarted(study="s", run="r", host="h", pid=1))

    assert history.version == 4
    assert history.trials == replay(started(0)).trials


def test_an_event_of_an_unknown_trial_is_refused():
    with pytest.raises(ValueError, match="names trial 3, but the history holds 1"):
        replay(started(0), running(3))


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """The interleaved lives of a few trials, as a driver may write them."""
    events: list[Event] = []
    n_trials = 0
    for decision in range(draw(st.integers(0, 12))):
        if n_trials == 0 or draw(st.booleans()):
            events.append(started(n_trials, decision=decision))
            n_trials += 1
        number = draw(st.integers(0, n_trials - 1))
        events.append(
            draw(
                st.sampled_from(
                    [
                        running(number),
                        trained(number),
                        evaluated(number, 0.5, TrialState.PAUSED, budget=3),
                        evaluated(number, 0.25),
                        evaluated(number, 0.3, replicate=0),
                        failed(number),
                        failed(number, final=False),
                        continued(number, 9, decision),
                    ]
                )
            )
        )
    return events


@settings(max_examples=60)
@given(lives(), st.data())
def test_resuming_anywhere_gives_the_same_history(events, data):
    whole = replay(*events)
    cut = data.draw(st.integers(0, len(events)))

    resumed = replay(*events[:cut]).after(*events[cut:])

    assert resumed == whole
    assert whole.version == 1 + len(events)


@settings(max_examples=60)
@given(lives())
def test_one_event_at_a_time_gives_the_same_history(events):
    history = replay()
    for event in events:
        history = history.after(event)

    assert history == replay(*events)


@settings(max_examples=60)
@given(lives())
def test_every_trial_is_in_exactly_one_view(events):
    history = replay(*events)
    stopped = [trial for trial in history.trials if trial.state is TrialState.STOPPED]

    views = [*history.completed, *history.active, *history.failed, *stopped]

    assert sorted(trial.number for trial in views) == [trial.number for trial in history.trials]


@settings(max_examples=30)
@given(lives())
def test_a_history_survives_json(events):
    history = replay(*events)

    assert History.model_validate_json(history.model_dump_json()) == history


def test_views_of_an_old_version_stay_as_they_were():
    before = replay(started(0), running(0))
    completed = before.completed

    after = before.after(evaluated(0, 0.5))

    assert before.completed is completed == ()
    assert len(after.completed) == 1


def test_another_wish_to_learn_lets_the_studies_be_chosen_again():
    chosen = (EarlierStudy(study="before", version=41),)
    history = History.replay([OPENED, WarmStartChosen(study="s", studies=chosen)])
    other = SPEC.model_copy(update={"search": SearchSpec(warm_start="auto")})

    assert history.earlier == chosen
    assert history.after(OPENED).earlier == chosen
    assert history.after(StudyOpened(study="s", spec=other)).earlier is None
