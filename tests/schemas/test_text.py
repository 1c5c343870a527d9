"""Text that nobody can store: escaped where it is told, refused where it names something."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pegbox.schemas.errors import TrialError
from pegbox.schemas.events import EVENT, RunEnded, SegmentTrained
from pegbox.schemas.failure import MAX_MESSAGE, MAX_TRACEBACK, Failure, FailureKind
from pegbox.schemas.study import StudySpec
from pegbox.schemas.text import is_storable, storable
from pegbox.schemas.trial import TrainedSegment
from pegbox.storage.journal_lines import JournalLine, decode_line, encode_line

BROKEN = ("caf\udce9.jpg", "\ud800", "a\0b", "\0", "\udfff" * 3, os.fsdecode(b"m\xfcll"))

any_text = st.text(st.characters(codec=None, categories=None), max_size=50)


@given(any_text)
def test_storable_text_can_be_encoded_and_changes_no_more(text):
    escaped = storable(text)

    assert "\0" not in escaped
    assert escaped.encode().decode() == escaped == storable(escaped)
    assert (escaped == text) == is_storable(text)


@given(any_text, any_text)
def test_any_failure_comes_back_from_its_journal(message, trace):
    failure = Failure(kind=FailureKind.ERROR, message=message, traceback=trace)

    assert Failure.model_validate_json(failure.model_dump_json()) == failure


@pytest.mark.parametrize("message", [*BROKEN, "x" * 10_000_000, "\udce9" * 1_000_000])
def test_a_failure_is_bounded_and_escaped(message):
    failure = Failure(kind=FailureKind.ERROR, message=message, traceback=message)

    assert is_storable(failure.message)
    assert len(failure.message) <= 6 * MAX_MESSAGE  # each letter may be escaped
    assert len(failure.traceback) <= 6 * MAX_TRACEBACK
    assert str(TrialError(failure)).encode()


@given(any_text | st.sampled_from(BROKEN))
def test_any_event_can_be_written_and_read(text):
    event = RunEnded(study=text, run=text, status="failed", message=text)

    line = decode_line(encode_line(event, seq=1, at=1.0).rstrip(b"\n"))

    assert isinstance(line, JournalLine)
    assert EVENT.validate_json(line.body).study == storable(text)


@given(any_text | st.sampled_from(BROKEN))
def test_a_path_and_a_metric_of_an_event_can_be_written(text):
    trained = TrainedSegment(budget=1, seconds=1.0, checkpoint=Path(f"c/{text}"), worker=text, device=text)
    event = SegmentTrained(study="s", trial=0, attempt=1, from_budget=0, to_budget=1, fold=0, seed=0, trained=trained)

    line = decode_line(encode_line(event, seq=1, at=1.0).rstrip(b"\n"))

    assert EVENT.validate_json(line.body).trained.worker == storable(text)


SECTIONS = {
    "name": "s",
    "train": {"kind": "function", "function": "hill:run"},
    "space": {"x": {"min": 0.0, "max": 1.0}},
    "objective": {"metric": "value"},
    "budget": {"trials": 3},
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize(
    ("where", "section"),
    [
        ("name", lambda text: {"name": text}),
        ("tags.team", lambda text: {"tags": {"team": text}}),
        ("tags", lambda text: {"tags": {text: "vision"}}),
        ("space.kind.1", lambda text: {"space": {"kind": ["a", text]}}),
        ("space", lambda text: {"space": {text: [1, 2]}}),
        ("objective.metric", lambda text: {"objective": {"metric": text}}),
    ],
)
def test_a_study_with_text_that_cannot_be_stored_is_refused(broken, where, section):
    with pytest.raises(ValidationError) as raised:
        StudySpec.model_validate(SECTIONS | section(broken))

    (error,) = raised.value.errors()
    assert "text that can be stored" in error["msg"]
    assert ".".join(map(str, error["ctx"]["error"].at)) == where
