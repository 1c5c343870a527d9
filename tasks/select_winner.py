"""Prefect task: compare the finalists on their common seeds."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from pegbox.analysis.selection import select_winner as choose_winner
from pegbox.execution.kept_losses import finalists_row_noise
from pegbox.schemas.history import History
from pegbox.schemas.selection import Selection


@task(name="select-winner", cache_policy=NO_CACHE, persist_result=False)
def select_winner(history: History) -> Selection:
    """The winner with its interval; test metrics are not known yet.

    Raises:
        NoTrialSucceededError: Every replicate of every finalist failed.
    """
    competing = history.within_space()
    return choose_winner(competing, finalists_row_noise(competing))
