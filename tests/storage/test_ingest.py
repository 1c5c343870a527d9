import shutil
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pegbox.schemas.events import MetricsReported, TrialFailed
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.storage.history_file import open_history
from pegbox.storage.ingest import ingest
from pegbox.storage.journal import Journal
from pegbox.storage.layout import StoreLayout
from pegbox.storage.locks import exclusive

TABLES = ("studies", "runs", "trials", "attempts", "segments", "metrics", "evaluations", "decisions", "selections")


def contents(store: StoreLayout) -> dict[str, list[Any]]:
    with open_history(store.root) as history:
        return {table: sorted(map(repr, history.sql(f"FROM {table}").fetchall())) for table in TABLES}


def count(store: StoreLayout, query: str) -> int:
    with open_history(store.root) as history:
        return int(history.sql(query).fetchall()[0][0])


def journal_named(store: StoreLayout, word: str) -> Path:
    return next(store.journal.glob(f"*-{word}-*.jsonl"))


def test_a_trial_becomes_rows_of_every_table(recorded: StoreLayout) -> None:
    with open_history(recorded.root) as history:
        trial = history.sql("FROM trials WHERE study = 'digits' AND number = 7")
        row = dict(zip(trial.columns, trial.fetchall()[0], strict=True))
        steps = history.sql(
            "SELECT name, list(value ORDER BY step) FROM metrics WHERE study = 'digits' AND trial = 7 GROUP BY name"
        )
        evaluation = history.sql("SELECT budget, value, seconds FROM evaluations WHERE study = 'digits' AND trial = 7")
        segment = history.sql(
            "SELECT from_budget, to_budget, reached, seconds, device, peak_memory_bytes FROM segments "
            "WHERE study = 'digits' AND trial = 7"
        )
        attempt = history.sql("SELECT attempt, state, run FROM attempts WHERE study = 'digits' AND trial = 7")
        decision = history.sql(
            "SELECT number, kind, to_budget, version - saw FROM decisions WHERE study = 'digits' AND trial = 7"
        )
        assert row["params"] == {"layers": 4, "lr": 0.001, "momentum": pytest.approx(0.7), "optimizer": "sgd"}
        assert row["metrics"] == {"val_loss": 1.0, "cost": 7.0}
        assert (row["state"], row["value"], row["budget"], row["seconds"], row["run"]) == (
            "completed",
            1.0,
            3,
            9.0,
            "run-1",
        )
        assert row["created_at"] <= row["started_at"] <= row["ended_at"]
        assert sorted(steps.fetchall()) == [("train_loss", [1.0, 1.0, 1.0]), ("val_loss", [3.0, 2.0, 1.0])]
        assert evaluation.fetchall() == [(3, 1.0, 9.0)]
        assert segment.fetchall() == [(0, 3, 3, 9.0, "cpu", 1 << 20)]
        assert attempt.fetchall() == [(1, "trained", "run-1")]
        assert decision.fetchall() == [(7, "start", 3, 1)]


def test_a_failure_keeps_its_kind(recorded: StoreLayout) -> None:
    with open_history(recorded.root) as history:
        failed = history.sql(
            "SELECT number, failure_kind, failure_message FROM trials WHERE state = 'failed' ORDER BY 1"
        )
        assert failed.fetchall() == [
            (18, "diverged", "the loss was diverged"),
            (19, "out_of_memory", "the loss was out_of_memory"),
        ]


def test_each_study_has_a_typed_view(recorded: StoreLayout) -> None:
    with open_history(recorded.root) as history:
        view = history.sql("SELECT lr, layers, optimizer, momentum FROM study_digits WHERE number = 2")
        other = history.sql('SELECT count(*) FROM "study_other/study ""x"""').fetchall()
        assert [str(kind) for kind in view.types] == ["DOUBLE", "BIGINT", "VARCHAR", "DOUBLE"]
        assert view.fetchall() == [(0.001, 3, "adamw", None)]
        assert other == [(3,)]


def test_studies_whose_names_differ_by_case_keep_their_own_views(store: StoreLayout, begin: Any, new_spec: Any) -> None:
    begin(new_spec("Digits")).complete({"lr": 0.1, "layers": 1, "optimizer": "adamw"}, value=1.0)
    begin(new_spec("digits"), "run-2").log.close()
    assert count(store, 'SELECT count(*) FROM "study_Digits"') == 1
    assert count(store, 'SELECT count(*) FROM "study_digits (2)"') == 0


def test_parameters_named_like_columns_get_names_of_their_own(store: StoreLayout, begin: Any, new_spec: Any) -> None:
    space = {"value": {"min": 0.0, "max": 9.0}, "LR": [1, 2], "lr": [True, False], 'a"b': ["x"]}
    spec = new_spec(space=space)
    begin(spec).complete({"value": 2.5, "LR": 2, "lr": True, 'a"b': "x"}, value=1.0)
    with open_history(store.root) as history:
        found = history.sql('SELECT value, param_value, "LR", param_lr, "a""b" FROM study_digits').fetchall()
    assert found == [(1.0, 2.5, 2, True, "x")]


def test_ingesting_everything_again_changes_nothing(recorded: StoreLayout, tmp_path: Path) -> None:
    copy = StoreLayout(tmp_path / "copy")
    shutil.copytree(recorded.root, copy.root)
    before = contents(copy)
    with duckdb.connect(str(copy.master)) as master:
        master.execute("DELETE FROM journals")
    done = ingest(copy)
    assert done is not None
    assert done.n_events > 100
    assert contents(copy) == before
    assert count(copy, "SELECT count(*) FROM quarantine") == 0


def test_a_copied_journal_doubles_nothing(recorded: StoreLayout, tmp_path: Path) -> None:
    copy = StoreLayout(tmp_path / "copy")
    shutil.copytree(recorded.root, copy.root)
    before = contents(copy)
    for path in list(copy.journal.glob("*.jsonl")):
        shutil.copy(path, path.with_name(f"copy-of-{path.name}"))
    assert contents(copy) == before


@pytest.mark.parametrize("reverse", [False, True])
def test_the_order_in_which_journals_are_read_does_not_matter(
    recorded: StoreLayout, tmp_path: Path, reverse: bool
) -> None:
    copy = StoreLayout(tmp_path / "copy")
    shutil.copytree(recorded.root, copy.root)
    before = contents(copy)
    copy.master.unlink()
    waiting = [
        path.rename(path.with_suffix(".waiting")) for path in sorted(copy.journal.glob("*.jsonl"), reverse=reverse)
    ]
    for path in waiting:
        path.rename(path.with_suffix(".jsonl"))
        ingest(copy)
    assert contents(copy) == before


def test_a_torn_last_line_waits_for_its_rest(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    recorder.complete({"lr": 0.1, "layers": 1, "optimizer": "adamw"}, value=1.0)
    recorder.log.close()
    path = journal_named(store, "worker")
    whole = path.read_bytes()
    another = MetricsReported(study="digits", trial=0, attempt=1, fold=0, seed=0, step=9, metrics={"val_loss": 9.0})
    Journal(store.root, "worker").append(another)
    line = next(store.root.glob("*-worker-*.jsonl")).read_bytes()
    path.write_bytes(whole + line[:40])
    assert count(store, "SELECT count(*) FROM metrics WHERE step = 9") == 0
    path.write_bytes(whole + line)
    assert count(store, "SELECT count(*) FROM metrics WHERE step = 9") == 1
    assert count(store, "SELECT count(*) FROM quarantine") == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"garbage", "not a line of a journal"),
        (b"\xff\xfe\x00", "not a line of a journal"),
        (b'{"crc":"00000000","seq":1,"at":1.0,"study":"s"}', "the checksum does not match"),
    ],
)
def test_a_bad_line_is_set_aside_and_the_others_count(store: StoreLayout, begin: Any, line: bytes, reason: str) -> None:
    recorder = begin()
    recorder.complete({"lr": 0.1, "layers": 1, "optimizer": "adamw"}, value=1.0)
    recorder.log.close()
    path = journal_named(store, "worker")
    first, rest = path.read_bytes().split(b"\n", 1)
    (store.journal / "other-worker-x.jsonl").write_bytes(first + b"\n" + line + b"\n" + rest)
    path.unlink()
    store.master.unlink()
    with open_history(store.root) as history:
        assert history.sql("SELECT journal, byte_offset, reason FROM quarantine").fetchall() == [
            ("other-worker-x", len(first) + 1, reason)
        ]
        assert history.sql("SELECT count(*) FROM metrics").fetchall() == [(6,)]


def test_an_event_of_an_unknown_type_is_set_aside(store: StoreLayout) -> None:
    import zlib

    covered = b'"seq":1,"at":1.0,"study":"s","type":"made_by_a_later_version"}'
    (store.journal / "x-driver-y.jsonl").write_bytes(b'{"crc":"%08x",%b\n' % (zlib.crc32(covered), covered))
    with open_history(store.root) as history:
        assert history.sql("SELECT reason FROM quarantine").fetchall() == [
            ("unknown event type made_by_a_later_version",)
        ]


def test_a_line_that_the_database_cannot_read_is_set_aside_alone(store: StoreLayout, begin: Any) -> None:
    import zlib

    recorder = begin()
    recorder.complete({"lr": 0.1, "layers": 1, "optimizer": "adamw"}, value=1.0)
    covered = b'"seq":1,"at":1.0,"study":"\\ud800","type":"run_ended"}'
    (store.journal / "x-worker-y.jsonl").write_bytes(b'{"crc":"%08x",%b\n' % (zlib.crc32(covered), covered))
    recorder.log.close()
    assert count(store, "SELECT count(*) FROM quarantine WHERE reason LIKE '%surrogate%'") == 1
    assert count(store, "SELECT count(*) FROM trials") == 1


def test_an_event_that_contradicts_a_version_is_set_aside(store: StoreLayout, begin: Any, new_run: Any) -> None:
    recorder = begin()
    recorder.log.close()
    Journal(store.journal, "driver").append(new_run(recorder.spec, "an impostor"), version=2)
    assert count(store, "SELECT count(*) FROM runs") == 1
    assert count(store, "SELECT count(*) FROM quarantine WHERE reason LIKE 'version 2 %'") == 1


def test_reports_of_a_cached_segment_are_the_same_rows(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    recorder.complete({"lr": 0.1, "layers": 1, "optimizer": "adamw"}, value=1.0)
    recorder.log.record(*recorder.reports(0, value=1.0))
    recorder.log.close()
    assert count(store, "SELECT count(*) FROM metrics") == 6


def test_of_a_step_that_is_reported_again_the_last_word_counts(store: StoreLayout) -> None:
    def report(loss: float) -> MetricsReported:
        metrics = {"loss": loss}
        return MetricsReported(study="s", trial=0, attempt=1, fold=0, seed=0, step=1, metrics=metrics)

    journal = Journal(store.journal, "worker")
    journal.append(report(0.9), report(0.5))
    ingest(store, wait=True, force=True)
    assert count(store, "SELECT 100 * value FROM metrics") == 50

    journal.append(report(0.25))
    ingest(store, wait=True, force=True)

    assert count(store, "SELECT 100 * value FROM metrics") == 25
    assert count(store, "SELECT count(*) FROM metrics") == 1


def test_another_process_that_ingests_is_not_waited_for(store: StoreLayout) -> None:
    with exclusive(store.ingest / "ingest.lock", wait=False) as held:
        assert held
        assert ingest(store) is None


def test_values_that_are_not_finite_are_null(store: StoreLayout, begin: Any) -> None:
    recorder = begin()
    number = recorder.start({"lr": 0.1, "layers": 1, "optimizer": "adamw"})
    report = recorder.reports(number, value=1.0)[0]
    metrics = {"nan": float("nan"), "inf": float("inf"), "low": -float("inf"), "huge": 1.7e308}
    recorder.worker.append(report.model_copy(update={"metrics": metrics}))
    recorder.log.close()
    with open_history(store.root) as history:
        found = dict(history.sql("SELECT name, value FROM metrics").fetchall())
    assert found == {"nan": None, "inf": None, "low": None, "huge": 1.7e308}


@pytest.mark.parametrize(
    "name", ['it\'s "quoted"', "a/b/../c", "x" * 200, "étude-☃-研究", "semi;colon--", "%s {} $1", "trials", "\\back"]
)
def test_a_study_may_have_any_name(store: StoreLayout, begin: Any, new_spec: Any, name: str) -> None:
    recorder = begin(new_spec(name, space={"lr": {"min": 0.0, "max": 1.0}, "optimizer": ["adamw", "☃ '"]}))
    recorder.complete({"lr": 0.1, "optimizer": "☃ '"}, value=1.0)
    recorder.log.close()
    with open_history(store.root) as history:
        assert history.trials(name).fetchall()[0][:3] == (0, "completed", 1.0)
        best = history.best(name)
        assert best is not None
        assert best["params"]["optimizer"] == "☃ '"
        assert history.history(name).spec.name == name


def test_ten_thousand_parameters_are_kept(store: StoreLayout, begin: Any, new_spec: Any) -> None:
    names = [f"p{number:05d}" for number in range(10_000)]
    spec = new_spec(space={name: {"min": 0.0, "max": 1.0} for name in names})
    recorder = begin(spec)
    recorder.complete(dict.fromkeys(names, 0.5) | {"p09999": 0.75}, value=1.0)
    recorder.log.close()
    assert count(store, "SELECT count(*) FROM study_digits WHERE p09999 = 0.75 AND p00000 = 0.5") == 1


def test_clocks_of_two_hosts_may_differ(store: StoreLayout, begin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = begin()
    first.complete({"lr": 0.1, "layers": 1, "optimizer": "adamw"}, value=1.0)
    first.log.close()
    now, gmtime = time.time, time.gmtime
    monkeypatch.setattr("pegbox.storage.journal.time.time", lambda: now() - 86_400.0)
    monkeypatch.setattr("pegbox.storage.journal.time.gmtime", lambda: gmtime(now() - 86_400.0))
    second = begin(None, "run-2")
    second.complete({"lr": 0.2, "layers": 2, "optimizer": "sgd", "momentum": 0.5}, value=0.5)
    second.log.close()
    store.master.unlink()
    with open_history(store.root) as history:
        states = history.sql("SELECT number, state, value FROM trials ORDER BY number").fetchall()
        assert states == [(0, "completed", 1.0), (1, "completed", 0.5)]
        assert len(history.history("digits").trials) == 2


@pytest.mark.parametrize("text", ["caf\udce9.jpg", "a\0b", "\ud800", "x" * 10_000_000])
def test_a_failure_may_say_anything(store: StoreLayout, begin: Any, text: str) -> None:
    recorder = begin()
    number = recorder.start({"lr": 0.1})
    failure = Failure(kind=FailureKind.ERROR, message=text, traceback=text)

    recorder.log.record(TrialFailed(study=recorder.spec.name, trial=number, attempt=1, failure=failure, final=True))
    ingest(store)

    with open_history(store.root) as history:
        found = history.sql(
            "SELECT failure_message, failure_traceback FROM attempts WHERE failure_kind = 'error'"
        ).fetchall()
    assert found == [(failure.message, failure.traceback)]
