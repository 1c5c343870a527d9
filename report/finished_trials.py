"""The trials of a study that ended, each with its values, the constraints that it broke, and its failure."""

from collections import defaultdict
from collections.abc import Sequence

from pegbox.report import incumbent_rows
from pegbox.report.incumbent import broken_in_words
from pegbox.report.status import FinishedTrial
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries import trials
from pegbox.storage.queries.competing import BrokenLimit, broken_limits


def finished_trials(file: HistoryFile, spec: StudySpec, after: Sequence[int] = ()) -> tuple[FinishedTrial, ...]:
    """The trials that ended, in the order in which they did.

    Args:
        file: The store's history.
        spec: Of the study.
        after: Numbers of those that are known already.
    """
    objectives = [goal.metric for goal in spec.goals]
    broken: dict[int, list[BrokenLimit]] = defaultdict(list)
    for one in broken_limits(file, spec.name, tuple(after)):
        broken[one.number].append(one)
    return tuple(
        FinishedTrial(
            trial=one.number,
            state=one.state,
            values={name: one.metrics[name] for name in objectives if name in one.metrics},
            broken=broken_in_words(spec.constraints, broken[one.number]),
            budget=one.budget,
            seconds=one.seconds,
            failure=one.failure_kind,
            message=one.failure_message,
            configuration=incumbent_rows.in_file_order(spec, one.configuration),
            is_best=one.is_best,
        )
        for one in trials.ended_trials(file, spec.name, after)
    )
