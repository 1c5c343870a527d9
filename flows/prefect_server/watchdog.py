"""Sets up a Prefect automation that marks dead flow runs as crashed; watches nothing itself."""

from datetime import timedelta

from prefect.automations import Automation
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.settings import get_current_settings

NAME = "pegbox: crash flow runs without a heartbeat"
# Picked by hand: heartbeats of a busy machine come late, and a living run called crashed costs more than a dead one
# that is found minutes later.
SLOWEST_HEARTBEAT = 180
"""Seconds between two heartbeats, where a run's own settings do not say otherwise."""
# A run that has ended, or rests on purpose, sends no heartbeat either, and is not dead.
ENDS = ("Completed", "Failed", "Crashed", "Cancelled", "Cancelling", "Paused", "Suspended")


def set_up_watchdog(patience: timedelta | None = None) -> str:
    """Make the automation, or renew the one that is there.

    A run that was heard of and then misses three heartbeats is dead.

    Args:
        patience: How long a run may be silent; three heartbeats and a minute where it is left out.

    Returns:
        The name of the automation.
    """
    wanted = _automation(patience or _three_heartbeats())
    for present in _present():
        wanted = wanted.model_copy(update={"id": present.id})
    if wanted.id is None:
        wanted.create()
    else:
        wanted.update()
    return NAME


def _present() -> list[Automation]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        found = client.read_automations_by_name(NAME)
    return [Automation(**automation.model_dump(include={"id", "name", "trigger", "actions"})) for automation in found]


def _three_heartbeats() -> timedelta:
    frequency = get_current_settings().flows.heartbeat_frequency or SLOWEST_HEARTBEAT
    # Three, so that one or two that are lost or late end nothing; the minute is for the server's own delay.
    return timedelta(seconds=3 * max(frequency, SLOWEST_HEARTBEAT) + 60)


def _automation(patience: timedelta) -> Automation:
    return Automation(
        name=NAME,
        description="Written by `pegbox schedule --watchdog`.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *(f"prefect.flow-run.{end}" for end in ENDS)},
            match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
            match_related=ResourceSpecification(
                {"prefect.resource.role": "flow", "prefect.resource.name": ["tune", "retune"]}
            ),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=patience,
        ),
        actions=[
            ChangeFlowRunState(
                type="change-flow-run-state",
                state=StateType.CRASHED,
                message="No heartbeat came: the process is gone. The same command goes on with the study.",
            )
        ],
    )
