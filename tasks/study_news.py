"""Log lines and Prefect events of a running study: one line for each decision and trial, from what is recorded."""

from prefect import get_run_logger

from pegbox.report.event_lines import failure_line, line_of, trial_line
from pegbox.schemas.events import Event, TrialEvaluated, TrialFailed
from pegbox.schemas.history import History
from pegbox.schemas.trial import TrialState
from pegbox.tasks.prefect_events import Announced, announce_trial, is_improvement


class StudyNews:
    """Listens to the log of one study, within its flow run.

    A pod that is gone leaves nothing but its log, so that every decision and what came of it stands there.
    """

    def __init__(self, about: Announced) -> None:
        self._about = about
        self._logger = get_run_logger()

    def tell(self, before: History, after: History, event: Event) -> None:
        """Say what an event means; most mean nothing to people.

        Args:
            before: The history without the event.
            after: The history with it.
            event: What was recorded.
        """
        if isinstance(event, TrialFailed):
            self._logger.warning("%s", failure_line(event))
        elif isinstance(event, TrialEvaluated):
            self._tell_trial(before, after, event)
        elif line := line_of(event, after):
            self._logger.info("%s", line)

    def _tell_trial(self, before: History, after: History, event: TrialEvaluated) -> None:
        if event.evaluation.fold is not None:  # the mean over folds follows
            return
        trial, is_best = after.trials[event.trial], False
        if event.evaluation.replicate is None and trial.state is TrialState.COMPLETED:
            is_best = is_improvement(before, trial)
            announce_trial(self._about, trial, event.evaluation, is_best=is_best)
        self._logger.info("%s%s", trial_line(event, after), "; the best so far" if is_best else "")
