"""Prefect task: the finalists, and the fresh seeds that they are trained on next."""

from collections import Counter

from prefect import task
from prefect.cache_policies import NO_CACHE

from pegbox.analysis.elimination import next_replicates
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.history import History
from pegbox.schemas.training_place import TrialSeed
from pegbox.schemas.trials_by_state import FailedTrials


@task(name="select-finalists", cache_policy=NO_CACHE, persist_result=False)
def select_finalists(history: History) -> tuple[TrialSeed, ...]:
    """The fresh seeds to train the best completed trials on now; empty where their round is over.

    Raises:
        NoTrialSucceededError: No trial is completed.
    """
    # Of the space as it is now: one that was narrowed must not be won by what it no longer holds.
    history = history.within_space()
    if not history.completed:
        raise NoTrialSucceededError(_why_none(history))
    return next_replicates(history)


def _why_none(history: History) -> str:
    name = history.spec.name
    if not history.failed:
        return f"Study {name!r} ended before a trial was completed. Give it a larger budget and run it again."
    return f"No trial of study {name!r} succeeded: {_most_frequent_failure(history.failed)}"


def _most_frequent_failure(failed: FailedTrials) -> str:
    causes = Counter(trial.failure.kind for trial in failed if trial.failure)
    kind, count = causes.most_common(1)[0]
    example = next(trial for trial in failed if trial.failure and trial.failure.kind is kind)
    message = example.failure.message if example.failure else ""
    return (
        f"{len(failed)} failed, {count} of them with {kind.value!r}, such as trial {example.number}: {message} "
        "Mend the cause, then give the study a new name or a larger budget."
    )
