"""The picture of a running study holds what a person looks for, at any width."""

import io

import pytest
from rich.console import Console

from pegbox.cli.console import THEME
from pegbox.cli.live import LiveView, trial_line
from pegbox.cli.live_panel import draw_panel, draw_start
from pegbox.cli.sparkline import sparkline
from pegbox.report.incumbent import BrokenConstraint, Incumbent, front_of
from pegbox.report.number_format import spaced
from pegbox.report.progress import BudgetUse, FailureExample
from pegbox.report.status import FinishedTrial, RunningTrial, RunState, StudyStatus
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.plan import Objective
from pegbox.schemas.trial import TrialState

STATUS = StudyStatus(
    study="higgs-mlp",
    phase="searching",
    metric="val_loss",
    goal="minimize",
    objectives=(Objective(metric="val_loss"),),
    method="bayes",
    schedule="asha",
    run=RunState(run="r", pid=7),
    budget=(BudgetUse(limit="epochs", used=11840, total=27000), BudgetUse(limit="time", used=60, total=3600)),
    counts={TrialState.COMPLETED: 212, TrialState.STOPPED: 391, TrialState.FAILED: 6},
    failures={FailureKind.OUT_OF_MEMORY: 5, FailureKind.ERROR: 1},
    incumbent=Incumbent(trial=473, value=0.20311, values={"val_loss": 0.20311}, budget=27, configuration={"lr": 1e-3}),
    workers=8,
    busy=2,
    busy_share=0.94,
    elapsed_seconds=3000,
    seconds_left=1320,
    running=(
        RunningTrial(
            trial=609,
            to_budget=27,
            step=14,
            value=0.2104,
            versus_best=0.0073,
            curve=(0.5, 0.4, 0.2104),
            configuration={"lr": 1.2e-3, "hidden": 284, "act": "gelu"},
        ),
        RunningTrial(trial=611, to_budget=9, configuration={"lr": 3.1e-4, "hidden": 96}),
    ),
)


def shown(renderable: object, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None, theme=THEME)
    console.print(renderable)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "words",
    [
        "higgs-mlp  minimise val_loss  ·  bayes + asha",
        "11 840 / 27 000 epochs  44 % · 22 min left",
        "best so far 0.2031 trial 473   completed 212   stopped 391   failed 6 (5 out of memory, 1 error)",
        "workers 2/8 94 % busy",
        "searching · 50 min",
        "609  14/27    0.2104  +0.0073",
        "1.2e-3     284  gelu",
        "611    ·/9",
    ],
)
def test_the_picture_says_it(words):
    assert words in shown(draw_panel(STATUS, 120))


@pytest.mark.parametrize("width", [46, 80, 110, 250])
def test_no_line_is_wider_than_the_terminal_or_broken(width):
    lines = shown(draw_panel(STATUS, width), width).splitlines()

    assert {len(line) for line in lines} == {width}
    assert all(line[0] in "╭│╰" and line[-1] in "╮│╯" for line in lines)


def test_parameters_that_do_not_fit_are_left_out():
    wide = RunningTrial(trial=1, to_budget=9, configuration={f"parameter_{i}": i for i in range(40)})

    picture = shown(draw_panel(STATUS.model_copy(update={"running": (wide,)}), 100), 100)

    assert "parameter_2" in picture
    assert "parameter_39" not in picture


def test_the_finalists_round_is_drawn_by_its_seeds():
    status = STATUS.model_copy(update={"phase": "finalists", "replicates_done": 3, "replicates_planned": 10})

    assert "3 / 10 fresh seeds  30 %" in shown(draw_panel(status, 120))


def test_a_notice_is_shown():
    assert "Ctrl-C again stops" in shown(draw_panel(STATUS, 100, notice="Ctrl-C again stops"), 100)


def test_a_study_that_has_nothing_yet_can_be_drawn():
    bare = StudyStatus(
        study="x",
        phase="waiting",
        metric="m",
        goal="maximize",
        objectives=(Objective(metric="m", goal="maximize"),),
        method="grid",
        schedule="full",
        workers=1,
        elapsed_seconds=0,
    )

    assert "maximise m" in shown(draw_panel(bare, 80), 80)


def test_the_start_is_one_line_that_counts_seconds():
    assert shown(draw_start("the server", 7.4, 80), 80) == "starting  the server  7 s\n"


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([1.0], ""),
        ([2.0, 2.0], "▁▁"),
        ([4.0, 3.0, 2.0, 1.0], "█▆▃▁"),
        ([1000.0, 10.0, 1.0], "█▃▁"),
        (list(range(100)), "▁▂▃▄▅▆▇█"),
    ],
)
def test_a_curve_becomes_at_most_eight_bars(values, bars):
    assert sparkline(values) == bars


@pytest.mark.parametrize(("count", "text"), [(7, "7"), (9999, "9999"), (11840, "11 840"), (2.5, "2.5")])
def test_thousands_are_set_apart(count, text):
    assert spaced(count) == text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "trial 17    completed  val_loss 0.0831  4.2 s  lr=1.2e-3 name=a"),
        (
            {"state": "failed", "failure": "diverged", "message": "the loss is NaN\nat epoch 2", "values": {}},
            "trial 17    failed  diverged: the loss is NaN  4.2 s",
        ),
        ({"configuration": {f"p{i}": i for i in range(11)}}, "p7=7 +3 more"),
        ({"message": "\x1b[31m", "failure": "error", "state": "failed"}, "error: \N{REPLACEMENT CHARACTER}[31m"),
    ],
)
def test_a_finished_trial_is_one_line(changes, words):
    trial = FinishedTrial.model_validate(
        {
            "trial": 17,
            "state": "completed",
            "values": {"val_loss": 0.0831},
            "budget": 9,
            "seconds": 4.2,
            "configuration": {"lr": 0.0012, "name": "a"},
            **changes,
        }
    )

    line = trial_line(trial, STATUS, is_best=False).plain

    assert words in line
    assert "\n" not in line


class Scripted:
    """Looks that a test has prepared."""

    def __init__(self, *looks):
        self._looks = list(looks)

    def look(self):
        return self._looks.pop(0) if self._looks else None


def finished(number: int, value: float, is_best: bool = False) -> FinishedTrial:
    return FinishedTrial(
        trial=number,
        state=TrialState.COMPLETED,
        values={"val_loss": value},
        budget=9,
        configuration={},
        is_best=is_best,
    )


def test_without_a_terminal_each_finished_trial_is_a_line():
    file = io.StringIO()
    watched = Scripted((STATUS, (finished(0, 0.5, True), finished(1, 0.7))), (STATUS, (finished(2, 0.3, True),)))
    view = LiveView(Console(file=file, color_system=None, width=100, theme=THEME), watched)

    with view.open():
        view.waiting_for("the server")
        view._update()

    lines = file.getvalue().splitlines()
    assert lines[0] == "starting: the server"
    assert [line.split()[1] for line in lines[1:]] == ["0", "1", "2"]
    assert ["best so far" in line for line in lines[1:]] == [True, False, True]


def test_what_an_earlier_run_left_is_not_drawn():
    file = io.StringIO()
    view = LiveView(Console(file=file), Scripted((STATUS, (finished(0, 0.5),))), process=8)

    with view.open():
        pass

    assert view.status is None
    assert file.getvalue() == ""


def test_a_history_that_cannot_be_read_never_ends_a_view():
    class Broken:
        def look(self):
            from pegbox.schemas.errors import NotFoundError

            raise NotFoundError("no history yet.")

    with LiveView(Console(file=io.StringIO()), Broken()).open() as view:
        view._update()

    assert view.status is None


def test_on_a_terminal_the_picture_is_redrawn_and_then_cleared():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=100, height=30, theme=THEME)

    with LiveView(console, Scripted((STATUS, ()))).open() as view:
        view.waiting_for("the server")
        view._update()

    assert "starting" in file.getvalue()
    assert "higgs-mlp" in file.getvalue()
    assert file.getvalue().endswith("\x1b[2K") or "\x1b[1A\x1b[2K" in file.getvalue()


def test_the_studies_that_are_learnt_from_are_named():
    learner = STATUS.model_copy(update={"earlier": ("higgs@aaaa", "higgs@bbbb")})

    assert "learns from higgs@aaaa, higgs@bbbb" in shown(draw_panel(learner, 80), 80)


def test_how_the_best_came_about_stands_beside_it():
    status = STATUS.model_copy(update={"best_so_far": (4.0, 3.0, 2.0, 1.0)})

    assert "best so far 0.2031 trial 473  █▆▃▁   completed 212" in shown(draw_panel(status, 120))


def test_several_objectives_are_shown_by_their_front():
    goals = (Objective(metric="val_loss"), Objective(metric="speed", goal="maximize"))
    front = front_of([(1, (0.2, 1.0)), (2, (0.3, 5.0)), (3, (0.9, 6.0))], goals)
    best = STATUS.incumbent.model_copy(update={"trial": 2, "values": {"val_loss": 0.3, "speed": 5.0}})

    picture = shown(
        draw_panel(STATUS.model_copy(update={"objectives": goals, "front": front, "incumbent": best}), 140), 140
    )

    assert "minimise val_loss, maximise speed" in picture
    assert "front 3 trials   hypervolume 0.686   knee trial 2 val_loss 0.3000, speed 5.000" in picture
    assert "best 0.2031" not in picture


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method_reason": "It is small."}, "auto chose bayes: It is small."),
        ({"method_reason": "It is small.", "search_end": "All were tried."}, "search ended: All were tried."),
        (
            {"constraints": (BrokenConstraint(metric="size", limit="at most 9", n_broken=3, nearest=12),)},
            "3 of 212 completed break size at most 9; the nearest has 12.00",
        ),
        (
            {"incumbent": None, "failure": FailureExample(trial=7, message="ValueError: no\nmore")},
            "trial 7 failed: ValueError: no",
        ),
    ],
)
def test_what_the_figures_do_not_say_is_said_below_them(changes, words):
    assert words in shown(draw_panel(STATUS.model_copy(update=changes), 120))


def test_trials_that_nobody_trains_any_more_are_counted():
    counts = {**STATUS.counts, TrialState.RUNNING: 2, TrialState.PROPOSED: 1}
    gone = STATUS.model_copy(update={"run": RunState(status="lost"), "counts": counts, "running": ()})

    assert "unfinished 3" in shown(draw_panel(gone, 120))


def test_without_a_terminal_reasons_are_lines():
    file = io.StringIO()
    begun = STATUS.model_copy(update={"method_reason": "It is small."})
    ended = begun.model_copy(update={"search_end": "All were tried."})
    watched = Scripted((begun, ()), (ended, (finished(0, 0.5),)), (ended, ()))

    with LiveView(Console(file=file, color_system=None, width=100, theme=THEME), watched).open() as view:
        view._update()
        view._update()

    lines = file.getvalue().splitlines()
    assert lines[0] == "auto chose bayes: It is small."
    assert lines[1].startswith("trial 0 ")
    assert lines[2:] == ["search ended: All were tried."]


def test_what_was_read_of_a_program_is_told_once():
    file = io.StringIO()
    told = STATUS.model_copy(update={"understood": "trial 0 read val_loss; step from `epoch`"})
    watched = Scripted((STATUS, ()), (told, (finished(0, 0.5),)), (told, (finished(1, 0.5),)))

    with LiveView(Console(file=file, color_system=None, width=100, theme=THEME), watched).open() as view:
        view._update()
        view._update()
        view._update()

    lines = file.getvalue().splitlines()
    assert lines[0] == "trial 0 read val_loss; step from `epoch`"
    assert [line[:7] for line in lines[1:]] == ["trial 0", "trial 1"]


def test_the_line_of_a_trial_says_which_constraint_it_breaks():
    broken = finished(0, 0.1).model_copy(update={"broken": ("size 12.00 (at most 9)",)})

    assert "breaks size 12.00 (at most 9)" in trial_line(broken, STATUS, is_best=False).plain


def test_the_bar_reads_without_colours():
    bar = next(line for line in shown(draw_panel(STATUS, 120)).splitlines() if "budget" in line)

    assert bar.count("━") / (bar.count("━") + bar.count("─")) == pytest.approx(0.44, abs=0.01)
