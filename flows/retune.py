"""The scheduled flow: look at the data, score the incumbent again, tune only where it no longer holds, and promote."""

import hashlib
from pathlib import Path
from typing import Literal

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Completed

from pegbox.analysis.paired_comparison import has_fallen
from pegbox.datasets.watched import check_watched, watched_fingerprint
from pegbox.flows.cancellation import cancelled, is_interrupt
from pegbox.flows.drift_words import drift_told, fall_explained
from pegbox.flows.earlier_models import earlier_models_on
from pegbox.flows.retune_decision import (
    Inputs,
    Measured,
    RetuneDecision,
    compare_trials,
    in_signed_words,
    in_words,
)
from pegbox.flows.run_form import AskedStudy
from pegbox.flows.run_tags import tagged
from pegbox.flows.tune import DEFAULT_STORE, tune
from pegbox.schemas.errors import NoTrialSucceededError, StudyError
from pegbox.schemas.events import Incumbent, ScheduleStep
from pegbox.schemas.history import History
from pegbox.schemas.preset_space import draw_published
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.storage.layout import StoreLayout
from pegbox.storage.model_files import CURRENT, model_path
from pegbox.storage.model_log import Promotion, newest_run, promote_model
from pegbox.storage.recorded_history import recorded_history
from pegbox.storage.schedule_log import ScheduleLog
from pegbox.storage.store import open_store
from pegbox.tasks.artifacts import show_schedule
from pegbox.tasks.prefect_events import Announced, announce_step, announced_schedule
from pegbox.tasks.prepare_data import prepare_data
from pegbox.training.kinds.registry import own_code


# As JSON, so that whoever waits for the deployment reads it without an unpickler: `run_deployment(...).state.result()`.
@flow(name="retune", flow_run_name="retune-{spec.name}", persist_result=True, result_serializer="json")
def retune(spec: AskedStudy, store: Path = DEFAULT_STORE) -> ScheduleStep:
    """Keep the answer of a study true while its data changes.

    Where data, code and study are unchanged it ends in seconds. What changed has the incumbent trained again first, and
    only where it no longer holds (or `schedule.always` is set) a new study is tuned; a winner that is not credibly
    better is not promoted.

    Returns:
        The last step, with its reason and what is to be run now. Prefect's state has its name (`Promoted`, `Kept`,
        `Held`, `Unchanged`) and its reason.

    Raises:
        StudyError, DataError: The study cannot be run as it is written, or not told when its data changes.
        StudyInterruptedError: A signal or Prefect ended the run, as `Cancelled`; running it again goes on.
        NoTrialSucceededError: No trial has a value, and there is no incumbent.
        StoreError: The history cannot be read or written.
    """
    try:
        last = run_schedule(spec, store)
    except BaseException as error:
        if not is_interrupt(error):
            raise
        return cancelled(error, spec.name)  # type: ignore[return-value]
    # A state of our own is how Prefect takes a name; who calls the flow gets the step in it.
    return Completed(name=last.step.capitalize(), message=last.reason, data=last)  # type: ignore[return-value]


def run_schedule(spec: StudySpec, store: Path) -> ScheduleStep:
    """Look at the data, conclude, and show what was concluded."""
    layout, spec = open_store(store), draw_published(spec)
    with tagged(spec), announced_schedule(Announced(spec.name, layout.root)):
        inputs = look(spec, layout)
        with ScheduleLog(layout, spec.name) as log:
            last = conclude(RetuneDecision(spec, inputs, log.steps), layout, log)
        show_schedule(layout, spec)
    return last


def conclude(retuning: RetuneDecision, store: StoreLayout, log: ScheduleLog) -> ScheduleStep:
    """Find out what is to be run now; each step is recorded and told before the next begins."""
    if retuning.is_settled:
        return _tell(log, retuning.step("unchanged", retuning.unchanged, retuning.incumbent, _flow_run_id()), store)
    if retuning.incumbent is None:
        return _tell(log, promoted(first_answer(retuning, store), retuning, store), store)
    checked = check_incumbent(retuning, retuning.incumbent, store)
    if checked.step == "held" and not retuning.always:
        return _tell(log, promoted(checked, retuning, store), store)
    _tell(log, checked.model_copy(update={"step": "lapsed"}), store)
    return _tell(log, promoted(challenge(retuning, retuning.incumbent, store), retuning, store), store)


def promoted(step: ScheduleStep, retuning: RetuneDecision, store: StoreLayout) -> ScheduleStep:
    """The step, once the model that was trained on the data as it is now is the current one of the study.

    It is the winner's or, where the incumbent is kept, the incumbent's, trained again. A study whose training leaves no
    files has no model, and its schedule keeps a configuration true.
    """
    # Before the step is told: an automation that it fires finds the model that it speaks of.
    winner = step.incumbent.study if step.incumbent else retuning.tuned_name
    source = winner if step.step == "promoted" else retuning.rescored_name
    if run := newest_run(store, source):
        promote_model(store, Promotion(retuning.spec.name, source, run, by="schedule", reason=step.reason))
    return step


def _tell(log: ScheduleLog, step: ScheduleStep, store: StoreLayout) -> ScheduleStep:
    # Durable first: an automation that an event fires may ask the history at once.
    log.record(step)
    has_model = model_path(store, step.study, CURRENT).exists()
    announce_step(Announced(step.study, store.root), step, f"{step.study}@{CURRENT}" if has_model else None)
    get_run_logger().info("%s: %s", step.step, step.reason)
    return step


def look(spec: StudySpec, store: StoreLayout) -> Inputs:
    """Fingerprints of all that training is known to read."""
    if problems := check_watched(spec):
        raise StudyError(problems)
    data = prepare_data(spec, store)
    seen = data.fingerprint if data else None
    watch = spec.schedule.watch if spec.schedule else ()
    if watch:
        both = f"{seen}:{watched_fingerprint(watch)}"
        seen = hashlib.sha256(both.encode()).hexdigest()[:32]
    code = own_code(spec)
    return Inputs(seen, None if code is None else code.fingerprint)


def first_answer(retuning: RetuneDecision, store: StoreLayout) -> ScheduleStep:
    """Tune from nothing; the winner is the incumbent from now on."""
    selection = tune(retuning.tuning(None), store.root)
    return retuning.step("promoted", "The first answer of this study.", _winner(selection), _flow_run_id())


def check_incumbent(retuning: RetuneDecision, incumbent: Incumbent, store: StoreLayout) -> ScheduleStep:
    """Train the incumbent again on data and code as they are now: `held` or `lapsed`."""
    if not retuning.spec.space.contains(incumbent.configuration):
        return retuning.step("lapsed", "The space does not hold the incumbent any more.", incumbent, _flow_run_id())
    try:
        tune(retuning.rescoring(incumbent), store.root)
    except NoTrialSucceededError as error:
        return retuning.step("lapsed", f"{retuning.occasion} the incumbent failed: {error}", incumbent, _flow_run_id())
    earlier = (_history(store, incumbent.study), incumbent.trial)
    again = (_history(store, retuning.rescored_name), 0)
    step, reason = verdict(store, earlier, again, retuning)
    return retuning.step(step, f"{retuning.occasion} {reason}", incumbent, _flow_run_id())


def verdict(
    store: StoreLayout, before: Measured, again: Measured, retuning: RetuneDecision
) -> tuple[Literal["held", "lapsed"], str]:
    """Whether the incumbent holds on new data, and why, as the rest of a sentence.

    Args:
        store: Where models and prepared data lie.
        before: The incumbent as it was judged first.
        again: The incumbent, trained again.
        retuning: What this run is about.
    """
    metric, tolerance = retuning.spec.goals[0].metric, retuning.tolerance
    paired = compare_trials(before, again)
    drift = drift_told(store, before, again)
    if not paired.is_worse(tolerance):
        return "held", f"the incumbent still holds: it differs {in_signed_words(paired, metric)}.{drift}"
    now = again[0].data_fingerprint
    # Where the code changed as well, its earlier models say nothing of what it does now.
    earlier = earlier_models_on(store, before, now) if retuning.is_data_alone else None
    if not has_fallen(paired, earlier.compared if earlier else None, tolerance):
        assert earlier is not None  # or the first half of it had decided
        fixed = in_signed_words(earlier.compared, metric)
        reason = (
            f"the incumbent is worse {in_words(paired, metric)} once it is trained again. It holds all the same: its "
            f"earlier models differ on the new rows {fixed}, so that this is the choice of rows, no change of the data."
        )
        return "held", reason + drift
    drift = fall_explained(store, before, again, earlier.losses if earlier else None)
    return "lapsed", f"the incumbent is worse {in_words(paired, metric)}.{drift}"


def challenge(retuning: RetuneDecision, incumbent: Incumbent, store: StoreLayout) -> ScheduleStep:
    """Tune on data and code as they are now, from what was good before; promote a winner that is credibly better."""
    earlier = _history(store, incumbent.study).selection
    winner = _winner(tune(retuning.tuning(earlier), store.root))
    defended = recorded_history(store, retuning.rescored_name)
    if defended is None or defended.selection is None:
        reason = f"{retuning.occasion} the incumbent has no value, the winner has."
        return retuning.step("promoted", reason, winner, _flow_run_id())
    renewed = incumbent.model_copy(update={"study": retuning.rescored_name, "trial": 0})
    if winner.configuration == incumbent.configuration:
        reason = f"{retuning.occasion} tuning found nothing better than the incumbent."
        return retuning.step("kept", reason, renewed, _flow_run_id())
    paired = compare_trials((defended, 0), (_history(store, winner.study), winner.trial))
    metric = retuning.spec.goals[0].metric
    if paired.is_better():
        reason = f"{retuning.occasion} the winner is better than the incumbent {in_words(paired, metric)}."
        return retuning.step("promoted", reason, winner, _flow_run_id())
    reason = f"{retuning.occasion} the winner is not credibly better: it differs {in_signed_words(paired, metric)}."
    return retuning.step("kept", reason, renewed, _flow_run_id())


def _winner(selection: Selection) -> Incumbent:
    return Incumbent(study=selection.study, trial=selection.winner, configuration=selection.configuration)


def _history(store: StoreLayout, study: str) -> History:
    history = recorded_history(store, study)
    assert history is not None  # its last run has just ended, or it was an incumbent's
    return history


def _flow_run_id() -> str | None:
    return str(flow_run.id) if flow_run.id else None
