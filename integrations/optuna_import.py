"""Reads studies of an Optuna storage, to be imported; writes nothing there. Needs the extra `optuna`."""

import json
import math
from typing import Any

from pegbox.integrations.optuna_storage import load_optuna, open_storage
from pegbox.schemas.base import Value
from pegbox.schemas.errors import NotFoundError, suggest
from pegbox.schemas.foreign_study import ForeignStudy, ForeignTrial
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import IMPORTED
from pegbox.schemas.trial import MetricReport, TrialState

_STATES = {"COMPLETE": TrialState.COMPLETED, "PRUNED": TrialState.STOPPED, "FAIL": TrialState.FAILED}


def read_optuna(storage: str, study: str | None = None, name: str | None = None) -> ForeignStudy:
    """A study of an Optuna storage; trials that are waiting or running are left out.

    Args:
        storage: A database URL, or the path of an SQLite file or of a journal file.
        study: Its name there; may be left out where there is one.
        name: Its name here; the same where it is left out.

    Raises:
        NotFoundError: The storage holds no such study.
        StoreError: The storage cannot be read.
    """
    optuna = load_optuna()
    there = open_storage(storage)
    known = optuna.get_all_study_names(storage=there)
    if study is None and len(known) == 1:
        study = known[0]
    if study is None or study not in known:
        raise NotFoundError(f"The Optuna storage {storage!r} holds no study {study!r}. {suggest(study or '', known)}")
    found = optuna.load_study(study_name=study, storage=there)
    spec = _spec(found, name or study)
    trials = tuple(_foreign(trial, spec) for trial in found.trials if trial.state.name in _STATES)
    return ForeignStudy(spec, trials, f"Optuna, {storage}")


def _spec(study: Any, name: str) -> StudySpec:
    """The declared study that an Optuna study amounts to."""
    names = study.metric_names or (
        ["value"] if len(study.directions) == 1 else [f"value_{number}" for number in range(len(study.directions))]
    )
    goals = [
        {"metric": metric, "goal": direction.name.lower()}
        for metric, direction in zip(names, study.directions, strict=True)
    ]
    # Gathered from all trials: Optuna has no space of a study, each trial declares its own.
    found: dict[str, list[Any]] = {}
    for trial in study.trials:
        for parameter, distribution in trial.distributions.items():
            found.setdefault(parameter, []).append(distribution)
    steps = [max(trial.intermediate_values) for trial in study.trials if trial.intermediate_values]
    return StudySpec.model_validate(
        {
            # The longest that a study of ours may have.
            "name": name[:200],
            "train": {"kind": "function", "function": IMPORTED, "epochs": max(1, *steps, 1)},
            "space": {"parameters": {parameter: _domain(kinds) for parameter, kinds in found.items()} or {"none": 0}},
            "objectives": goals if len(goals) > 1 else [],
            "objective": goals[0] if len(goals) == 1 else None,
            "budget": {"trials": max(1, len(study.trials))},
        }
    )


def _domain(distributions: list[Any]) -> dict[str, Any]:
    """One domain that holds all the distributions that a parameter was drawn from."""
    last = distributions[-1]
    if hasattr(last, "choices"):
        choices = [_scalar(choice) for one in distributions for choice in getattr(one, "choices", ())]
        # By their JSON, because to a dictionary True and 1 are the same key.
        return {"values": list({json.dumps(choice): choice for choice in choices}.values())}
    low = min(one.low for one in distributions if hasattr(one, "low"))
    high = max(one.high for one in distributions if hasattr(one, "high"))
    if low == high:
        return {"value": low}
    domain: dict[str, Any] = {"min": low, "max": high, "log": last.log}
    if isinstance(low, int):
        # Optuna writes a step of 1 where nobody asked for one.
        step = last.step if last.step != 1 and not last.log else None
        return domain | {"int": True, "step": step}
    return domain | {"step": last.step}


def _scalar(value: Any) -> Value:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _foreign(trial: Any, spec: StudySpec) -> ForeignTrial:
    metric = spec.goals[0].metric
    reports = tuple(
        MetricReport(step=step, metrics={metric: value})
        for step, value in sorted(trial.intermediate_values.items())
        if math.isfinite(value)
    )
    names = [objective.metric for objective in spec.goals]
    values = trial.values or ([reports[-1].metrics[metric]] if reports else None)
    state = _STATES[trial.state.name]
    # Without any report nothing was measured, and a stopped trial is one that has a value.
    if values is None and state is TrialState.STOPPED:
        state = TrialState.FAILED
    ended_at = trial.datetime_complete.timestamp() if trial.datetime_complete else 0.0
    return ForeignTrial(
        configuration={parameter: _scalar(value) for parameter, value in trial.params.items()},
        state=state,
        # A pruned trial has one value, however many objectives there are.
        metrics=dict(zip(names, values or (), strict=False)),
        reports=reports,
        budget=max(trial.intermediate_values, default=spec.full_budget),
        started_at=trial.datetime_start.timestamp() if trial.datetime_start else ended_at,
        ended_at=ended_at,
        message="pruned before its first report" if trial.state.name == "PRUNED" else "",
    )
