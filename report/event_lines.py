"""What is recorded of a study as lines of a log: one for each decision, trial, failure and end."""

from collections.abc import Mapping

from pegbox.report.number_format import duration, metric, parameter
from pegbox.schemas.base import Value
from pegbox.schemas.decision import Continue, Fork, Start, Step, Stop
from pegbox.schemas.events import DecisionMade, Event, SearchEnded, SelectionMade, TrialEvaluated, TrialFailed
from pegbox.schemas.history import History
from pegbox.schemas.plan import counted
from pegbox.schemas.trial import TrialState


def line_of(event: Event, after: History) -> str | None:
    """What a decision or an end says in a log; None for what is no news."""
    match event:
        case DecisionMade():
            return f"trial {event.trial}: {decided(event.decision, after)}"
        case SearchEnded():
            return f"search ended: {event.reason}"
        case SelectionMade(selection=chosen):
            tested = f" Test: {_values(chosen.test_metrics)}." if chosen.test_metrics else ""
            return f"trial {chosen.winner} is selected: {chosen.reason}{tested}"
        case _:
            return None


def decided(decision: Step, history: History) -> str:
    """`begins with x=0.25, to epoch 9`."""
    match decision:
        case Start(to_budget=epoch):
            # A training of one epoch is no matter of epochs.
            to = f", to {_rung(history, epoch)}" if history.spec.full_budget > 1 else ""
            return f"begins with {_configuration(decision.configuration)}{to}"
        case Continue(to_budget=epoch):
            return f"goes on to {_rung(history, epoch)}"
        case Fork(to_budget=epoch):
            return (
                f"takes the place of trial {decision.replaces}: goes on from trial {decision.parent} at epoch "
                f"{decision.from_budget} to epoch {epoch} with {_configuration(decision.configuration)}"
            )
        case Stop():
            return "is stopped"


def _rung(history: History, amount: int) -> str:
    """`epoch 9`, or `500 rows` where these are what trials are compared by."""
    fidelity = history.spec.fidelity
    return f"epoch {amount}" if fidelity.is_of_epochs else counted(fidelity.of, amount)


def trial_line(event: TrialEvaluated, after: History) -> str:
    """`trial 17: completed with val_loss 0.0831 after 4.2 s`."""
    measured = event.evaluation
    goals = {goal.metric: measured.metrics[goal.metric] for goal in after.objectives if goal.metric in measured.metrics}
    values = f"{_values(goals)} after {duration(measured.seconds)}"
    if measured.replicate is not None:
        return f"trial {event.trial} on fresh seed {measured.replicate}: {values}"
    at = f" at {_rung(after, measured.budget)}" if event.state is not TrialState.COMPLETED else ""
    return f"trial {event.trial}: {event.state.value}{at} with {values}"


def failure_line(event: TrialFailed) -> str:
    """`trial 17: failed (out of memory): CUDA out of memory.`."""
    seed = f" on fresh seed {event.replicate}" if event.replicate is not None else ""
    lines = event.failure.message.strip().splitlines() or ["no message"]
    again = "" if event.final else " It is tried again."
    kind = event.failure.kind.value.replace("_", " ")
    return f"trial {event.trial}{seed}: attempt {event.attempt} failed ({kind}): {lines[0]}{again}"


def _configuration(values: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={parameter(value, digits=6)}" for name, value in values.items())


def _values(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {metric(value)}" for name, value in values.items())
