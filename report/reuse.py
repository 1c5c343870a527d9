"""Why the training of a trial was or was not used again, and whether it would be now; data only."""

from datetime import datetime
from pathlib import Path

from pegbox.report.study_reader import StudyReader
from pegbox.schemas.base import Schema
from pegbox.schemas.code import Code, CodePart
from pegbox.schemas.errors import NotFoundError
from pegbox.storage.layout import StoreLayout
from pegbox.storage.queries.segment_reuse import BegunSegment, same_segments, segments_of_trial
from pegbox.training.kinds.registry import code_of

_OWN = frozenset({"module"})
"""Kinds of parts that are a study's own program, found from the directory in which it runs."""


class SegmentReuse(Schema):
    """One stretch of training."""

    what: str
    """Such as `epochs 0 to 9, fold 0`."""
    key: str
    """Equal for stretches that compute the same; the name of the result in the store's cache."""
    story: str
    """One sentence on where its result came from."""
    begun_at: datetime


class Reuse(Schema):
    """A trial's stretches of training, and what their results rest on."""

    study: str
    trial: int
    segments: tuple[SegmentReuse, ...]
    now: str
    """One sentence: would the same command find its results again."""
    parts: tuple[CodePart, ...]
    """Of the code that it was last trained with."""
    changed: tuple[str, ...]
    """What is otherwise now."""


def explain_reuse(root: Path, study: str | None, trial: int) -> Reuse:
    """Look at one trial, at every other that computed the same, and at the code as it is in this directory now.

    Raises:
        NotFoundError: There is no such study or trial, or it was never trained.
        StudyError: Something that the study depends on is not there.
    """
    store = StoreLayout(root.absolute())
    with StudyReader(root, study) as reader:
        begun = segments_of_trial(reader.file, reader.study, trial)
        if not begun:
            raise NotFoundError(
                f"Study {reader.study!r} has no trial {trial} that was trained. `pegbox report` lists its trials."
            )
        told = tuple(_told(reader, one) for one in begun)
        before, now = begun[-1].code, code_of(reader.spec)
        # Asked from elsewhere, as of a study that was merged: that nothing is found here is no change of it.
        is_here = before is not None and (bool(now.only(_OWN).parts) or not before.only(_OWN).parts)
        changed = before.differences(now) if before and is_here else ()
        return Reuse(
            study=reader.study,
            trial=trial,
            segments=told,
            now=_now(store, begun[-1], changed) if is_here else _unknown(before),
            parts=before.parts if before else (),
            changed=changed,
        )


def _told(reader: StudyReader, one: BegunSegment) -> SegmentReuse:
    segment = one.segment
    seed = "" if segment.replicate is None else f"fresh seed {segment.replicate}, "
    what = f"{seed}{segment.fidelity} {segment.from_budget} to {segment.to_budget}, fold {segment.fold}"
    return SegmentReuse(what=what, key=one.key, story=_story(reader, one), begun_at=one.begun_at)


def _story(reader: StudyReader, one: BegunSegment) -> str:
    if not one.is_trained:
        return "Handed to a worker, and never trained to its end."
    if not one.is_found:
        return "Trained: nothing that computes the same was kept."
    first = next((other for other in same_segments(reader.file, one) if not other.is_found and other.is_trained), None)
    if first is None:
        return "Used again; who trained it is not in the history any more."
    return f"Used again: trial {first.segment.trial} of study {first.study!r} computed the same."


def _unknown(before: Code | None) -> str:
    if before is None:
        return "What its code was made of was not recorded: the run is of version 0.2 or earlier."
    return "Its code is not in this directory: ask from where the study runs whether its results would be used again."


def _now(store: StoreLayout, last: BegunSegment, changed: tuple[str, ...]) -> str:
    if changed:
        return "The same configuration would be trained again now, because the code is another."
    if not any(store.cache.glob(f"*{last.key}*")):
        return "The code is the same; the result is not kept any more, so another study would train it again."
    return "The code is the same, and the result is kept: another study would use it again."
