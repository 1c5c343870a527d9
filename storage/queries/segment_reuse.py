"""Which segments a trial needed, which code its runs had, and where else the same was computed."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import Json

from pegbox.schemas.base import Schema
from pegbox.schemas.code import Code
from pegbox.schemas.trial import Segment
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.asking import ask


class BegunSegment(Schema):
    """A segment that was handed to a worker, or found, with what its run trained with."""

    study: str
    segment: Json[Segment]
    data_fingerprint: str | None
    code: Json[Code] | None
    begun_at: datetime
    is_trained: bool
    """False where it failed, or was lost."""
    is_found: bool
    """True where its result was found instead of computed."""

    @property
    def key(self) -> str:
        """Equal for segments that compute the same."""
        return self.segment.content_key(self.data_fingerprint or "")


def segments_of_trial(file: HistoryFile, study: str, trial: int) -> tuple[BegunSegment, ...]:
    """Those of one trial, its fresh seeds included, in the order in which they were begun."""
    return ask(
        file,
        BegunSegment,
        f"{_BEGUN} WHERE s.study = $study AND s.trial = $trial ORDER BY begun_at",
        study=study,
        trial=trial,
    )


def same_segments(file: HistoryFile, like: BegunSegment) -> Iterator[BegunSegment]:
    """Segments of any study that computed the same, oldest first."""
    found = ask(
        file,
        BegunSegment,
        f"{_BEGUN} WHERE s.body->>'$.segment.code' = $code AND (s.body->>'$.segment.seed')::BIGINT = $seed "
        "ORDER BY begun_at",
        code=like.segment.code,
        seed=like.segment.seed,
    )
    return (one for one in found if one.key == like.key)


_BEGUN = """
SELECT s.study, s.body->'$.segment' AS segment, r.body->>'$.data_fingerprint' AS data_fingerprint,
    r.body->'$.code' AS code, s.written_at AS begun_at,
    t.body IS NOT NULL AS is_trained, coalesce((t.body->>'$.cached')::BOOLEAN, false) AS is_found
FROM (SELECT * FROM events WHERE type = 'segment_started') AS s
LEFT JOIN (SELECT * FROM events WHERE type = 'run_started') AS r
    ON r.study = s.study AND r.body->>'$.run' = s.body->>'$.run'
LEFT JOIN (SELECT * FROM events WHERE type = 'segment_trained') AS t
    ON t.study = s.study AND t.trial = s.trial AND t.version > s.version
    AND coalesce(t.body->>'$.attempt', '1') = coalesce(s.body->>'$.segment.attempt', '1')
    AND coalesce(t.body->>'$.fold', '0') = coalesce(s.body->>'$.segment.fold', '0')
    AND t.body->>'$.replicate' IS NOT DISTINCT FROM s.body->>'$.segment.replicate'
    AND t.body->>'$.from_budget' = coalesce(s.body->>'$.segment.from_budget', '0')
"""
