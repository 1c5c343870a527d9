"""Ties a callback to the trial it runs in, of a function or of a command; outside of one it does nothing."""

import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pegbox.schemas.errors import TrialError
from pegbox.schemas.failure import Failure, FailureKind
from pegbox.schemas.running_trial import RunningTrial, running


class PrintedTrial:
    """The trial of a command: known by the program's environment, reported to by what it prints."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.number = int(environment["PEGBOX_TRIAL"])
        self.seed = int(environment["PEGBOX_SEED"])
        self.from_budget = int(environment["PEGBOX_FROM_EPOCHS"])
        self.budget = int(environment["PEGBOX_EPOCHS"])
        self.checkpoint_dir = Path(environment["PEGBOX_CHECKPOINT_DIR"])
        resume = environment.get("PEGBOX_RESUME_DIR")
        self.resume_dir = Path(resume) if resume else None
        self.is_copy = "PEGBOX_COPIED" in environment

    def report(self, *positional: Any, **named: Any) -> None:
        """Print step and metrics as one line of JSON, which `metrics: auto` and `json` read."""
        step, *metrics = positional
        # A line of its own: progress bars leave theirs unfinished.
        print("\n" + json.dumps({"epoch": step, **(metrics[0] if metrics else {}), **named}), flush=True)


def current_trial() -> RunningTrial | None:
    """The trial that this process trains, as a function or as a command; None outside of one."""
    if running() is not None:
        return running()
    return PrintedTrial(os.environ) if "PEGBOX_CHECKPOINT_DIR" in os.environ else None


class TrialLink:
    """What callbacks share: reports of plain numbers, the end of the segment, one checkpoint by name.

    Args:
        file: What the checkpoint is called, a file or a directory.
    """

    def __init__(self, file: str) -> None:
        self.file = file

    @property
    def trial(self) -> RunningTrial | None:
        """Looked up when it is used: a callback may be made before its trial begins."""
        return current_trial()

    def report(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Report those of the metrics that are numbers; NaN and infinities are, and fail their trial by name."""
        numbers = {str(name): number for name, value in metrics.items() if (number := _number(value)) is not None}
        if self.trial is not None and numbers:
            self.trial.report(int(step), numbers)

    def is_over(self, step: int) -> bool:
        """True once the segment's budget is reached."""
        return self.trial is not None and step >= self.trial.budget

    @property
    def kept(self) -> Path | None:
        """What the segment before left; None to begin."""
        before = self.trial.resume_dir if self.trial is not None else None
        return before / self.file if before is not None and (before / self.file).exists() else None

    @property
    def kept_with_rates(self) -> Path | None:
        """`kept`, for a library that loads an optimizer with the rates that it was left with.

        Raises:
            TrialError: The trial is a copy in a population, whose new rates this would undo.
        """
        if self.kept is not None and self.trial is not None and self.trial.is_copy:
            what = "this library's callback loads the optimizer with its rates, and a copy in a population has its own"
            how = "Use the kind `torch`, or a function that sets them after it has loaded its checkpoint"
            raise TrialError(Failure(kind=FailureKind.INVALID, message=f"{what}. {how}."))
        return self.kept

    @property
    def place(self) -> Path | None:
        """Where the checkpoint of this segment goes; None outside of a trial."""
        return self.trial.checkpoint_dir / self.file if self.trial is not None else None

    def take_over(self) -> Path | None:
        """A copy of what the segment before left, where this one goes on writing; None to begin."""
        if self.kept is None or self.place is None:
            return None
        copy = shutil.copytree if self.kept.is_dir() else shutil.copyfile
        copy(self.kept, self.place)
        return self.place


def _number(value: Any) -> float | None:
    """A Python number, or one of numpy's or torch's; None for what is none."""
    try:
        single = value.item() if callable(getattr(value, "item", None)) else value
    except (TypeError, ValueError, RuntimeError):  # an array of several numbers
        return None
    if isinstance(single, bool) or not isinstance(single, int | float):
        return None
    return float(single) if math.isfinite(single) or isinstance(single, float) else None
