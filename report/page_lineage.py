"""Where a study's history comes from, for the page: runs, code, data, what was asked for, earlier answers."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pegbox.report.asking import rows
from pegbox.report.page_data import Lineage, RunRow
from pegbox.report.page_schedule import schedule_rows, verdicts
from pegbox.report.pasting import as_yaml
from pegbox.schemas.domains import Integer, Ordinal
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile

MOST_RUNS = 50

_RUNS = """
SELECT run, status, started_at, ended_at, host, data_fingerprint, git_commit, git_dirty, versions, message
FROM runs WHERE study = $study ORDER BY started_at DESC LIMIT $most
"""

_SPECS = """
SELECT type, body FROM events WHERE study = $study AND type IN ('study_opened', 'run_started') ORDER BY version
"""


def lineage(file: HistoryFile, spec: StudySpec) -> Lineage:
    """The runs of a study, latest first, each with what changed since the run before."""
    runs = [_run(one) for one in rows(file, _RUNS, study=spec.name, most=MOST_RUNS)]
    specs = _specs(file, spec)
    return Lineage(
        runs=tuple(
            run.model_copy(update={"changes": (*_changes(run, before), *_spec_changes(specs, run, before))})
            for run, before in zip(runs, [*runs[1:], None], strict=True)
        ),
        spec=as_yaml(study_file(spec)),
        verdicts=verdicts(file, spec.name),
        steps=schedule_rows(file, spec.name),
    )


def _specs(file: HistoryFile, spec: StudySpec) -> dict[str, dict[str, str]]:
    """The study as each run began with it: the entries of its file by their path."""
    known: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for kind, body in rows(file, _SPECS, study=spec.name):
        event = json.loads(body)
        if kind == "study_opened":
            current = entries(study_file(StudySpec.model_validate(event["spec"])))
        else:
            known[event["run"]] = current
    return known


def _spec_changes(specs: Mapping[str, Mapping[str, str]], run: RunRow, before: RunRow | None) -> list[str]:
    now, then = specs.get(run.run, {}), specs.get(before.run if before else "", {})
    if not then:
        return []
    return [
        f"{path} {then.get(path, 'left out')} → {now.get(path, 'left out')}"
        for path in dict.fromkeys([*then, *now])
        if now.get(path) != then.get(path)
    ]


def entries(section: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """The entries of a study file by their path.

    >>> entries({"budget": {"trials": 12}, "tags": {}, "name": "digits"})
    {'budget.trials': '12', 'name': 'digits'}
    """
    found: dict[str, str] = {}
    for name, value in section.items():
        if isinstance(value, Mapping):
            found |= entries(value, f"{path}{name}.")
        else:
            found[path + name] = str(value)
    return found


def study_file(spec: StudySpec) -> dict[str, Any]:
    """The study as its file could say it: what is left at its default is left out, save what tells domains apart."""
    plain: dict[str, Any] = spec.model_dump(mode="json", exclude_defaults=True)
    for name, domain in spec.space.parameters.items():
        if isinstance(domain, Integer):
            plain["space"][name]["int"] = True
        if isinstance(domain, Ordinal):
            plain["space"][name]["ordered"] = True
    return plain


def _run(found: tuple[Any, ...]) -> RunRow:
    run, status, started_at, ended_at, host, data, commit, dirty, versions, message = found
    changed = " with uncommitted changes" if dirty else ""
    return RunRow(
        run=run,
        status=status,
        started_at=unix(started_at),
        ended_at=unix(ended_at),
        host=host,
        data=data or "",
        commit=f"{commit[:12]}{changed}" if commit else "",
        versions=dict(versions or {}),
        message=message or "",
    )


def _changes(run: RunRow, before: RunRow | None) -> tuple[str, ...]:
    if before is None:
        return ()
    changes = []
    if run.data != before.data:
        changes.append("the data changed")
    if run.commit != before.commit:
        changes.append(f"the code changed from {before.commit or 'no commit'}")
    if run.host != before.host:
        changes.append(f"moved from {before.host}")
    return (*changes, *_version_changes(run.versions, before.versions))


def _version_changes(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    return [
        f"{name} {before.get(name, 'absent')} → {now.get(name, 'absent')}"
        for name in sorted({*now, *before})
        if now.get(name) != before.get(name)
    ]


def unix(moment: datetime | None) -> float | None:
    """Seconds since 1970."""
    return None if moment is None else moment.timestamp()
