"""What a reader sees of a study that is being driven at this moment."""

from contextlib import closing

import pytest

from pegbox.report.study_reader import StudyReader, list_studies
from pegbox.schemas.decision import Start
from pegbox.schemas.errors import NotFoundError
from pegbox.schemas.events import DecisionMade, MetricsReported, RunStarted, SegmentStarted, TrialEvaluated
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Segment, TrialState
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


def begin(study, number: int) -> None:
    start = Start(configuration={"z": 1, "a": 3}, to_budget=9)
    study.record(
        DecisionMade(study="live", number=number, saw=0, elapsed_seconds=5, decision=start, trial=number, seed=0),
        SegmentStarted(study="live", run=study.run, segment=segment_of(number)),
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
    assert status.best.value == 0.9
    assert [(trial.step, trial.value, trial.curve) for trial in running] == [(2, 0.2, (0.1, 0.2))]
    assert running[0].versus_best == 0.0


def test_parameters_come_in_the_order_of_the_study_file(driven):
    with StudyReader(driven) as reader:
        assert list(reader.status().best.configuration) == ["z", "a"]
        assert list(reader.finished()[0].configuration) == ["z", "a"]


def test_only_trials_that_are_news_are_finished_ones(driven):
    with StudyReader(driven, "live") as reader:
        assert [trial.trial for trial in reader.finished()] == [0]
        assert reader.finished(after=[0]) == ()


def test_the_list_knows_a_living_driver(driven):
    (line,) = list_studies(driven)

    assert (line.state, line.trials, line.completed, line.best) == ("running", 2, 1, 0.9)


def test_an_unknown_study_is_refused_and_the_file_let_go(driven):
    with pytest.raises(NotFoundError, match="Did you mean 'live'"):
        StudyReader(driven, "lvie")
