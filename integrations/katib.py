"""Experiments of Katib (Kubeflow) as study files: feasible spaces, algorithm, stopping, the command of the trial's pod.

Source: the Experiment API v1beta1 of Katib (kubeflow.org, "Configuring an Experiment").
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pegbox.integrations.draft import TRIALS, Draft
from pegbox.integrations.ranges import RawDomain, number_range

_ALGORITHMS = {
    "random": "random",
    "grid": "grid",
    "bayesianoptimization": "bayes",
    "tpe": "optuna:TPESampler",
    "multivariate-tpe": "optuna:TPESampler",
    "cmaes": "optuna:CmaEsSampler",
    "sobol": "sobol",
    # Katib's hyperband draws its configurations at random; what it is named after is a schedule here.
    "hyperband": "random",
}
_REFERENCE = re.compile(r"\$\{trialParameters\.([^}]+)\}")
_SPEC = {
    "objective", "algorithm", "parameters", "maxTrialCount", "parallelTrialCount", "maxFailedTrialCount",
    "earlyStopping", "trialTemplate", "metricsCollectorSpec",
}  # fmt: skip


def is_katib_experiment(raw: Any) -> bool:
    """True for a manifest of a Katib experiment."""
    if not isinstance(raw, Mapping):
        return False
    is_manifest = str(raw.get("apiVersion", "")).startswith("kubeflow.org/")
    return is_manifest or "objectiveMetricName" in _mapping(raw, "objective")


def draft_from_katib(raw: Mapping[str, Any], draft: Draft) -> Draft:
    """Fill a draft from an experiment."""
    spec = _mapping(raw, "spec") or raw
    draft.name = str(_mapping(raw, "metadata").get("name") or draft.name)
    entries = [entry for entry in spec.get("parameters") or () if isinstance(entry, Mapping)]
    draft.space = {str(entry.get("name")): _parameter(entry, draft) for entry in entries}
    _objective(_mapping(spec, "objective"), draft)
    _algorithm(_mapping(spec, "algorithm"), draft)
    _command(spec, draft)
    _stopping(_mapping(spec, "earlyStopping"), draft)
    _limits(spec, draft)
    draft.leftover("Katib's", spec, _SPEC)
    return draft


def _mapping(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, Mapping) else {}


def _parameter(entry: Mapping[str, Any], draft: Draft) -> RawDomain:
    name, kind, space = str(entry.get("name")), entry.get("parameterType"), _mapping(entry, "feasibleSpace")
    place = ("space", name)
    draft.leftover(f"{name}: Katib's", space, {"min", "max", "step", "list", "distribution"}, *place)
    if kind in {"categorical", "discrete"}:
        values = list(space.get("list") or ())
        return {"values": [_number(value) if kind == "discrete" else value for value in values]} | (
            {"ordered": True} if kind == "discrete" else {}
        )
    whole, step = kind == "int", space.get("step")
    if kind not in {"int", "double"}:
        draft.note(f"The type {kind!r} is not known; taken as double.", *place)
    distribution = str(space.get("distribution") or "uniform")
    if distribution not in {"uniform", "logUniform"}:
        draft.note(f"The distribution {distribution!r} is taken as uniform.", *place)
    low, high = _number(space.get("min")), _number(space.get("max"))
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        draft.note(f"The experiment says {dict(space)!r}, which is no range; correct it.", *place)
        return {"value": None}
    log = distribution == "logUniform"
    return number_range(low, high, log=log, step=_number(step) if step is not None else None, whole=whole)


def _number(text: Any) -> Any:
    """Katib writes numbers as texts."""
    if not isinstance(text, str):
        return text
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _objective(objective: Mapping[str, Any], draft: Draft) -> None:
    metric = objective.get("objectiveMetricName")
    draft.objective = {"metric": metric or "loss", "goal": objective.get("type", "minimize")}
    if not metric:
        draft.note("The experiment names no metric; write the one that the program prints.", "objective", "metric")
    if isinstance(goal := _number(objective.get("goal")), int | float):
        draft.objective["target"] = goal
    if objective.get("metricStrategies"):
        draft.note(
            "Katib's metricStrategies (min, max, latest) were left out: the last value counts here.", "objective"
        )
    known = {"type", "goal", "objectiveMetricName", "additionalMetricNames", "metricStrategies"}
    draft.leftover("Katib's objective", objective, known, "objective")


def _algorithm(algorithm: Mapping[str, Any], draft: Draft) -> None:
    name = str(algorithm.get("algorithmName") or "")
    # Manifests in the wild write both `bayesianoptimization` and `bayesian-optimization`.
    known = name if name in _ALGORITHMS else name.replace("-", "")
    draft.search = {"method": _ALGORITHMS.get(known, "auto")}
    if known not in _ALGORITHMS:
        draft.note(f"Katib's algorithm {name!r} has no counterpart here; auto chooses one.", "search")
    if name == "hyperband":
        draft.fidelity = {"schedule": "hyperband"}
        draft.note("Set train.epochs to the full budget, and add {epochs} to the command.", "fidelity")
    settings = {one.get("name"): one.get("value") for one in algorithm.get("algorithmSettings") or ()}
    if "random_state" in settings and isinstance(_number(settings["random_state"]), int):
        draft.search["seed"] = _number(settings.pop("random_state"))
    draft.leftover("Katib's algorithm setting", settings, set(), "search")


def _command(spec: Mapping[str, Any], draft: Draft) -> None:
    template = _mapping(spec, "trialTemplate")
    references = {
        str(one.get("name")): str(one.get("reference"))
        for one in template.get("trialParameters") or ()
        if isinstance(one, Mapping)
    }
    # The first one: further containers of a pod are sidecars, which train nothing.
    container = next(_containers(template.get("trialSpec")), {})
    # Kubernetes hands the args over after the command.
    words = [str(word) for word in (*(container.get("command") or ()), *(container.get("args") or ()))]
    if not words:
        words = ["python", "train.py", *(f"--{name.lstrip('-')}={{{name}}}" for name in draft.space)]
        draft.note("The experiment holds no command; write your own.", "train", "command")
    draft.train = {"kind": "command", "command": [_placed(word, references) for word in words]}
    if container.get("image"):
        draft.note(
            f"The trial's container image was {container['image']}; the command runs where pegbox runs.", "train"
        )
    collector = _mapping(spec, "metricsCollectorSpec")
    if collector:
        draft.note(f"Katib's metricsCollectorSpec `{dict(collector)}` was left out; see train.metrics.", "train")


def _placed(word: str, references: Mapping[str, str]) -> str:
    # Control characters stand for our braces while all others are doubled: no command line can hold a NUL byte.
    doubled = _REFERENCE.sub(lambda match: f"\0{references.get(match[1], match[1])}\1", word)
    return doubled.replace("{", "{{").replace("}", "}}").replace("\0", "{").replace("\1", "}")


def _containers(node: Any) -> Iterator[Mapping[str, Any]]:
    """The containers of a pod template, however deep in a Job, PyTorchJob or TFJob."""
    if isinstance(node, Mapping):
        for one in node.get("containers") or ():
            if isinstance(one, Mapping):
                yield one
        for inner in node.values():
            yield from _containers(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _containers(inner)


def _stopping(stopping: Mapping[str, Any], draft: Draft) -> None:
    if not stopping:
        return
    if stopping.get("algorithmName") == "medianstop":
        draft.fidelity = {"schedule": "median"}
        draft.note("Set train.epochs to the full budget, and add {epochs} to the command.", "fidelity")
    else:
        draft.note(f"Katib's earlyStopping {dict(stopping)!r} has no counterpart here and was left out.", "train")


def _limits(spec: Mapping[str, Any], draft: Draft) -> None:
    draft.budget = {"trials": _number(spec.get("maxTrialCount")) or TRIALS}
    if not spec.get("maxTrialCount"):
        draft.note("The experiment has no maxTrialCount; choose how many trials to pay for.", "budget")
    if spec.get("maxFailedTrialCount") is not None:
        draft.note(
            f"Katib's maxFailedTrialCount {spec['maxFailedTrialCount']} was left out; see budget.failures.",
            "budget",
        )
    if spec.get("parallelTrialCount"):
        draft.run = {"workers": int(_number(spec["parallelTrialCount"]))}
