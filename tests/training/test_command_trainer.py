"""Programs of a user's: arguments, metrics from what they print or write, checkpoints, and their end."""

import os
import sys
import textwrap
import time
from pathlib import Path

import pytest
from tests.training.conftest import ignore, make_segment

from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.train import CommandTrain
from pegbox.training.command_trainer import CommandTrainer


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Write a program, run it as a segment, and give what was trained and its metrics."""
    monkeypatch.chdir(tmp_path)

    def train(code, *arguments, metrics="auto", configuration=None, report=ignore, **changes):
        Path("program.py").write_text(textwrap.dedent(code))
        command = (sys.executable, "program.py", *arguments)
        spec = CommandTrain(kind="command", command=command, metrics=metrics, epochs=9)
        segment = make_segment(configuration or {"lr": 0.5}, train=spec, **changes)
        trained = CommandTrainer().train(segment, None, tmp_path / "checkpoints", report)
        return trained, CommandTrainer().evaluate(segment, trained, None, "valid").metrics

    return train


def refusal(run, code, *arguments, **options):
    with pytest.raises(TrialError) as raised:
        run(code, *arguments, **options)
    return raised.value.failure


def test_name_value_pairs_and_json_lines_are_metrics(run):
    seen = []

    trained, metrics = run(
        """
        print("starting 2026-01-01")
        print("epoch=1 loss=0.5 acc=90% note=fine")
        print('{"epoch": 2, "loss": 0.25, "note": "fine"}')
        """,
        report=lambda step, metrics: seen.append((step, metrics)),
    )

    assert seen == [(1, {"loss": 0.5, "acc": 0.9}), (2, {"loss": 0.25})]
    assert metrics == {"loss": 0.25, "acc": 0.9}
    assert trained.understood == "read loss, acc; step from `epoch`; percentages as fractions, 81.2% is 0.812"
    assert trained.budget == 2


def test_a_regular_expression_names_its_metrics(run):
    _, metrics = run("print('Epoch 3: loss is 1e-2!')", metrics=r"regex:Epoch (?P<epoch>\d+): loss is (?P<loss>[^!]+)")

    assert metrics == {"loss": 0.01}


def test_metrics_are_read_from_a_file(run):
    _, metrics = run(
        """
        import json, sys
        print("loss=9")
        open(sys.argv[1] + "/metrics.json", "w").write(json.dumps({"loss": 0.125}))
        """,
        "{checkpoint_dir}",
        metrics="file:{checkpoint_dir}/metrics.json",
    )

    assert metrics == {"loss": 0.125}


def test_an_old_file_is_not_taken_for_this_trials(run, tmp_path):
    (tmp_path / "metrics.json").write_text('{"loss": 1}')
    os.utime(tmp_path / "metrics.json", (0, 0))

    assert "did not write 'metrics.json'" in refusal(run, "", metrics="file:metrics.json").message


def test_reports_come_while_the_program_runs(run):
    times = []

    run(
        """
        import time
        print("epoch=1 loss=1"); time.sleep(0.6); print("epoch=2 loss=1")
        """,
        report=lambda *_: times.append(time.perf_counter()),
    )

    assert times[1] - times[0] > 0.3


def test_placeholders_are_filled_and_no_shell_reads_them(run):
    trained, _ = run(
        """
        import json, sys
        assert sys.argv[1:] == ["--lr=0.5", "--units", "64,32", "--fast", "true", "{kept}", "; touch hacked"], sys.argv
        print("loss=1")
        """,
        "--lr={lr}",
        "--units",
        "{units}",
        "--fast",
        "{fast}",
        "--momentum",
        "{momentum}",
        "{{kept}}",
        "{name}",
        configuration={"lr": 0.5, "units": (64, 32), "fast": True, "name": "; touch hacked"},
    )

    assert trained.budget == 2
    assert not Path("hacked").exists()


def test_the_environment_says_the_same(run):
    _, metrics = run(
        """
        import json, os
        values = json.loads(os.environ["PEGBOX_CONFIGURATION"])
        print(json.dumps({"lr": values["lr"], "epochs": int(os.environ["PEGBOX_EPOCHS"])}))
        """
    )

    assert metrics == {"lr": 0.5, "epochs": 2.0}


CONTINUES = """
import os
before, here = os.environ.get("PEGBOX_RESUME_DIR"), os.environ["PEGBOX_CHECKPOINT_DIR"]
total = int(open(before + "/total").read()) if before else 0
for epoch in range(int(os.environ["PEGBOX_FROM_EPOCHS"]) + 1, int(os.environ["PEGBOX_EPOCHS"]) + 1):
    total += epoch
    print(f"epoch={epoch} total={total}")
open(here + "/total", "w").write(str(total))
"""


def test_a_program_that_leaves_a_checkpoint_continues(run):
    first, _ = run(CONTINUES, to_budget=3)
    rest, metrics = run(CONTINUES, from_budget=3, to_budget=9, checkpoint=first.checkpoint)

    assert [report.step for report in rest.reports] == [4, 5, 6, 7, 8, 9]
    assert metrics == {"total": 45.0}
    assert not rest.restarted


def test_a_program_that_leaves_none_restarts_and_says_so(run):
    trained, _ = run("print('loss=1')", from_budget=3, to_budget=9)

    assert trained.restarted


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("raise SystemExit('no data')", "error", "ended with exit code 1: no data"),
        ("import sys; sys.exit(3)", "error", "exit code 3: it printed nothing"),
        ("import os; os.abort()", "killed", "was ended by SIGABRT"),
        ("raise MemoryError", "out_of_memory", "MemoryError"),
        ("print('done')", "invalid", "Lines that were not read: 'done'. Print lines such as `epoch=3 val_loss=0.5`"),
        ("print('a'); print('b 1 c'); print('c'); print('d')", "invalid", "not read: 'b 1 c', 'c', 'd'."),
        ("pass", "invalid", "It printed nothing."),
        ("print('loss=1,205.13')", "invalid", "not read: 'loss=1,205.13'"),
    ],
)
def test_what_went_wrong_is_named(run, code, kind, message):
    failure = refusal(run, code)

    assert failure.kind == kind
    assert message in failure.message


def test_a_text_where_a_number_should_be_is_invalid(run):
    failure = refusal(run, "print('loss: low')", metrics=r"regex:loss: (?P<loss>\w+)")

    assert failure.kind is FailureKind.INVALID
    assert "not read: 'loss: low'" in failure.message


def test_a_failure_names_the_programs_own_cause(run):
    failure = refusal(
        run,
        """
        import sys
        def main():
            raise ValueError("no such data set")
        try:
            print("epoch=1 loss=0.5")
            main()
        except ValueError:
            import traceback
            traceback.print_exc()
            print("Set HYDRA_FULL_ERROR=1 for a complete stack trace.", file=sys.stderr)
            sys.exit(1)
        """,
    )

    assert failure.kind is FailureKind.ERROR
    assert "ended with exit code 1: ValueError: no such data set (" in failure.message
    assert failure.message.endswith("program.py, line 4, in main)")
    assert "epoch=1 loss=0.5" in failure.traceback
    assert "complete stack trace" in failure.traceback


def test_a_cause_that_stands_on_stdout_is_found(run):
    assert "RuntimeError: bad" in refusal(run, "print('RuntimeError: bad'); raise SystemExit(2)").message


def test_a_refused_argument_is_the_cause(run):
    code = """
    import argparse
    argparse.ArgumentParser().parse_args()
    """

    assert "error: unrecognized arguments: --lr" in refusal(run, code, "--lr").message


def test_what_logging_writes_to_stderr_is_read_too(run):
    trained, metrics = run(
        """
        import sys
        for epoch in (1, 2):
            print(f"epoch={epoch} loss={1 / epoch}")
            print(f"INFO epoch {epoch}: loss: 9 val_acc: {epoch / 4}", file=sys.stderr)
        """
    )

    assert metrics == {"loss": 0.5, "val_acc": 0.5}
    assert [report.step for report in trained.reports if "val_acc" in report.metrics] == [1, 2]
    assert trained.understood == "read loss; step from `epoch`; from stderr read val_acc; step from `epoch`"


def test_no_number_is_cut_where_a_long_line_is(run):
    line = "x" * 99_990 + " loss=0.125 " + "y" * 200_000 + " acc=0.25"

    _, metrics = run(f"import sys\nfor part in {line!r}.split('.'): print(part, end='.', flush=True)\nprint()")

    assert metrics in ({"loss": 0.125, "acc": 0.25}, {"loss": 0.125})


def test_a_program_that_is_not_there_is_invalid(tmp_path):
    spec = CommandTrain(kind="command", command=("no-such-program",))

    with pytest.raises(TrialError, match="'no-such-program' could not be started: No such file"):
        CommandTrainer().train(make_segment(train=spec), None, tmp_path, ignore)


def test_megabytes_without_a_line_end_are_read(run):
    _, metrics = run("print('x' * 5_000_000, end=''); print(); print('loss=1')")

    assert metrics == {"loss": 1.0}


def test_what_a_program_leaves_running_is_ended(run, tmp_path):
    code = """
    import subprocess, sys
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(86400)"])  # a wait would hang
    open("pid", "w").write(str(child.pid))
    print("loss=1", flush=True)
    """

    run(code)

    assert not is_running(int((tmp_path / "pid").read_text()))


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_secret_comes_from_the_environment_and_is_not_repeated(run, monkeypatch, capsys):
    monkeypatch.setenv("PEGBOX_TEST_KEY", "hunter2x")
    code = """
        import sys
        print("key", sys.argv[1])
        print("to tcp://me:hunter3x@host")
        print(f"{sys.argv[1][6:]}=1")
        print(f"value={len(sys.argv[1])}")
        sys.exit(3 if len(sys.argv) > 2 else 0)
    """

    _, metrics = run(code, "--key=${env:PEGBOX_TEST_KEY}")
    failure = refusal(run, code, "--key=${env:PEGBOX_TEST_KEY}", "fail")

    said = f"{metrics}{failure.message}{failure.traceback}{capsys.readouterr().out}"
    assert metrics["value"] == len("--key=hunter2x")
    assert "hunter2x" not in said
    assert "hunter3x" not in said
    assert "${env:PEGBOX_TEST_KEY}" in failure.traceback


def test_a_variable_that_is_not_set_is_named(run):
    failure = refusal(run, "print('value=1')", "${env:PEGBOX_TEST_UNSET}")

    assert failure.kind is FailureKind.INVALID
    assert "the environment variable 'PEGBOX_TEST_UNSET', which is not set" in failure.message
