"""The answers of a scheduled study from run to run, as rows of a table: when, what was concluded, what runs since."""

from datetime import UTC, datetime
from pathlib import Path

from pegbox.report.number_format import metric, parameter, uncertain
from pegbox.schemas.study import StudySpec
from pegbox.search.warm_start_sources import FOR_DATA
from pegbox.storage.history_file import open_history
from pegbox.storage.queries.events import ChosenWinner, ScheduledStep, chosen_winners, schedule_steps

# Picked by hand: a page of them; the history keeps all.
SHOWN_STEPS = 50
"""The last conclusions that are shown."""

Row = dict[str, str | int | None]


def answer_history(root: Path, spec: StudySpec) -> tuple[Row, ...]:
    """What the schedule of a study concluded, latest first, with the value of the answer on the data of that time."""
    with open_history(root) as file:
        steps = schedule_steps(file, spec.name, SHOWN_STEPS)
        # Two studies for each state of the data: what was tuned, and the incumbent that was trained again.
        winners = chosen_winners(file, spec.name, spec.name + FOR_DATA, 2 * SHOWN_STEPS)
    answers = {one.study: one for one in reversed(winners)}
    return tuple(_row(one, spec, answers) for one in steps)


def _row(one: ScheduledStep, spec: StudySpec, answers: dict[str, ChosenWinner]) -> Row:
    incumbent = one.step.incumbent
    values = incumbent.configuration if incumbent else {}
    return {
        "when": f"{datetime.fromtimestamp(one.at, UTC):%Y-%m-%d %H:%M} UTC",
        "step": one.step.step,
        "runs since": ", ".join(f"{name}={parameter(value, 4)}" for name, value in values.items()),
        spec.goals[0].metric: _value(answers.get(incumbent.study)) if incumbent else "",
        "reason": one.step.reason,
        "study": incumbent.study if incumbent else "",
        "trial": incumbent.trial if incumbent else None,
    }


def _value(answer: ChosenWinner | None) -> str:
    """On fresh seeds, with its interval."""
    if answer is None:
        return ""
    best = next(one for one in answer.finalists if one.trial == answer.winner)
    if best.interval is None:
        return metric(best.expected)
    return uncertain(best.expected, best.interval.low, best.interval.high)
