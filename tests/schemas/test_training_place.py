"""One key for the place of a training, and trials that are parted by their state."""

import pickle

import pytest

from pegbox.schemas.events import EVENT, MetricsReported, TrialFailed
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.training_place import TrainingPlace, TrialSeed
from pegbox.schemas.trial import Trial, TrialState
from pegbox.schemas.trials_by_state import ActiveTrials, CompetingTrials, CompletedTrials, FailedTrials

PLACE = TrainingPlace(trial=3, replicate=1, attempt=2, fold=4)
FAILURE = Failure(kind=FailureKind.LOST, message="the worker died.")
FAILED = TrialFailed(**dict(PLACE), study="s", failure=FAILURE, final=False)


def trial_in(state: TrialState) -> Trial:
    return Trial(number=7, configuration={}, seed=0, state=state)


def test_heirs_share_the_keys_of_their_place() -> None:
    reported = MetricsReported(**dict(PLACE), study="s", seed=0, step=1, metrics={})

    assert {FAILED.place, reported.place, PLACE.place} == {PLACE}
    assert {FAILED.trial_seed, PLACE.trial_seed} == {TrialSeed(trial=3, replicate=1)}


def test_attempts_of_one_fold_share_a_key_and_folds_do_not() -> None:
    later, other = PLACE.model_copy(update={"attempt": 9}), PLACE.model_copy(update={"fold": 0})

    assert later.without_attempt == PLACE.without_attempt != other.without_attempt


def test_the_place_is_flat_in_a_line_of_the_journal() -> None:
    written = FAILED.model_dump(mode="json")

    assert written | {"trial": 3, "replicate": 1, "attempt": 2, "fold": 4, "study": "s"} == written
    assert EVENT.validate_python(written) == FAILED


def test_a_line_of_before_there_were_folds_is_of_the_first() -> None:
    written = FAILED.model_dump(mode="json", exclude={"fold", "replicate"})

    read = EVENT.validate_python(written)

    assert isinstance(read, TrialFailed)
    assert read.place == TrainingPlace(trial=3, attempt=2, fold=0)


HOLDS = [
    (CompletedTrials, {TrialState.COMPLETED}),
    (CompetingTrials, {TrialState.COMPLETED}),
    (ActiveTrials, {TrialState.PROPOSED, TrialState.RUNNING, TrialState.PAUSED}),
    (FailedTrials, {TrialState.FAILED}),
]


@pytest.mark.parametrize(("kind", "states"), HOLDS)
@pytest.mark.parametrize("state", TrialState)
def test_trials_of_another_state_are_refused(
    kind: type[CompletedTrials | ActiveTrials | FailedTrials], states: set[TrialState], state: TrialState
) -> None:
    if state in states:
        assert pickle.loads(pickle.dumps(kind([trial_in(state)]))) == (trial_in(state),)
        return
    with pytest.raises(ValueError, match=rf"{kind.__name__} expected trials .* trial 7, which is '{state.value}'"):
        kind([trial_in(state)])
