"""Where a study's history comes from (its provenance), for the page: runs, code, data, earlier answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pegbox.page.lineage_document import Lineage, RunRow
from pegbox.page.schedule_block import data_rows, schedule_rows, verdicts
from pegbox.report.configuration_formats import as_yaml
from pegbox.schemas.domains import Integer, Ordinal
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.runs import DrivenRun, driven_runs, specs_of_runs

# Picked by hand: a scheduled study gathers runs for years, and what is asked about is the last few.
MOST_RUNS = 50


def lineage(file: HistoryFile, spec: StudySpec) -> Lineage:
    """The runs of a study, latest first, each with what changed since the run before."""
    runs = [_run(one) for one in driven_runs(file, spec.name, MOST_RUNS)]
    specs = {run: entries(study_file(began)) for run, began in specs_of_runs(file, spec.name)}
    answers = verdicts(file, spec.name)
    return Lineage(
        runs=tuple(
            run.model_copy(update={"changes": (*_changes(run, before), *_spec_changes(specs, run, before))})
            # Latest first, so that the run before is the next one of the list; the last shown has none to be compared
            # with.
            for run, before in zip(runs, [*runs[1:], None], strict=True)
        ),
        spec=as_yaml(study_file(spec)),
        verdicts=answers,
        states=data_rows(file, answers),
        steps=schedule_rows(file, spec.name),
    )


def _spec_changes(specs: Mapping[str, Mapping[str, str]], run: RunRow, before: RunRow | None) -> list[str]:
    now, then = specs.get(run.run, {}), specs.get(before.run if before else "", {})
    if not then:
        return []
    return [
        f"{path} {then.get(path, 'left out')} → {now.get(path, 'left out')}"
        # A dictionary instead of a set keeps the order of the study file, in which a person looks for a change.
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
    # Without defaults, or a new option of a later version would read as a change that somebody made.
    plain: dict[str, Any] = spec.model_dump(mode="json", exclude_defaults=True)
    for name, domain in spec.space.parameters.items():
        if isinstance(domain, Integer):
            plain["space"][name]["int"] = True
        if isinstance(domain, Ordinal):
            plain["space"][name]["ordered"] = True
    return plain


def _run(run: DrivenRun) -> RunRow:
    changed = " with uncommitted changes" if run.git_dirty else ""
    return RunRow(
        run=run.run,
        status=run.status,
        started_at=unix(run.started_at),
        ended_at=unix(run.ended_at),
        host=run.host,
        data=run.data_fingerprint or "",
        commit=f"{run.git_commit[:12]}{changed}" if run.git_commit else "",
        versions=run.versions,
        message=run.message or "",
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
