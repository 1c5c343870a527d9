"""The scheduled flow: look at the data, score the incumbent again, tune only where it no longer holds, and promote."""

from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from pegbox.flows.retune_decision import RetuneDecision, compare_trials, in_words
from pegbox.flows.tune import DEFAULT_STORE, tune
from pegbox.schemas.errors import NoTrialSucceededError
from pegbox.schemas.events import Incumbent, ScheduleStep
from pegbox.schemas.history import History
from pegbox.schemas.preset_space import draw_published
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout
from pegbox.storage.schedule_log import ScheduleLog
from pegbox.storage.store import open_store
from pegbox.storage.study_log import recorded_history
from pegbox.tasks.prepare_data import prepare_data
from pegbox.training.kinds.registry import code_fingerprint


@flow(name="retune", flow_run_name="retune-{spec.name}")
def retune(spec: StudySpec, store: Path = DEFAULT_STORE) -> ScheduleStep:
    """Keep the answer of a study true while its data changes.

    Unchanged data ends in seconds. Changed data has the incumbent trained again first, and only where it no longer
    holds (or `schedule.always` is set) a new study is tuned; a winner that is not credibly better is not promoted.

    Returns:
        The last step, with its reason and what is to be run now.

    Raises:
        StudyError, DataError: The study cannot be run as it is written.
        StudyInterruptedError: A signal ended the run; running it again goes on.
        NoTrialSucceededError: No trial has a value, and there is no incumbent.
        StoreError: The history cannot be read or written.
    """
    layout, spec = open_store(store), draw_published(spec)
    data = prepare_data(spec, layout)
    with ScheduleLog(layout, spec.name) as log:
        retuning = RetuneDecision(spec, data.fingerprint if data else code_fingerprint(spec.train), log.steps)
        if retuning.is_settled:
            reason = "The data is the same and the budget is spent: nothing to do."
            return log.record(retuning.step("unchanged", reason, retuning.incumbent, _flow_run_id()))
        if retuning.incumbent is None:
            return log.record(first_answer(retuning, layout))
        checked = check_incumbent(retuning, retuning.incumbent, layout)
        if checked.step == "held" and not (spec.schedule and spec.schedule.always):
            return log.record(checked)
        log.record(checked.model_copy(update={"step": "lapsed"}))
        return log.record(challenge(retuning, retuning.incumbent, layout))


def first_answer(retuning: RetuneDecision, store: StoreLayout) -> ScheduleStep:
    """Tune from nothing; the winner is the incumbent from now on."""
    selection = tune(retuning.tuning(None), store.root)
    return retuning.step("promoted", "The first answer of this study.", _winner(selection), _flow_run_id())


def check_incumbent(retuning: RetuneDecision, incumbent: Incumbent, store: StoreLayout) -> ScheduleStep:
    """Train the incumbent again on the data as it is now: `held` or `lapsed`."""
    if not retuning.spec.space.contains(incumbent.configuration):
        return retuning.step("lapsed", "The space does not hold the incumbent any more.", incumbent, _flow_run_id())
    try:
        tune(retuning.rescoring(incumbent), store.root)
    except NoTrialSucceededError as error:
        return retuning.step("lapsed", f"The incumbent failed on the new data: {error}", incumbent, _flow_run_id())
    earlier = (_history(store, incumbent.study), incumbent.trial)
    paired = compare_trials(earlier, (_history(store, retuning.rescored_name), 0))
    tolerance = retuning.spec.schedule.tolerance if retuning.spec.schedule else 0.0
    words = in_words(paired, retuning.spec.goals[0].metric)
    if paired.is_worse(tolerance):
        reason = f"On the new data the incumbent is worse {words}."
        return retuning.step("lapsed", reason, incumbent, _flow_run_id())
    reason = f"On the new data the incumbent still holds: it changed {words}."
    return retuning.step("held", reason, incumbent, _flow_run_id())


def challenge(retuning: RetuneDecision, incumbent: Incumbent, store: StoreLayout) -> ScheduleStep:
    """Tune on the new data, starting from what was good before, and promote a winner that is credibly better."""
    earlier = _history(store, incumbent.study).selection
    winner = _winner(tune(retuning.tuning(earlier), store.root))
    defended = recorded_history(store, retuning.rescored_name)
    if defended is None or defended.selection is None:
        reason = "The incumbent has no value on the new data, the winner has."
        return retuning.step("promoted", reason, winner, _flow_run_id())
    renewed = incumbent.model_copy(update={"study": retuning.rescored_name, "trial": 0})
    if winner.configuration == incumbent.configuration:
        reason = "Tuning on the new data found nothing better than the incumbent."
        return retuning.step("kept", reason, renewed, _flow_run_id())
    paired = compare_trials((defended, 0), (_history(store, winner.study), winner.trial))
    words = in_words(paired, retuning.spec.goals[0].metric)
    if paired.is_better():
        reason = f"On the new data the winner is better than the incumbent {words}."
        return retuning.step("promoted", reason, winner, _flow_run_id())
    reason = f"On the new data the winner is not credibly better than the incumbent: it differs {words}."
    return retuning.step("kept", reason, renewed, _flow_run_id())


def _winner(selection: Selection) -> Incumbent:
    return Incumbent(study=selection.study, trial=selection.winner, configuration=selection.configuration)


def _history(store: StoreLayout, study: str) -> History:
    history = recorded_history(store, study)
    assert history is not None  # its last run has just ended, or it was an incumbent's
    return history


def _flow_run_id() -> str | None:
    return str(flow_run.id) if flow_run.id else None
