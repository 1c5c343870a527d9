"""The flow of a study: prepare data, search, train the finalists again, select a winner, make its model, publish."""

from pathlib import Path

from prefect import flow

from pegbox.execution.segment_plan import SegmentPlan
from pegbox.flows.cancellation import cancel_heard, cancelled, is_interrupt
from pegbox.flows.close_lost_runs import close_lost_runs
from pegbox.flows.engines.open_crew import open_crew
from pegbox.flows.final_model import make_model
from pegbox.flows.held_out_test import measure_winner
from pegbox.flows.interruption import Interruption
from pegbox.flows.preset_space import draw_space
from pegbox.flows.run_facts import describe_run
from pegbox.flows.run_tags import tagged
from pegbox.flows.segment_tasks import SegmentTasks
from pegbox.flows.segments import SegmentRunner
from pegbox.flows.task_order import TaskOrder
from pegbox.flows.warm_start_histories import warm_start_histories
from pegbox.schemas.decision import Done, Stop, Wait
from pegbox.schemas.errors import SearchError
from pegbox.schemas.events import SearchEnded, SelectionMade
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.training_place import TrialSeed
from pegbox.search.narrowed_space import study_strategy
from pegbox.search.schedules.fold_stopping import hopeless_between_folds, judges_folds
from pegbox.search.strategy import Strategy
from pegbox.storage.store import open_store
from pegbox.storage.study_log import StudyLog, open_study
from pegbox.tasks.artifacts import StudyArtifacts
from pegbox.tasks.concurrency_limit import ensure_limit
from pegbox.tasks.prefect_events import Announced, announced_end
from pegbox.tasks.prepare_data import prepare_data
from pegbox.tasks.propose_trials import propose_trials
from pegbox.tasks.publish_report import publish_report
from pegbox.tasks.quoting import whole
from pegbox.tasks.select_finalists import select_finalists
from pegbox.tasks.select_winner import select_winner
from pegbox.tasks.study_news import StudyNews
from pegbox.tasks.study_tracking import StudyTracking

DEFAULT_STORE = Path(".pegbox")


@flow(name="tune", flow_run_name="tune-{spec.name}")
def tune(spec: StudySpec, store: Path = DEFAULT_STORE) -> Selection:
    """Run a study from where its history ends, select a winner, and make a model of it.

    Raises:
        StudyError, DataError: The study cannot be run as it is written.
        StudyInterruptedError: A signal or Prefect ended the run, as `Cancelled`; running it again goes on.
        NoTrialSucceededError: No trial has a value.
        StoreError: The history cannot be read or written.
    """
    try:
        return run_study(spec, store)
    except BaseException as error:
        if not is_interrupt(error):
            raise
        return cancelled(error, spec.name)  # type: ignore[return-value]  # a state is how Prefect takes one


def run_study(spec: StudySpec, store: Path) -> Selection:
    """Take every step of a study, in order."""
    layout = open_store(store)
    spec = draw_space(spec, layout.root)
    ensure_limit(spec.run.limit)
    about, order = Announced(spec.name, layout.root), TaskOrder()
    data = order.decide(prepare_data, spec, layout)
    with (
        tagged(spec),
        announced_end(about) as announce_end,
        # The crew first, as its workers import while the history is read; it also leaves last, when nobody needs a
        # worker.
        open_crew(spec, layout) as crew,
        open_study(layout, spec, describe_run(spec, data)) as study,
        StudyArtifacts(layout, spec.name) as artifacts,
        StudyTracking(layout, spec.name, spec.run.track),
        Interruption() as interruption,
        cancel_heard(interruption),
    ):
        study.listen(StudyNews(about).tell)
        # Before anything is submitted: the study's lock is ours now, so whoever else is recorded as running is dead.
        close_lost_runs(study)
        segmenting = SegmentPlan(study.history, data)
        tasks = SegmentTasks(study, crew, data, order)
        runner = SegmentRunner(study, tasks, interruption)
        search_trials(study, runner, segmenting)
        train_finalists(study, runner, segmenting)
        before = study.history.selection
        selection = choose(study, tasks, segmenting)
        make_model(study, tasks, segmenting, selection, is_news=selection != before)
        tasks.order.decide(publish_report, whole(artifacts))
        runner.cleanup.finish()
        announce_end(selection)
    return selection


def search_trials(study: StudyLog, runner: SegmentRunner, segmenting: SegmentPlan) -> None:
    """Propose, train and evaluate until the strategy is done; what a dead driver left running comes first."""
    strategy = study_strategy(study.history.spec, warm_start_histories(study))
    # Before the first decision: a dead driver's trials continue as the same trials, so that the proposals stay the same
    # too.
    for trial in study.history.running:
        runner.add(segmenting.of_trial(trial))

    def judge() -> None:
        # Asked first: to look through 10,000 trials at each completion takes longer than to record one.
        if judges_folds(study.history.spec) and hopeless_between_folds(study.history.within_space()) is not None:
            decide_next(study, strategy, runner, segmenting, 1)

    rest: Wait | Done | None = None
    while runner.is_busy or not isinstance(rest, Done):
        if runner.n_free and not isinstance(rest, Done):
            rest = decide_next(study, strategy, runner, segmenting, runner.n_free)
        if isinstance(rest, Wait) and not runner.is_busy:
            raise SearchError(f"{study.history.spec.search.method} waits for a running trial, but none is running.")
        runner.settle(judge)
    if rest.reason != study.history.search_end:
        ended = SearchEnded(study=study.history.spec.name, reason=rest.reason, elapsed_seconds=study.elapsed_seconds)
        study.record(ended)


def decide_next(
    study: StudyLog, strategy: Strategy, runner: SegmentRunner, segmenting: SegmentPlan, count: int
) -> Wait | Done | None:
    """Have the strategy decide, record it and act on it; gives why there were fewer decisions than asked for."""
    history = study.history.at(study.elapsed_seconds)
    proposals = runner.order.decide(propose_trials, whole(history), whole(strategy), count)
    if runner.is_ending:
        # A signal came meanwhile, so that nothing of it would be trained; the next run decides the same.
        return None
    history = study.record(*proposals.decisions)
    for made in proposals.decisions:
        if isinstance(made.decision, Stop):
            runner.drop(TrialSeed(trial=made.trial))
        else:
            runner.add(segmenting.of_trial(history.trials[made.trial]))
    return proposals.rest


def train_finalists(study: StudyLog, runner: SegmentRunner, segmenting: SegmentPlan) -> None:
    """Train the best trials again, on fresh seeds common to all; clear losers get no more of them."""
    while replicates := runner.order.decide(select_finalists, whole(study.history)):
        runner.add(segmenting.of_replicates(study.history, replicates))
        while runner.is_busy:
            runner.settle()


def choose(study: StudyLog, tasks: SegmentTasks, segmenting: SegmentPlan) -> Selection:
    """Select the winner, and measure it on the held-out rows."""
    history = study.history
    chosen = tasks.order.decide(select_winner, whole(history))
    selection = measure_winner(chosen, history, tasks, segmenting)
    # Only news: running a finished study again leaves its history as it is (idempotent).
    if selection != history.selection:
        study.record(SelectionMade(study=history.spec.name, run=study.run, selection=selection))
    return selection
