"""What a user's function is given as `trial`: budget, data, reports and checkpoints; also speaks Optuna's language."""

import copy
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

from pegbox.schemas.arrays import Splits
from pegbox.schemas.base import Value
from pegbox.schemas.errors import suggest
from pegbox.schemas.failure import FailureKind
from pegbox.schemas.plan import EPOCHS
from pegbox.schemas.trial import Segment
from pegbox.training.atomic_files import write_in_one_step
from pegbox.training.checkpoint_directory import CheckpointDirectory
from pegbox.training.failures import failed
from pegbox.training.resources import visible_gpus
from pegbox.training.schedule_stages import taken_over
from pegbox.training.user_metrics import Reports, as_numbers, lone_name

_STATE_FILE = "state.pkl"


class TrialHandle:
    """One trial while its function runs.

    Attributes:
        number: Of the trial in its study.
        configuration: Parameter name to value, of the active parameters.
        seed: For every random number of the trial; equal for equal trials.
        from_budget: Where the segment begins, in the study's epochs, or what its fidelity counts.
        budget: Where the segment should end.
        device: `cuda` where there is a GPU, else `cpu`, or what the study asks for.
        data: The prepared data of the fold, or None where the study declares none.
        checkpoint_dir: A directory to leave files in; they are kept if the function succeeds.
        resume_dir: What the segment before left there; None to begin.
        is_copy: True where that was another trial, of a population, with other hyperparameters.
    """

    def __init__(self, segment: Segment, data: Splits | None, directory: CheckpointDirectory, reports: Reports) -> None:
        self.number = segment.trial
        self.configuration: dict[str, Value] = dict(segment.configuration)
        self.seed = segment.seed
        self.from_budget = segment.from_budget
        self.budget = segment.to_budget
        asked = getattr(segment.train, "device", "auto")
        self.device = asked if asked != "auto" else "cuda" if visible_gpus() else "cpu"
        self.data = data
        self.checkpoint_dir = directory.path
        self.resume_dir = directory.resume
        self.is_copy = taken_over(segment) is not segment
        self.user_attrs: dict[str, Any] = {}
        self._lone = lone_name(segment.objectives)
        # Of another fidelity each rung is a training of its own, which no rung ends in its midst.
        self._full_budget = segment.train.epochs if segment.fidelity == EPOCHS else segment.to_budget
        self._reports = reports
        self._rank = 0

    def report(self, *positional: Any, **named: Any) -> None:
        """Report metrics at a step, in the study's epochs.

        `report(3, loss=0.1)` and `report(3, {"loss": 0.1})` name their metrics; Optuna's `report(0.1, 3)` and
        `report(0.1, step=3)` report the objective, or the metric `value` where there are several.

        Raises:
            TrialError: A metric is no number, or the objective is a loss that stays NaN or infinite.
        """
        step, metrics = _read_report(positional, named, self._lone)
        self._reports.add(_as_step(step), as_numbers(metrics, f"report at step {step}"))

    def save_checkpoint(self, state: Any) -> None:
        """Keep any object that can be pickled, for the segment that continues the trial; of several ranks, rank 0's."""
        if self._rank:
            return
        content = pickle.dumps(state, protocol=pickle.HIGHEST_PROTOCOL)
        write_in_one_step(self.checkpoint_dir / _STATE_FILE, lambda file: file.write_bytes(content))

    def load_checkpoint(self) -> Any | None:
        """What the segment before has saved; None to begin.

        Raises:
            TrialError: The file is damaged.
        """
        file = self.resume_dir / _STATE_FILE if self.resume_dir else None
        if file is None or not file.exists():
            return None
        try:
            return pickle.loads(file.read_bytes())  # noqa: S301 - written by the user's own function
        except Exception as error:  # pickle raises whatever the damaged bytes make it meet
            message = f"the checkpoint {file} cannot be read ({type(error).__name__}: {error}). Delete its directory."
            raise failed(FailureKind.INVALID, message) from error

    def should_prune(self) -> bool:
        """True once the segment's budget is reached and a later segment may go on: Optuna's word for a rung."""
        return self.budget < self._full_budget and self._reports.reached >= self.budget

    @property
    def params(self) -> dict[str, Value]:
        """The configuration, by Optuna's name for it."""
        return dict(self.configuration)

    def set_user_attr(self, key: str, value: Any) -> None:
        """Kept while the function runs, and no longer; report what should be in the history."""
        self.user_attrs[key] = value

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """The value of a parameter; the declared space decides its range, not these bounds."""
        return float(self._value(name))  # type: ignore[arg-type]

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """The value of a parameter; the declared space decides its range, not these bounds."""
        return int(self._value(name))  # type: ignore[arg-type]

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """The value of a parameter; the declared space decides its values, not these choices."""
        return self._value(name)

    def suggest_uniform(self, name: str, low: float, high: float) -> float:
        """Optuna's older name of `suggest_float`."""
        return self.suggest_float(name, low, high)

    def suggest_loguniform(self, name: str, low: float, high: float) -> float:
        """Optuna's older name of `suggest_float` on a logarithmic scale."""
        return self.suggest_float(name, low, high, log=True)

    def _value(self, name: str) -> Value:
        if name not in self.configuration:
            hint = suggest(name, self.configuration)
            message = (
                f"the objective asks for {name!r}, which this configuration does not hold. {hint} Add it to space."
            )
            raise failed(FailureKind.INVALID, message)
        return self.configuration[name]


def of_rank(handle: TrialHandle, rank: int, reports: Reports) -> TrialHandle:
    """The same trial as one of its processes sees it; those of other ranks than 0 keep no checkpoint."""
    other = copy.copy(handle)
    other._rank, other._reports = rank, reports
    return other


def _read_report(positional: tuple[Any, ...], named: dict[str, Any], lone: str) -> tuple[Any, Mapping[Any, Any]]:
    """Step and metrics of a report, in pegbox's order of arguments or in Optuna's; `lone` names a bare number."""
    match positional:
        case (step, Mapping() as metrics):
            return step, {**metrics, **named}
        case (value, step):
            return step, {lone: value, **named}
        case (value,) if "step" in named:
            return named.pop("step"), {lone: value, **named}
        case (step,) if named:
            return step, named
        case () if "step" in named:
            return named.pop("step"), named
        case _:
            message = f"report takes a step and metrics, such as report(3, loss=0.1), got {positional} and {named}."
            raise failed(FailureKind.INVALID, message)


def _as_step(step: Any) -> int:
    try:
        number = int(step)
    except (TypeError, ValueError):
        number = -1
    if number < 0 or isinstance(step, str):
        raise failed(FailureKind.INVALID, f"a step is a whole number from 0, got {step!r}.")
    return number
