"""Studies from and to an Optuna storage, so that either program's tools can open them; needs the extra `optuna`."""

import json
import math
from pathlib import Path
from typing import Any

from pegbox.schemas.base import Configuration, Value
from pegbox.schemas.errors import NotFoundError, StoreError, suggest
from pegbox.schemas.space import AnyDomain, Categorical, Constant, Float, Integer, Ordinal
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import MetricReport, TrialState
from pegbox.storage.history_file import HistoryFile, open_history
from pegbox.storage.importing import ForeignTrial, write_study
from pegbox.storage.layout import StoreLayout

IMPORTED = "imported:objective"
"""The training of an imported study: a name that leads nowhere, because its code is not here."""
_STATES = {"COMPLETE": TrialState.COMPLETED, "PRUNED": TrialState.STOPPED, "FAIL": TrialState.FAILED}


def import_optuna(store: StoreLayout, storage: str, study: str | None = None, name: str | None = None) -> int:
    """Take a study over from an Optuna storage; trials that are waiting or running are left out.

    Args:
        store: The store.
        storage: A database URL, or the path of an SQLite file or of a journal file.
        study: Its name there; may be left out where there is one.
        name: Its name here; the same where it is left out.

    Returns:
        The number of trials.

    Raises:
        NotFoundError: The storage holds no such study.
        StoreError: The storage cannot be read, or the store holds a study of that name already.
    """
    optuna = _optuna()
    there = _storage(storage)
    known = optuna.get_all_study_names(storage=there)
    if study is None and len(known) == 1:
        study = known[0]
    if study is None or study not in known:
        raise NotFoundError(f"The Optuna storage {storage!r} holds no study {study!r}. {suggest(study or '', known)}")
    found = optuna.load_study(study_name=study, storage=there)
    spec = _spec(found, name or study)
    trials = [_foreign(trial, spec) for trial in found.trials if trial.state.name in _STATES]
    return write_study(store, spec, trials, f"Optuna, {storage}")


def optuna_studies(storage: str) -> list[str]:
    """Names of the studies of an Optuna storage.

    Raises:
        StoreError: The storage cannot be read.
    """
    optuna = _optuna()
    there = _storage(storage)
    try:
        return list(optuna.get_all_study_names(storage=there))
    except Exception as error:  # each driver has errors of its own
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise StoreError(f"The Optuna storage {storage!r} could not be read: {said}.") from error


def export_optuna(root: Path, study: str, storage: str) -> int:
    """Write a study into an Optuna storage, under its name; trials whose life goes on are left out.

    Args:
        root: The store's directory.
        study: Its name.
        storage: A database URL, or the path of an SQLite file (`.db`) or of a journal file.

    Returns:
        The number of trials.

    Raises:
        NotFoundError: The store holds no such study.
        StoreError: The storage holds a study of that name already, or cannot be written.
    """
    optuna = _optuna()
    with open_history(root) as history:
        spec = history.history(study).spec
        rows = _ended(history, study)
    there = _storage(storage)
    if study in optuna.get_all_study_names(storage=there):
        raise StoreError(f"The Optuna storage {storage!r} holds a study {study!r} already. Name another storage.")
    made = optuna.create_study(study_name=study, storage=there, directions=[objective.goal for objective in spec.goals])
    made.set_metric_names([objective.metric for objective in spec.goals])
    made.add_trials([_frozen(row, spec) for row in rows])
    return len(rows)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise StoreError("Optuna's storages need Optuna. Install it with `pip install 'pegbox[optuna]'`.") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _storage(place: str) -> Any:
    optuna = _optuna()
    try:
        if "://" in place:
            return optuna.storages.RDBStorage(place)
        path = Path(place)
        is_sqlite = path.read_bytes()[:15] == b"SQLite format 3" if path.exists() else path.suffix in {".db", ".sqlite"}
        if is_sqlite:
            return optuna.storages.RDBStorage(f"sqlite:///{path.absolute()}")
        return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    except Exception as error:  # each driver has errors of its own
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise StoreError(f"The Optuna storage {place!r} could not be opened: {said}.") from error


def _spec(study: Any, name: str) -> StudySpec:
    """The declared study that an Optuna study amounts to."""
    names = study.metric_names or (
        ["value"] if len(study.directions) == 1 else [f"value_{number}" for number in range(len(study.directions))]
    )
    goals = [
        {"metric": metric, "goal": direction.name.lower()}
        for metric, direction in zip(names, study.directions, strict=True)
    ]
    found: dict[str, list[Any]] = {}
    for trial in study.trials:
        for parameter, distribution in trial.distributions.items():
            found.setdefault(parameter, []).append(distribution)
    steps = [max(trial.intermediate_values) for trial in study.trials if trial.intermediate_values]
    return StudySpec.model_validate(
        {
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
        return {"values": list({json.dumps(choice): choice for choice in choices}.values())}
    low = min(one.low for one in distributions if hasattr(one, "low"))
    high = max(one.high for one in distributions if hasattr(one, "high"))
    if low == high:
        return {"value": low}
    domain: dict[str, Any] = {"min": low, "max": high, "log": last.log}
    if isinstance(low, int):
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
    if values is None and state is TrialState.STOPPED:
        state = TrialState.FAILED
    ended_at = trial.datetime_complete.timestamp() if trial.datetime_complete else 0.0
    return ForeignTrial(
        configuration={parameter: _scalar(value) for parameter, value in trial.params.items()},
        state=state,
        metrics=dict(zip(names, values or (), strict=False)),
        reports=reports,
        budget=max(trial.intermediate_values, default=spec.full_budget),
        started_at=trial.datetime_start.timestamp() if trial.datetime_start else ended_at,
        ended_at=ended_at,
        message="pruned before its first report" if trial.state.name == "PRUNED" else "",
    )


def _ended(history: HistoryFile, study: str) -> list[dict[str, Any]]:
    found = history.sql(
        """
        SELECT t.number, t.state, t."values", t.params, t.started_at, t.ended_at, t.failure_kind, t.failure_message,
            t.metrics, (SELECT map_from_entries(list((c.step, c.value) ORDER BY c.step)) FROM (
                SELECT c.step, avg(c.value) AS value FROM curves AS c JOIN studies AS s ON s.study = c.study
                WHERE c.study = t.study AND c.trial = t.number AND c.name = s.metrics[1] AND c.replicate IS NULL
                    AND c.value IS NOT NULL
                GROUP BY c.step) AS c) AS steps
        FROM trials AS t WHERE t.study = ? AND t.ended_at IS NOT NULL ORDER BY t.number
        """,
        [study],
    )
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def _frozen(row: dict[str, Any], spec: StudySpec) -> Any:
    """One trial in Optuna's words."""
    optuna = _optuna()
    params: Configuration = row["params"] or {}
    is_measured = row["values"] is not None and None not in row["values"]
    states = {"completed": "COMPLETE", "stopped": "PRUNED"}
    state = states.get(row["state"], "FAIL") if is_measured or row["state"] == "stopped" else "FAIL"
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
    trial.datetime_complete = _local(row["ended_at"])
    return trial


def _local(moment: Any) -> Any:
    """Optuna's times are local and know no time zone."""
    return None if moment is None else moment.astimezone().replace(tzinfo=None)


def _distribution(domain: AnyDomain) -> Any:
    distributions = _optuna().distributions
    match domain:
        case Float():
            low, high = min(domain.min, *domain.extra, domain.min), max(domain.max, *domain.extra, domain.max)
            is_log = domain.log and low > 0
            step = None if is_log or domain.extra else domain.step
            return distributions.FloatDistribution(low, high, log=is_log, step=step)
        case Integer():
            low, high = min(domain.min, *domain.extra, domain.min), max(domain.max, *domain.extra, domain.max)
            is_log = domain.log and low > 0
            step = 1 if is_log or domain.extra else domain.step or 1
            return distributions.IntDistribution(low, high, log=is_log, step=step)
        case Categorical(values=values) | Ordinal(values=values):
            return distributions.CategoricalDistribution([_choice(domain, value) for value in values])
        case Constant(value=value):
            return distributions.CategoricalDistribution([_choice(domain, value)])


def _choice(domain: AnyDomain, value: Any) -> Any:
    """Optuna knows scalars only; a list becomes its JSON."""
    if isinstance(domain, Float):
        return float(value)
    return json.dumps(value) if isinstance(value, list | tuple) else value
