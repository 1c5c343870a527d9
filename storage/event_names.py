"""Gives an event the names that its studies have in another store."""

from collections.abc import Callable, Iterator

from pegbox.schemas.events import (
    Event,
    ModelPromoted,
    ScheduleStep,
    SegmentStarted,
    StudyOpened,
    StudyRenamed,
    WarmStartChosen,
)


def names_in(event: Event) -> Iterator[str]:
    """The studies that an event names."""
    yield event.study
    match event:
        case StudyRenamed():
            yield event.name
        case ModelPromoted() if event.source:
            yield event.source
        case ScheduleStep(incumbent=incumbent) if incumbent:
            yield incumbent.study
        case WarmStartChosen():
            yield from (one.study for one in event.studies)
        case _:
            pass


def renamed(event: Event, name_of: Callable[[str], str]) -> Event:
    """The event with every study that it names under another name; what its file says stays as it was said."""
    changes: dict[str, object] = {"study": name_of(event.study)}
    match event:
        case StudyOpened():
            changes["spec"] = event.spec.model_copy(update={"name": name_of(event.spec.name)})
        case StudyRenamed():
            changes["name"] = name_of(event.name)
        case SegmentStarted():
            changes["segment"] = event.segment.model_copy(update={"study": name_of(event.segment.study)})
        case ModelPromoted() if event.source:
            changes["source"] = name_of(event.source)
        case ScheduleStep(incumbent=incumbent) if incumbent:
            changes["incumbent"] = incumbent.model_copy(update={"study": name_of(incumbent.study)})
        case WarmStartChosen():
            changes["studies"] = tuple(one.model_copy(update={"study": name_of(one.study)}) for one in event.studies)
        case _:
            pass
    return event.model_copy(update=changes)
