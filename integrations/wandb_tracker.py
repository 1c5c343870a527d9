"""Weights & Biases: a group for each study, in it a run for each trial; offline where there is no key."""

import hashlib
import netrc
import os
import re
import shutil
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import wandb

from pegbox.schemas.tracked import TrackedAnswer, TrackedPoint, TrackedTrial
from pegbox.schemas.trial import TrialState

# Below the time that the end of a run waits for a tracker. W&B's own 90 seconds would hold the driver's process at its
# end, where W&B waits for what it began.
INIT_SECONDS = 10.0
"""How long W&B's server may take to answer for a run; then the tracker has failed, and is tried again."""
STUDY = "study"
"""Kind of the run that holds the answer; those of trials are of the kind `trial`."""


class WandbTracker:
    """A `Tracker`. The project is `WANDB_PROJECT`, or the study; runs are found again by their ids.

    Offline each process writes the runs anew; `wandb sync` sends them, and W&B drops the steps that it holds already.
    """

    def __init__(self, study: str, store: Path, place: str | None = None) -> None:
        self._study = study
        self._folder = Path(place).absolute() if place else store.absolute()
        self._mode = "offline" if place else _mode()
        self._project = os.environ.get("WANDB_PROJECT") or re.sub(r"[/\\#?%:]", "-", study)[:128]  # W&B's own rule
        # By the store as well: two stores may hold studies of one name, and one project their runs.
        self._key = hashlib.sha256(f"{store.absolute()}\n{study}".encode()).hexdigest()[:8]
        self._runs: dict[int, Any] = {}

    def n_shown(self, trial: int) -> int:
        """See `Tracker.n_shown`; all is logged again, as what W&B holds is known to its server alone."""
        return 0

    def show(self, trial: TrackedTrial, points: Sequence[TrackedPoint]) -> None:
        """See `Tracker.show`; a failed trial is a failed run, with why in its summary."""
        run = self._runs.get(trial.number) or self._begin(trial)
        # Together by step: W&B takes each step once, and drops what comes for an earlier one.
        for step, metrics in groupby(sorted(points, key=lambda one: one.step), key=lambda one: one.step):
            run.log({one.name: one.value for one in metrics}, step=step)
        if not trial.state.is_finished:
            return
        run.summary.update({f"final/{name}": value for name, value in trial.metrics.items()})
        run.summary["pegbox/state"] = trial.state.value
        if trial.failure_message:
            run.summary["pegbox/failure"] = trial.failure_message
        run.finish(exit_code=int(trial.state is TrialState.FAILED))
        del self._runs[trial.number]

    def close(self, answer: TrackedAnswer | None) -> None:
        """See `Tracker.close`; the answer is a run of its own, with the configuration and an artifact."""
        for run in self._runs.values():
            run.finish()
        self._runs.clear()
        if answer is None:
            return
        run = self._open("answer", self._study, STUDY, dict(answer.configuration))
        run.summary.update({"best_value": answer.value, "best_trial": answer.number})
        artifact = wandb.Artifact(re.sub(r"[^\w.-]", "-", f"{self._study}-answer")[:128], type="answer")
        with artifact.new_file("answer.json", encoding="utf-8") as file:
            file.write(answer.model_dump_json(indent=2))
        run.log_artifact(artifact)
        run.finish()

    def _begin(self, trial: TrackedTrial) -> Any:
        run = self._open(f"{trial.number}", f"trial {trial.number}", "trial", dict(trial.configuration))
        self._runs[trial.number] = run
        return run

    def _open(self, suffix: str, name: str, kind: str, configuration: dict[str, Any]) -> Any:
        identifier = f"{self._key}-{suffix}"
        for former in self._folder.glob(f"wandb/offline-run-*-{identifier}"):
            shutil.rmtree(former, ignore_errors=True)  # what an earlier process wrote of the same run
        self._folder.mkdir(parents=True, exist_ok=True)
        return wandb.init(
            project=self._project,
            group=self._study[:128],
            job_type=kind,
            name=name,
            id=identifier,
            resume="allow" if self._mode == "online" else None,
            config=configuration,
            dir=str(self._folder),
            reinit="create_new",  # trials run side by side, and so do their runs
            settings=_settings(self._mode),
        )


def _mode() -> str:
    """What `WANDB_MODE` says; else online where W&B finds a key, as it would ask a terminal for one otherwise."""
    if said := os.environ.get("WANDB_MODE"):
        return said
    return "online" if os.environ.get("WANDB_API_KEY") or _has_netrc() else "offline"


def _has_netrc() -> bool:
    try:
        return netrc.netrc().authenticators(os.environ.get("WANDB_HOST", "api.wandb.ai")) is not None
    except (OSError, netrc.NetrcParseError):
        return False


def _settings(mode: str) -> Any:
    """The driver is no training: its console, its code and its machine's load say nothing about a trial."""
    return wandb.Settings(
        mode=mode, silent=True, console="off", disable_git=True, disable_code=True, x_disable_stats=True,
        x_disable_meta=True, x_disable_machine_info=True, init_timeout=INIT_SECONDS,
    )  # fmt: skip
