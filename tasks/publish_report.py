"""Prefect task: put the answer where people look for it in Prefect."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from pegbox.tasks.artifacts import StudyArtifacts


# A task of its own, so that Prefect shows when the answer was published.
@task(name="publish-report", cache_policy=NO_CACHE, persist_result=False)
def publish_report(artifacts: StudyArtifacts) -> None:
    """The final artifacts of the run; the history has the answer already."""
    artifacts.publish()
