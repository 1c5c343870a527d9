"""Writes studies into an Optuna storage, so that Optuna's tools can open them; reads none. Needs the extra `optuna`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pegbox.integrations.optuna_storage import load_optuna, open_storage
from pegbox.schemas.base import Configuration
from pegbox.schemas.domains import AnyDomain, Categorical, Constant, Float, Integer, Ordinal
from pegbox.schemas.errors import StoreError
from pegbox.schemas.study import StudySpec

STATES = {
    "completed": "COMPLETE",
    "stopped": "PRUNED",
    "paused": "PRUNED",
    "failed": "FAIL",
    "proposed": "RUNNING",
    "running": "RUNNING",
}
"""A state in Optuna's words."""


def write_optuna(spec: StudySpec, rows: Sequence[Mapping[str, Any]], storage: str) -> int:
    """Write a study into an Optuna storage, under its name, with all of its trials.

    Those that a schedule left behind at a rung are pruned, those in training are running.

    Args:
        spec: The study.
        rows: Its trials, as `storage.trial_rows` gives them.
        storage: A database URL, or the path of an SQLite file (`.db`) or of a journal file.

    Returns:
        The number of trials.

    Raises:
        StoreError: The storage holds a study of that name already, or cannot be written.
    """
    optuna = load_optuna()
    study, there = spec.name, open_storage(storage)
    if study in optuna.get_all_study_names(storage=there):
        raise StoreError(f"The Optuna storage {storage!r} holds a study {study!r} already. Name another storage.")
    made = optuna.create_study(study_name=study, storage=there, directions=[objective.goal for objective in spec.goals])
    made.set_metric_names([objective.metric for objective in spec.goals])
    made.add_trials([_frozen(row, spec) for row in rows])
    return len(rows)


def _frozen(row: Mapping[str, Any], spec: StudySpec) -> Any:
    """One trial in Optuna's words."""
    optuna = load_optuna()
    params: Configuration = row["params"] or {}
    is_measured = row["values"] is not None and None not in row["values"]
    # Optuna refuses a complete trial that lacks a value.
    state = "FAIL" if row["state"] == "completed" and not is_measured else STATES[row["state"]]
    trial = optuna.trial.create_trial(
        state=optuna.trial.TrialState[state],
        values=row["values"] if state == "COMPLETE" else None,
        params={name: _choice(spec.space.parameters[name], value) for name, value in params.items()},
        distributions={name: _distribution(spec.space.parameters[name]) for name in params},
        intermediate_values=dict(row["steps"] or {}),
        user_attrs={"metrics": dict(row["metrics"] or {})}
        | ({"failure": f"{row['failure_kind']}: {row['failure_message']}"} if row["failure_kind"] else {}),
    )
    trial.datetime_start = _local(row["started_at"])
    trial.datetime_complete = None if state == "RUNNING" else _local(row["seen_at"])
    return trial


def _local(moment: Any) -> Any:
    """Optuna's times are local and know no time zone."""
    return None if moment is None else moment.astimezone().replace(tzinfo=None)


def _distribution(domain: AnyDomain) -> Any:
    distributions = load_optuna().distributions
    match domain:
        case Float():
            low, high = min(domain.min, *domain.extra, domain.min), max(domain.max, *domain.extra, domain.max)
            is_log = domain.log and low > 0
            step = None if is_log or domain.extra else domain.step
            # Widened by the extra values, or Optuna would refuse the trials that have them; it allows no logarithm from
            # 0 on, and no step beside a logarithm.
            return distributions.FloatDistribution(low, high, log=is_log, step=step)
        case Integer():
            low, high = min(domain.min, *domain.extra, domain.min), max(domain.max, *domain.extra, domain.max)
            is_log = domain.log and low > 0
            step = 1 if is_log or domain.extra else domain.step or 1
            return distributions.IntDistribution(low, high, log=is_log, step=step)
        case Categorical(values=values) | Ordinal(values=values):
            return distributions.CategoricalDistribution([_choice(domain, value) for value in values])
        case Constant(value=value):
            # Optuna has no constants, and a parameter that is left out would be missing in its plots.
            return distributions.CategoricalDistribution([_choice(domain, value)])


def _choice(domain: AnyDomain, value: Any) -> Any:
    """Optuna knows scalars only; a list becomes its JSON."""
    if isinstance(domain, Float):
        return float(value)
    return json.dumps(value) if isinstance(value, list | tuple) else value
