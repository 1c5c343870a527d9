"""MLflow: an experiment for each store's study, a parent run, and below it a run for each trial."""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from pegbox.schemas.tracked import TrackedAnswer, TrackedPoint, TrackedTrial
from pegbox.schemas.trial import TrialState

# What MLflow's server takes in one request (mlflow.utils.validation).
MOST_METRICS = 1000
LONGEST_PARAM = 6000

STUDY, TRIAL, POINTS, STATE = "pegbox.study", "pegbox.trial", "pegbox.points", "pegbox.state"
"""Tags by which a run is found again, and that say how much of its trial it holds."""


class MlflowTracker:
    """A `Tracker`; the place is `MLFLOW_TRACKING_URI`, or an SQLite file of the store.

    Attributes:
        place: MLflow's tracking URI.
        client: Of that place.
    """

    def __init__(self, study: str, store: Path, place: str | None = None) -> None:
        own = f"sqlite:///{store.absolute() / 'mlflow.db'}"
        self.place = place or os.environ.get("MLFLOW_TRACKING_URI") or own
        self.client = MlflowClient(self.place)
        self._study = study
        found = self.client.get_experiment_by_name(study)
        artifacts = {"artifact_location": (store.absolute() / "mlflow-artifacts").as_uri()} if not place else {}
        self._experiment = found.experiment_id if found else self.client.create_experiment(study, **artifacts)
        self._parent = self._run_of(STUDY, study, study, {})
        self._runs: dict[int, Any] = {}

    @property
    def parent_run(self) -> str:
        """Identifier of the run of the whole study."""
        return str(self._parent.info.run_id)

    def n_shown(self, trial: int) -> int:
        """See `Tracker.n_shown`."""
        return int(self._run(trial).data.tags.get(POINTS, 0))

    def show(self, trial: TrackedTrial, points: Sequence[TrackedPoint]) -> None:
        """See `Tracker.show`; a failed trial is a failed run, with why as a tag."""
        run = self._run(trial.number)
        identifier, before = run.info.run_id, int(run.data.tags.get(POINTS, 0))
        if not points and run.data.tags.get(STATE) == trial.state.value:
            return  # an earlier process showed all of it
        now = int(time.time() * 1000)
        params = [Param(_name(name), str(value)[:LONGEST_PARAM]) for name, value in trial.configuration.items()]
        self.client.log_batch(identifier, params=params)
        for first in range(0, len(points), MOST_METRICS):
            batch = points[first : first + MOST_METRICS]
            metrics = [Metric(_name(one.name), one.value, now, one.step) for one in batch]
            self.client.log_batch(identifier, metrics=metrics)
        finals = [Metric(_name(f"final/{name}"), value, now, 0) for name, value in trial.metrics.items()]
        if trial.state.is_finished:
            self.client.log_batch(identifier, metrics=finals)
        self.client.set_tag(identifier, POINTS, str(before + len(points)))
        self.client.set_tag(identifier, STATE, trial.state.value)
        run.data.tags[POINTS] = str(before + len(points))
        if trial.failure_message:
            self.client.set_tag(identifier, "pegbox.failure", trial.failure_message[:LONGEST_PARAM])
        if trial.state.is_finished:
            status = "FAILED" if trial.state is TrialState.FAILED else "FINISHED"
            self.client.set_terminated(identifier, status)

    def close(self, answer: TrackedAnswer | None) -> None:
        """See `Tracker.close`; the answer is `answer.json` of the parent run."""
        parent = self._parent.info.run_id
        if answer is not None:
            self.client.log_dict(parent, answer.model_dump(mode="json"), "answer.json")
            self.client.log_metric(parent, "best_value", answer.value)
            self.client.set_tag(parent, "pegbox.best", str(answer.number))
        self.client.set_terminated(parent, "FINISHED")

    def _run(self, trial: int) -> Any:
        if trial not in self._runs:
            parent = {"mlflow.parentRunId": self._parent.info.run_id}
            self._runs[trial] = self._run_of(TRIAL, str(trial), f"trial {trial}", parent)
        return self._runs[trial]

    def _run_of(self, tag: str, value: str, name: str, tags: dict[str, str]) -> Any:
        """The run that an earlier process made, or a new one."""
        quoted = value.replace("'", "''")
        found = self.client.search_runs([self._experiment], filter_string=f"tags.`{tag}` = '{quoted}'", max_results=1)
        if found:
            return found[0]
        return self.client.create_run(self._experiment, tags={tag: value, **tags}, run_name=name)


def _name(name: str) -> str:
    """With letters that MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", name)
