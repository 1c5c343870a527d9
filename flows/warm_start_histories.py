"""Warm-start histories: earlier studies that a study learns from, chosen once, then the same whenever it goes on."""

from pegbox.schemas.events import WarmStartChosen
from pegbox.schemas.history import History
from pegbox.search.warm_start_sources import choose_warm_start, is_warm_started
from pegbox.storage.past_studies import past_history, past_studies
from pegbox.storage.study_log import StudyLog


def warm_start_histories(study: StudyLog) -> tuple[History, ...]:
    """The earlier histories as they were when they were chosen; none where the study learns from none.

    Raises:
        StudyError: A study is named that is not there, or from which nothing can be learnt.
        NotFoundError: A study that was chosen is gone.
    """
    spec = study.history.spec
    if not is_warm_started(spec):
        return ()
    if study.history.earlier is None:
        study.record(WarmStartChosen(study=spec.name, studies=choose_warm_start(spec, past_studies(study.store))))
    return tuple(past_history(study.store, earlier, spec.name) for earlier in study.history.earlier or ())
