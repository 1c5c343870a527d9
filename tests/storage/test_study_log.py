import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pegbox.schemas.errors import (
    NotFoundError,
    QueryError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreUnwritableError,
    StudyMismatchError,
)
from pegbox.schemas.history import History
from pegbox.schemas.trial import TrialState
from pegbox.storage.history_file import open_history
from pegbox.storage.layout import StoreLayout
from pegbox.storage.study_lock import study_holder
from pegbox.storage.study_log import open_study

ADAM = {"lr": 0.1, "layers": 1, "optimizer": "adamw"}


def without_version(history: History) -> dict[str, Any]:
    return history.model_dump(exclude={"version", "elapsed_seconds"})


def test_a_study_goes_on_where_it_was_left(begin: Any) -> None:
    first = begin()
    first.complete(ADAM, value=1.0)
    first.start(ADAM)
    left = first.log.history
    first.log.close("interrupted")
    second = begin(None, "run-2")
    assert without_version(second.log.history) == without_version(left)
    assert second.log.history.elapsed_seconds > left.elapsed_seconds  # the stop took its time, too
    assert second.log.history.version == left.version + 2  # the end of the first run and the start of the second
    assert second.complete(ADAM, value=0.5) == 2


def test_the_recorded_history_equals_the_live_one(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    recorder.complete(ADAM, value=1.0)
    recorder.fail(ADAM)
    live = recorder.log.history
    recorder.log.close()
    with open_history(store.root) as history:
        assert without_version(history.history("digits")) == without_version(live)


def test_running_time_adds_up_over_runs(begin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = begin()
    for _ in range(6):
        first.complete(ADAM, value=1.0)  # the recorder says that decision n was made after n seconds
    first.log.close()
    second = begin(None, "run-2")
    assert 5.0 <= second.log.elapsed_seconds < 65.0


def test_a_second_driver_is_told_who_holds_the_study(
    store: StoreLayout, begin: Any, new_spec: Any, new_run: Any
) -> None:
    begin()
    with pytest.raises(StoreBusyError, match=f"process {os.getpid()} on host"):
        open_study(store, new_spec(), new_run(new_spec()))


def test_two_studies_of_a_store_run_at_once(store: StoreLayout, begin: Any, new_spec: Any) -> None:
    one, two = begin(new_spec("one")), begin(new_spec("two"))
    one.complete(ADAM, value=1.0)
    two.complete(ADAM, value=2.0)
    one.log.close()
    two.log.close()
    with open_history(store.root) as history:
        assert history.sql("SELECT study, value FROM trials ORDER BY 1").fetchall() == [("one", 1.0), ("two", 2.0)]


DRIVER = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from conftest import Recorder, make_run, make_spec
from pegbox.storage.store import open_store
from pegbox.storage.study_log import open_study
log = open_study(open_store(Path({root!r})), make_spec(), make_run(make_spec(), "doomed"))
Recorder(log).start({{"lr": 0.1, "layers": 1, "optimizer": "adamw"}})
print("ready", flush=True)
time.sleep(60)
"""


def test_a_dead_driver_is_taken_over_with_all_it_recorded(store: StoreLayout, begin: Any) -> None:
    program = DRIVER.format(tests=str(Path(__file__).parent), root=str(store.root))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"ready\n"
        holder = study_holder(store, "digits")
        assert holder is not None
        assert holder["pid"] == driver.pid
        with pytest.raises(StoreBusyError, match=f"process {driver.pid} "):
            begin()
        driver.send_signal(signal.SIGKILL)
    assert study_holder(store, "digits") is None
    history = begin(None, "run-2").log.history
    assert [trial.state for trial in history.trials] == [TrialState.RUNNING]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"space": {"lr": {"min": 1e-5, "max": 0.2, "log": True}}}, "space"),
        ({"objective": {"metric": "val_accuracy", "goal": "maximize"}}, "objective"),
        ({"train": {"kind": "function", "function": "my_project.train:run", "epochs": 9}}, "train"),
        ({"data": {"source": "sklearn:digits", "target": "target"}}, "data"),
    ],
)
def test_another_search_under_the_same_name_is_refused(
    begin: Any, new_spec: Callable[..., Any], changes: dict[str, Any], where: str
) -> None:
    recorder = begin()
    recorder.complete(ADAM, value=1.0)
    recorder.log.close()
    with pytest.raises(
        StudyMismatchError, match=f"with another {where}.* make the name free: `pegbox forget"
    ) as caught:
        begin(new_spec(**changes))
    assert [problem.path for problem in caught.value.problems] == [(where,)]


def test_a_space_that_holds_a_trial_that_is_done_may_change(begin: Any, new_spec: Callable[..., Any]) -> None:
    recorder = begin()
    recorder.complete(ADAM, value=1.0)
    recorder.log.close()
    wider = {**new_spec().model_dump(mode="json")["space"], "lr": {"min": 1e-6, "max": 1.0, "log": True}}

    assert begin(new_spec(space=wider)).log.history.space == new_spec(space=wider).space


def test_a_study_in_which_nothing_succeeded_may_change_in_all(begin: Any, new_spec: Callable[..., Any]) -> None:
    recorder = begin()
    recorder.fail(ADAM)
    recorder.log.close()
    corrected = new_spec(
        objective={"metric": "val_accuracy", "goal": "maximize"},
        train={"kind": "function", "function": "my_project.train:run", "epochs": 9},
    )

    history = begin(corrected).log.history

    assert history.spec == corrected
    assert [(trial.state, trial.attempt) for trial in history.trials] == [(TrialState.PROPOSED, 2)]


def test_failed_trials_outside_a_corrected_space_stay_failed(begin: Any, new_spec: Callable[..., Any]) -> None:
    recorder = begin()
    recorder.fail(ADAM)
    recorder.log.close()

    history = begin(new_spec(space={"rate": {"min": 0.0, "max": 1.0}})).log.history

    assert [trial.state for trial in history.trials] == [TrialState.FAILED]
    assert history.within_space().trials == ()


def test_how_a_study_is_run_may_change(begin: Any, new_spec: Callable[..., Any]) -> None:
    begin().log.close()
    changed = new_spec(
        budget={"time": "1h"}, run={"workers": 4}, finalists={"top": 2}, schedule={"cron": "0 3 * * 1"}, tags={"a": "b"}
    )
    assert begin(changed).log.history.spec == changed


def test_an_event_that_contradicts_the_history_is_not_written(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    with pytest.raises(ValueError, match="names trial 7"):
        recorder.log.record(*recorder.outcome(7, {"val_loss": 1.0}))
    recorder.complete(ADAM, value=1.0)
    recorder.log.close()
    with open_history(store.root) as history:
        assert len(history.history("digits").trials) == 1


def test_a_log_that_failed_to_write_must_be_opened_again(begin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = begin()
    recorder.complete(ADAM, value=1.0)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreUnwritableError, match="No space left"):
            recorder.start(ADAM)
    with pytest.raises(StoreError, match="given up after a failed write"):
        recorder.start(ADAM)
    recorder.log.close()
    assert len(begin(None, "run-2").log.history.trials) == 1


def test_a_run_says_how_it_ended(store: StoreLayout, new_spec: Any, new_run: Any) -> None:
    with pytest.raises(KeyboardInterrupt), open_study(store, new_spec(), new_run(new_spec(), "stopped")):
        raise KeyboardInterrupt
    with pytest.raises(ZeroDivisionError), open_study(store, new_spec(), new_run(new_spec(), "broken")):
        raise ZeroDivisionError("by zero")
    with open_history(store.root) as history:
        runs = history.sql(
            "SELECT run, status, message, ended_at >= started_at FROM runs ORDER BY started_at"
        ).fetchall()
    assert runs == [("stopped", "interrupted", "", True), ("broken", "failed", "ZeroDivisionError: by zero", True)]


def test_the_snapshot_follows_while_the_study_runs(store: StoreLayout, begin: Any) -> None:
    begin().complete(ADAM, value=1.0)
    deadline = time.monotonic() + 20
    found = 0
    while not found and time.monotonic() < deadline:
        time.sleep(0.1)
        with open_history(store.root) as history:
            found = history.sql("SELECT count(*) FROM trials").fetchall()[0][0]
    assert found == 1


def damage(store: StoreLayout, word: bytes) -> None:
    """Flip a bit in the first driver's event that holds a word, and forget what was ingested."""
    (packed,) = store.archive.glob("*-driver-*.jsonl.zst")
    path = store.journal / packed.name.removesuffix(".zst")
    content = zstandard.ZstdDecompressor().stream_reader(packed.read_bytes()).read()
    packed.unlink()
    position = content.index(word)
    path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
    store.master.unlink()
    store.snapshot.unlink()


def test_a_lost_decision_stops_the_study_but_not_its_readers(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    recorder.complete(ADAM, value=1.0)
    recorder.complete(ADAM, value=2.0)
    recorder.log.close()
    damage(store, b"decision_made")
    with pytest.raises(StoreCorruptError, match=r"expected decision 0, got decision 1.*pegbox doctor"):
        begin(None, "run-2")
    with open_history(store.root) as history:
        assert history.sql("SELECT count(*) FROM trials WHERE value IS NOT NULL").fetchall() == [(2,)]


def test_a_lost_evaluation_makes_the_trial_run_again(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    recorder.complete(ADAM, value=1.0)
    version = recorder.log.history.version
    recorder.log.close()
    damage(store, b"trial_evaluated")
    history = begin(None, "run-2").log.history
    assert history.trials[0].state is TrialState.RUNNING
    assert history.version == version + 2


def test_the_best_trial_follows_the_goal(recorded: StoreLayout, store: StoreLayout, begin: Any, new_spec: Any) -> None:
    recorder = begin(new_spec(objective={"metric": "accuracy", "goal": "maximize"}))
    recorder.complete(ADAM, value=0.0, accuracy=0.5)
    recorder.complete(ADAM, value=0.0, accuracy=0.9)
    recorder.fail(ADAM)
    recorder.log.close()
    with open_history(store.root) as highest, open_history(recorded.root) as lowest:
        best, least = highest.best("digits"), lowest.best("digits")
    assert best is not None
    assert least is not None
    assert (best["number"], best["value"], least["number"]) == (1, 0.9, 7)


def test_an_unknown_study_is_answered_with_the_nearest(recorded: StoreLayout) -> None:
    with open_history(recorded.root) as history, pytest.raises(NotFoundError, match="Did you mean 'digits'"):
        history.trials("digit")


def test_an_invalid_query_is_a_query_error(recorded: StoreLayout) -> None:
    with open_history(recorded.root) as history, pytest.raises(QueryError, match="syntax error"):
        history.sql("SELEC 1")


def test_a_history_is_shown_as_a_small_table(recorded: StoreLayout) -> None:
    with open_history(recorded.root) as history:
        assert "2 studies, 23 trials" in repr(history)
        shown = history._repr_html_()
    assert shown.count("<tr>") == 3
    assert "other/study &quot;x&quot;" in shown


def test_many_threads_get_their_own_answers(recorded: StoreLayout) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with open_history(recorded.root) as history, ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda number: history.sql(f"SELECT {number}, count(*) FROM trials").fetchall(), range(200))
        )
    assert answers == [[(number, 23)] for number in range(200)]


def test_an_answer_comes_as_a_data_frame_or_arrow(recorded: StoreLayout) -> None:
    with open_history(recorded.root) as history:
        trials = history.trials("digits")
        assert trials.df()["lr"].iloc[0] == 0.1
        assert trials.to_arrow_table().num_rows == 20
