from pathlib import Path

from pegbox.execution.segment_plan import SegmentPlan
from pegbox.schemas.data import PreparedData
from pegbox.schemas.events import SegmentStarted, TrialEvaluated
from pegbox.schemas.history import History
from pegbox.schemas.training_place import TrialSeed
from pegbox.schemas.trial import Evaluation, TrialState

THREE_FOLDS = PreparedData(
    path=Path("data"), fingerprint="f", task="regression", n_folds=3, n_rows={"train": 2, "valid": 1}, numeric=("a",)
)


def test_new_trial_trains_from_zero_to_its_budget(history: History) -> None:
    (segment,) = SegmentPlan(history, None).of_trial(history.trials[0])

    assert (segment.from_budget, segment.to_budget, segment.attempt, segment.seed) == (0, 9, 1, 7)


def test_trial_has_a_segment_for_each_fold(history: History) -> None:
    segments = SegmentPlan(history, THREE_FOLDS).of_trial(history.trials[0])

    assert [segment.fold for segment in segments] == [0, 1, 2]


def test_trial_left_running_by_a_dead_driver_gets_a_new_attempt(history: History) -> None:
    segmenting = SegmentPlan(history, None)
    (segment,) = segmenting.of_trial(history.trials[0])
    running = history.after(SegmentStarted(study="hill", run="r", segment=segment))

    (again,) = segmenting.of_trial(running.trials[0])

    assert again.attempt == 2


def test_continued_trial_goes_on_from_its_evaluated_checkpoint(history: History) -> None:
    at_rung = history.after(
        TrialEvaluated(
            study="hill",
            trial=0,
            evaluation=Evaluation(budget=3, metrics={"value": 1.0}),
            state=TrialState.PAUSED,
            checkpoints={0: Path("three.pt")},
        )
    )

    (segment,) = SegmentPlan(at_rung, None).of_trial(at_rung.trials[0])

    assert (segment.from_budget, segment.checkpoint) == (3, Path("three.pt"))


def test_finalists_share_their_seeds(history: History) -> None:
    first = history.trials[0]
    both = History(spec=history.spec, trials=(first, first.model_copy(update={"number": 1})))

    segments = SegmentPlan(both, None).of_replicates(
        both, [TrialSeed(trial=trial, replicate=seed) for trial, seed in ((0, 0), (1, 0), (0, 1))]
    )

    seeds = {(segment.trial, segment.replicate): segment.seed for segment in segments}
    assert seeds[0, 0] == seeds[1, 0]
    assert len({first.seed, seeds[0, 0], seeds[0, 1]}) == 3


def test_segments_of_one_content_share_a_key(history: History) -> None:
    (segment,) = SegmentPlan(history, None).of_trial(history.trials[0])
    elsewhere = segment.model_copy(update={"study": "other", "trial": 5, "attempt": 2})

    assert elsewhere.content_key("data") == segment.content_key("data")
    assert segment.model_copy(update={"seed": 8}).content_key("data") != segment.content_key("data")
    assert segment.content_key("other data") != segment.content_key("data")
