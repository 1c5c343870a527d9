"""Studies from the documents of a Hyperopt `Trials` object; Hyperopt itself is not needed."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pegbox.schemas.errors import StoreError
from pegbox.schemas.foreign_study import ForeignStudy, ForeignTrial
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import IMPORTED
from pegbox.schemas.trial import TrialState

# JOB_STATE_DONE and JOB_STATE_ERROR of hyperopt.base, written out so that Hyperopt need not be installed.
_DONE, _FAILED = 2, 3
"""Of Hyperopt's job states."""


def read_hyperopt(
    documents: Sequence[Mapping[str, Any]], name: str, space: Mapping[str, Any] | None = None
) -> ForeignStudy:
    """The study that a Hyperopt search amounts to; trials that are new or running are left out.

    Args:
        documents: `Trials().trials`, or the same read from JSON.
        name: Of the study here.
        space: As a study file writes it; where it is left out, ranges are those of the values that were tried, and
            a choice is the number of its option, because the documents say no more.

    Raises:
        StoreError: A document is not one of Hyperopt's.
    """
    ended = [document for document in documents if _part(document, "state") in (_DONE, _FAILED)]
    configurations = [_configuration(document) for document in ended]
    spec = StudySpec.model_validate(
        {
            "name": name,
            "train": {"kind": "function", "function": IMPORTED},
            "space": space or _space(configurations),
            # Hyperopt minimises and nothing else, so that there is no direction to be read.
            "objective": {"metric": "loss"},
            "budget": {"trials": max(1, len(ended))},
        }
    )
    trials = tuple(_foreign(*pair) for pair in zip(ended, configurations, strict=True))
    return ForeignStudy(spec, trials, "Hyperopt")


def _part(document: Mapping[str, Any], *path: str) -> Any:
    inner: Any = document
    for key in path:
        if not isinstance(inner, Mapping) or key not in inner:
            raise StoreError(
                f"A Hyperopt document must have {'.'.join(path)}, got {str(document)[:80]!r}. Give the list "
                "`trials.trials`."
            )
        inner = inner[key]
    return inner


def _configuration(document: Mapping[str, Any]) -> dict[str, Any]:
    """Active parameters: Hyperopt keeps a list for each, empty where it was not drawn."""
    return {name: _plain(drawn[0]) for name, drawn in _part(document, "misc", "vals").items() if len(drawn)}


def _plain(value: Any) -> Any:
    """A number of Python's own; whole floats of `quniform` and the like stay floats."""
    return value.item() if hasattr(value, "item") else value


def _space(configurations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tried: dict[str, list[Any]] = {}
    for configuration in configurations:
        for name, value in configuration.items():
            tried.setdefault(name, []).append(value)
    return {"parameters": {name: _domain(values) for name, values in tried.items()} or {"none": 0}}


def _domain(values: list[Any]) -> dict[str, Any]:
    if any(isinstance(value, bool | str) or value is None for value in values):
        return {"values": list(dict.fromkeys(values))}
    if min(values) == max(values):
        return {"value": values[0]}
    is_whole = all(isinstance(value, int) for value in values)
    return {"min": min(values), "max": max(values)} | ({"int": True} if is_whole else {})


def _foreign(document: Mapping[str, Any], configuration: dict[str, Any]) -> ForeignTrial:
    result = _part(document, "result")
    is_good = document["state"] == _DONE and result.get("status") == "ok" and "loss" in result
    metrics = {
        name: float(value)
        for name, value in result.items()
        if isinstance(_plain(value), int | float)
        # A bool is an int to Python, and a flag of a result is no metric.
        and not isinstance(value, bool)
        and (name == "loss" or math.isfinite(value))
    }
    return ForeignTrial(
        configuration=configuration,
        state=TrialState.COMPLETED if is_good else TrialState.FAILED,
        metrics=metrics if is_good else {},
        started_at=_seconds(document.get("book_time")),
        ended_at=_seconds(document.get("refresh_time")),
        message=str(result.get("failure") or document.get("misc", {}).get("error") or result.get("status", "")),
    )


def _seconds(moment: Any) -> float:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return moment.timestamp() if isinstance(moment, datetime) else 0.0
