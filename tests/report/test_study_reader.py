"""What a reader sees of a study that is being driven at this moment."""

from contextlib import closing

import pytest

from pegbox.report.finished_trials import finished_trials
from pegbox.report.study_list import list_studies
from pegbox.report.study_reader import StudyReader
from pegbox.schemas.decision import Start
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import (
    DecisionMade,
    MetricsReported,
    RunStarted,
    SearchEnded,
    SegmentStarted,
    SegmentTrained,
    TrialEvaluated,
    TrialFailed,
    WarmStartChosen,
)
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.plan import Objective, SearchSpec
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrainedSegment, TrialState
from pegbox.schemas.warm_start import EarlierStudy
from pegbox.storage.journal import Journal
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study

SPEC = StudySpec.model_validate(
    {
        "name": "live",
        "train": {"kind": "function", "function": "a:b", "epochs": 9},
        "space": {"z": [1, 2], "a": [3, 4]},
        "objective": {"metric": "accuracy", "goal": "maximize"},
        "budget": {"trials": 10},
        "run": {"workers": 2},
    }
)


def segment_of(number: int) -> Segment:
    configuration = {"z": 1, "a": 3}
    return Segment(
        study="live", trial=number, configuration=configuration, seed=0, to_budget=9, train=SPEC.train, code="c"
    )


def begin(study, number: int, name: str = "live") -> None:
    start = Start(configuration={"z": 1, "a": 3}, to_budget=9)
    segment = segment_of(number).model_copy(update={"study": name})
    study.record(
        DecisionMade(study=name, number=number, saw=0, elapsed_seconds=5, decision=start, trial=number, seed=0),
        SegmentStarted(study=name, run=study.run, segment=segment),
    )


@pytest.fixture
def driven(tmp_path):
    """A store in which trial 0 is completed and trial 1 reports its second epoch."""
    layout = open_store(tmp_path)
    run = RunStarted(study="live", run="r", host="h", pid=1)
    with open_study(layout, SPEC, run) as study, closing(Journal(layout.journal, writer="worker")) as worker:
        for number in (0, 1):
            begin(study, number)
            worker.append(*(MetricsReported.of(segment_of(number), step, {"accuracy": step / 10}) for step in (2, 1)))
        evaluation = Evaluation(budget=9, metrics={"accuracy": 0.9}, seconds=2)
        study.record(TrialEvaluated(study="live", trial=0, evaluation=evaluation, state=TrialState.COMPLETED))
        yield tmp_path


def test_a_driven_study_shows_what_its_workers_do(driven):
    with StudyReader(driven, "live") as reader:
        status = reader.status()

    running = [trial for trial in status.running if trial.trial == 1]
    assert (status.phase, status.run.status) == ("searching", "running")
    assert status.incumbent.value == 0.9
    assert [(trial.step, trial.value, trial.curve) for trial in running] == [(2, 0.2, (0.1, 0.2))]
    assert running[0].versus_best == 0.0


def test_what_was_read_of_the_first_program_is_told(tmp_path):
    train = {"kind": "command", "command": ["python"], "epochs": 9}
    spec = StudySpec.model_validate({**SPEC.model_dump(mode="json"), "name": "printed", "train": train})
    layout = open_store(tmp_path)

    with open_study(layout, spec, RunStarted(study="printed", run="r", host="h", pid=1)) as study:
        for number, understood in ((0, ""), (1, "read acc; step from `epoch`"), (2, "read other")):
            begin(study, number, "printed")
            trained = TrainedSegment(budget=9, seconds=1.0, understood=understood)
            study.record(
                SegmentTrained(
                    study="printed",
                    trial=number,
                    attempt=1,
                    from_budget=0,
                    to_budget=9,
                    fold=0,
                    seed=0,
                    trained=trained,
                )
            )

    with StudyReader(tmp_path, "printed") as reader:
        assert reader.status().understood == "trial 1 read acc; step from `epoch`"


def test_parameters_come_in_the_order_of_the_study_file(driven):
    with StudyReader(driven) as reader:
        assert list(reader.status().incumbent.configuration) == ["z", "a"]
        assert list(finished_trials(reader.file, reader.spec)[0].configuration) == ["z", "a"]


def test_only_trials_that_are_news_are_finished_ones(driven):
    with StudyReader(driven, "live") as reader:
        assert [trial.trial for trial in finished_trials(reader.file, reader.spec)] == [0]
        assert finished_trials(reader.file, reader.spec, after=[0]) == ()


def test_a_trial_is_compared_with_those_that_were_told_before(tmp_path):
    with open_study(open_store(tmp_path), SPEC, RunStarted(study="live", run="r", host="h", pid=1)) as study:
        for number, accuracy in enumerate((0.7, 0.6, 0.7, 0.8)):
            begin(study, number)
            evaluation = Evaluation(budget=9, metrics={"accuracy": accuracy}, seconds=2)
            study.record(TrialEvaluated(study="live", trial=number, evaluation=evaluation, state=TrialState.COMPLETED))

    with StudyReader(tmp_path) as reader:
        assert [trial.is_best for trial in finished_trials(reader.file, reader.spec)] == [True, False, False, True]
        assert [trial.is_best for trial in finished_trials(reader.file, reader.spec, after=[0])] == [False, False, True]


def test_the_list_knows_a_living_driver(driven):
    (line,) = list_studies(driven)

    assert (line.state, line.trials, line.completed, line.best) == ("running", 2, 1, 0.9)


def test_an_unknown_study_is_refused_and_the_file_let_go(driven):
    with pytest.raises(NotFoundError, match="Did you mean 'live'"):
        StudyReader(driven, "lvie")


LIMITED = StudySpec.model_validate(
    {
        **SPEC.model_dump(exclude={"objective", "name"}),
        "name": "limited",
        "objectives": [{"metric": "accuracy", "goal": "maximize"}, {"metric": "seconds"}],
        "constraints": [{"metric": "size", "max": 100}],
    }
)
MEASURED = (
    {"accuracy": 0.99, "seconds": 1.0, "size": 400.0},
    {"accuracy": 0.9, "seconds": 9.0, "size": 90.0},
    {"accuracy": 0.5, "seconds": 2.0, "size": 10.0},
    {"accuracy": 0.4, "seconds": 3.0, "size": 20.0},
    {"accuracy": 0.98, "seconds": 0.5},
)


@pytest.fixture
def limited(tmp_path):
    """A study of two objectives with a limit on a third metric; the last of its trials failed."""
    run = RunStarted(study="limited", run="r", host="h", pid=1)
    failure = Failure(kind=FailureKind.ERROR, message="no file\nat all")
    with open_study(open_store(tmp_path), LIMITED, run) as study:
        for number, metrics in enumerate(MEASURED):
            begin(study, number, "limited")
            evaluation = Evaluation(budget=9, metrics=metrics, seconds=2)
            study.record(
                TrialEvaluated(study="limited", trial=number, evaluation=evaluation, state=TrialState.COMPLETED),
            )
        begin(study, 5, "limited")
        study.record(
            TrialFailed(study="limited", trial=5, attempt=1, failure=failure, final=True),
            SearchEnded(study="limited", reason="All 6 trials were tried.", elapsed_seconds=8),
        )
    return tmp_path


def test_trials_that_break_a_limit_or_do_not_report_it_are_not_on_the_front(limited):
    with StudyReader(limited) as reader:
        status = reader.status()

    assert [one.trial for one in status.front.trials] == [1, 2]
    assert (status.incumbent.trial, status.incumbent.values) == (1, {"accuracy": 0.9, "seconds": 9.0})


def test_a_limit_is_shown_with_what_breaks_it(limited):
    with StudyReader(limited) as reader:
        (constraint,) = reader.status().constraints
        finished = finished_trials(reader.file, reader.spec)

    assert (constraint.limit, constraint.n_broken, constraint.nearest) == ("at most 100", 2, 400.0)
    assert [one.broken for one in finished] == [
        ("size 400.0 (at most 100)",),
        (),
        (),
        (),
        ("size was not reported (at most 100)",),
        (),
    ]
    assert not any(one.is_best for one in finished if one.broken)


def test_a_limit_holds_for_one_objective_too(tmp_path):
    spec = LIMITED.model_copy(update={"objective": LIMITED.objectives[1], "objectives": ()})
    with open_study(open_store(tmp_path), spec, RunStarted(study="limited", run="r", host="h", pid=1)) as study:
        for number, metrics in enumerate(MEASURED):
            begin(study, number, "limited")
            evaluation = Evaluation(budget=9, metrics=metrics, seconds=2)
            study.record(
                TrialEvaluated(study="limited", trial=number, evaluation=evaluation, state=TrialState.COMPLETED)
            )

    with StudyReader(tmp_path) as reader:
        assert (reader.status().best.trial, reader.status().best.value) == (2, 2.0)
    assert list_studies(tmp_path)[0].best == 2.0


def test_why_the_search_ended_and_how_trials_failed_is_known(limited):
    with StudyReader(limited) as reader:
        status = reader.status()

    assert (status.search_end, status.elapsed_seconds) == ("All 6 trials were tried.", 8)
    assert (status.failure.trial, status.failure.message) == (5, "no file\nat all")


def test_a_search_that_goes_on_has_not_ended(limited):
    with open_study(open_store(limited), LIMITED, RunStarted(study="limited", run="s", host="h", pid=1)) as study:
        begin(study, 6, "limited")

    with StudyReader(limited) as reader:
        assert reader.status().search_end is None


def test_the_list_tells_a_front_instead_of_a_best(limited):
    (line,) = list_studies(limited)

    assert (line.best_trial, line.best, line.n_front, line.n_objectives) == (1, 0.9, 2, 2)


def test_the_studies_that_are_learnt_from_are_known(tmp_path):
    learner = SPEC.model_copy(update={"search": SearchSpec(method="bayes", warm_start="auto")})
    chosen = tuple(EarlierStudy(study=name, version=9) for name in ("before", 'it\'s @ "odd"'))
    with open_study(open_store(tmp_path), learner, RunStarted(study="live", run="r", host="h", pid=1)) as study:
        study.record(WarmStartChosen(study="live", studies=chosen))

    with StudyReader(tmp_path) as reader:
        assert reader.status().earlier == ("before", 'it\'s @ "odd"')


def test_how_the_best_came_about_is_a_few_points_that_end_today(tmp_path):
    losses = [1 / (1 + number // 3) for number in range(80)]
    spec = SPEC.model_copy(update={"objective": Objective(metric="loss")})
    with open_study(open_store(tmp_path), spec, RunStarted(study="live", run="r", host="h", pid=1)) as study:
        for number, loss in enumerate(losses):
            begin(study, number)
            evaluation = Evaluation(budget=9, metrics={"loss": loss})
            study.record(TrialEvaluated(study="live", trial=number, evaluation=evaluation, state=TrialState.COMPLETED))

    with StudyReader(tmp_path) as reader:
        points = reader.status().best_so_far

    assert 16 <= len(points) <= 32
    assert list(points) == sorted(points, reverse=True)
    assert points[-1] == min(losses)
