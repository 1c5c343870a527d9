"""What the workers of a run train at this moment; asks a store, draws nothing."""

from pegbox.report.incumbent_rows import in_file_order
from pegbox.report.progress import Activity
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.curves import segment_curve
from pegbox.storage.queries.segments import RunningSegment, running_segments


def activities(file: HistoryFile, spec: StudySpec, run: str) -> tuple[Activity, ...]:
    """The segments that a run trains now, with what their workers reported."""
    return tuple(_activity(file, spec, one) for one in running_segments(file, spec.name, run))


def _activity(file: HistoryFile, spec: StudySpec, one: RunningSegment) -> Activity:
    return Activity(
        **dict(one.trial_seed),
        fold=one.fold,
        to_budget=one.to_budget,
        seconds=max(0.0, one.seconds),
        configuration=in_file_order(spec, one.configuration),
        curve=segment_curve(file, spec.name, spec.goals[0].metric, one.place),
    )
