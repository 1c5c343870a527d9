"""Prefect task: put the answer where people look for it in Prefect."""

import logging
from typing import Any

import httpx
from prefect import task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from pegbox.report.verdict import expected_value
from pegbox.schemas.history import History
from pegbox.schemas.selection import Selection

LEADERS = 20

_logger = logging.getLogger(__name__)


@task(name="publish-report", cache_policy=NO_CACHE, persist_result=False)
def publish_report(history: History, selection: Selection) -> None:
    """Artifacts `answer` (markdown) and `leaderboard` (table) of the flow run.

    The history has the answer already: a server that is gone costs the artifacts, not the study.
    """
    try:
        create_markdown_artifact(answer_markdown(selection), key="answer", description=f"Answer of {selection.study}")
        create_table_artifact(leaderboard(history), key="leaderboard", description=f"Best trials of {selection.study}")
    except httpx.HTTPError as error:
        _logger.warning("The answer of %s is not shown in Prefect: %s", selection.study, error)


def answer_markdown(selection: Selection) -> str:
    """The answer as a page of Prefect's."""
    best = selection.best
    value = f"{selection.metric} = {expected_value(best):.4g}"
    interval = f" ({best.interval.low:.4g} to {best.interval.high:.4g})" if best.interval else ""
    parameters = "\n".join(f"| `{name}` | `{value}` |" for name, value in selection.configuration.items())
    tests = "\n".join(f"- `{name}` = {value:.4g}" for name, value in selection.test_metrics.items())
    return (
        f"# {selection.study}\n\n**{value}**{interval}, trial {selection.winner}\n\n"
        f"{selection.reason}\n\n| parameter | value |\n|---|---|\n{parameters}\n\n{tests}\n"
    )


def leaderboard(history: History) -> list[dict[str, Any]]:
    """The best completed trials, best first, as rows of a Prefect table."""
    objective = history.objectives[0]
    valued = [(trial.value(objective.metric), trial) for trial in history.completed]
    ranked = sorted(
        ((value, trial) for value, trial in valued if value is not None),
        key=lambda pair: (objective.loss(pair[0]), pair[1].number),
    )
    return [
        {"trial": trial.number, objective.metric: value, **{name: str(v) for name, v in trial.configuration.items()}}
        for value, trial in ranked[:LEADERS]
    ]
