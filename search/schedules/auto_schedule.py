"""The schedule `auto`: early stopping where few whole trainings fit into the budget, and none where many do."""

from pegbox.schemas.decision import Continue, Done, Stop, Wait
from pegbox.schemas.history import History
from pegbox.schemas.study import StudySpec
from pegbox.search.auto_method import Pace
from pegbox.search.schedules.asha import AshaSchedule
from pegbox.search.schedules.full_budget import FullSchedule
from pegbox.search.strategy import Begin


class AutoSchedule:
    """Keeps no choice: it follows from the history, at a resume and a replay as well."""

    def __init__(self, spec: StudySpec) -> None:
        self._spec = spec
        self._asha, self._full = AshaSchedule(spec), FullSchedule()

    def decide(self, history: History, can_begin: bool) -> Begin | Continue | Stop | Wait | Done:
        """What the chosen schedule decides."""
        schedule = self._asha if stops_early(self._spec, history) else self._full
        return schedule.decide(history, can_begin)


def stops_early(spec: StudySpec, history: History) -> bool:
    """True where the study file says that few whole trainings fit, or where the first of them have shown it.

    Before a training has ended nobody knows how many fit into a time, and the first are trained whole.
    """
    if not spec.fidelity.is_of_epochs or spec.pays_for_few(spec.trainings_by_epochs):
        return True
    # Once a trial came to a lower rung it stays so: to train all of them whole is what was to be saved.
    if any(trial.evaluations and trial.evaluations[0].budget < spec.full_budget for trial in history.trials):
        return True
    time, seconds = spec.budget.search_seconds, Pace.of(history).seconds
    return time is not None and seconds > 0 and spec.pays_for_few(time * spec.run.workers / seconds)
