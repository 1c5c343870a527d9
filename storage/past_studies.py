"""Warm start: the studies of a store for one that learns from them, each as it was when it was chosen."""

import logging
from shlex import quote

from pydantic import ValidationError

from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.schemas.warm_start import EarlierStudy, PastStudy
from pegbox.storage.history_replay import replay
from pegbox.storage.layout import StoreLayout
from pegbox.storage.reading import connect_snapshot

_PAST = """
SELECT spec, version, coalesce(n_completed, 0)
FROM studies
JOIN (SELECT study, max(version) AS version FROM events GROUP BY study) USING (study)
LEFT JOIN (SELECT study, count(*) AS n_completed FROM trials WHERE state = 'completed' GROUP BY study) USING (study)
ORDER BY changed_at DESC, study
"""

_logger = logging.getLogger(__name__)


def past_studies(store: StoreLayout) -> tuple[PastStudy, ...]:
    """All studies of the snapshot, the latest first.

    Raises:
        NotFoundError: There is no snapshot.
    """
    with connect_snapshot(store) as connection:
        rows = connection.execute(_PAST).fetchall()
    found = (_past(*row) for row in rows)
    return tuple(one for one in found if one is not None)


def past_history(store: StoreLayout, earlier: EarlierStudy, learner: str) -> History:
    """The history of an earlier study as it was when it was chosen.

    Args:
        store: The store.
        earlier: The study, and the version up to which it is learnt from.
        learner: Name of the study that learns from it, for the message.

    Raises:
        NotFoundError: The store does not hold it any more.
        StoreCorruptError: Its events are not whole.
    """
    with connect_snapshot(store) as connection:
        rows = connection.execute(
            # Cut at the version that was journalled: an earlier study that goes on would change what a resumed or
            # replayed study sees, and with it every proposal.
            "SELECT version, body FROM events WHERE study = ? AND version <= ? ORDER BY version",
            [earlier.study, earlier.version],
        ).fetchall()
    history = replay(earlier.study, rows)
    if history is None or history.version < earlier.version:
        raise NotFoundError(
            f"Study {learner!r} learns from study {earlier.study!r} as it was at version {earlier.version}, which the "
            "store does not hold any more. Restore its journals and run `pegbox store rebuild`, or go on without what "
            f"it taught: `pegbox resume {quote(learner)} --set search.warm_start=none`."
        )
    return history


def _past(spec: str, version: int, n_completed: int) -> PastStudy | None:
    """None where another version of pegbox wrote a specification that this one cannot read."""
    try:
        return PastStudy(spec=StudySpec.model_validate_json(spec), version=version, n_completed=n_completed)
    except ValidationError as error:
        _logger.info("A study of the store is not learnt from: %s", error)
        return None
