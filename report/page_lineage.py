"""Where a study's history comes from, for the page: runs, code, data, earlier answers, other studies."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pegbox.report.asking import rows
from pegbox.report.page_data import Lineage, RunRow, StudyRow, Verdict
from pegbox.report.pasting import as_yaml
from pegbox.schemas.space import Integer, Ordinal
from pegbox.schemas.study import StudySpec
from pegbox.storage.history_file import HistoryFile

MOST_RUNS = 50
MOST_STUDIES = 200

_RUNS = """
SELECT run, status, started_at, ended_at, host, data_fingerprint, git_commit, git_dirty, versions, message
FROM runs WHERE study = $study ORDER BY started_at DESC LIMIT $most
"""

_VERDICTS = """
SELECT s.run, s.selected_at, s.winner, s.mean, s.low, s.high, r.data_fingerprint
FROM selections AS s LEFT JOIN runs AS r USING (study, run)
WHERE s.study = $study AND s.mean IS NOT NULL ORDER BY s.selected_at DESC LIMIT $most
"""

_STUDIES = """
WITH tally AS (
    SELECT study, count(*) AS n, count(*) FILTER (state = 'failed') AS failed,
        min(value) FILTER (state = 'completed') AS lowest, max(value) FILTER (state = 'completed') AS highest,
        max(ended_at) AS ended_at
    FROM trials GROUP BY study
), spent AS (SELECT study, sum(seconds) AS seconds FROM segments GROUP BY study),
last_run AS (SELECT study, arg_max(status, started_at) AS status FROM runs GROUP BY study)
SELECT s.study, s.metrics[1], s.goals[1], coalesce(n, 0), coalesce(failed, 0),
    CASE WHEN s.goals[1] = 'maximize' THEN highest ELSE lowest END, spent.seconds,
    greatest(s.changed_at, tally.ended_at) AS changed, coalesce(last_run.status, 'waiting')
FROM studies AS s LEFT JOIN tally USING (study) LEFT JOIN spent USING (study) LEFT JOIN last_run USING (study)
ORDER BY changed DESC, s.study LIMIT $most
"""


def lineage(file: HistoryFile, spec: StudySpec) -> Lineage:
    """The runs of a study, latest first, each with what changed since the run before."""
    runs = [_run(one) for one in rows(file, _RUNS, study=spec.name, most=MOST_RUNS)]
    older: list[RunRow | None] = [*runs[1:], None]
    return Lineage(
        runs=tuple(
            run.model_copy(update={"changes": _changes(run, before)}) for run, before in zip(runs, older, strict=True)
        ),
        spec=as_yaml(study_file(spec)),
        verdicts=_verdicts(file, spec.name),
    )


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


def _verdicts(file: HistoryFile, study: str) -> tuple[Verdict, ...]:
    found = rows(file, _VERDICTS, study=study, most=MOST_RUNS)[::-1]
    return tuple(
        Verdict(run=run, at=unix(at) or 0.0, trial=trial, value=value, low=low, high=high, data=data or "")
        for run, at, trial, value, low, high, data in found
    )


def study_rows(file: HistoryFile) -> tuple[StudyRow, ...]:
    """All studies of the store, the one that changed last comes first."""
    return tuple(
        StudyRow(
            study=study,
            metric=metric,
            goal=_goal(goal),
            n_trials=n_trials,
            n_failed=n_failed,
            best=best,
            training_seconds=seconds,
            changed_at=unix(changed_at),
            state=state,
        )
        for study, metric, goal, n_trials, n_failed, best, seconds, changed_at, state in rows(
            file, _STUDIES, most=MOST_STUDIES
        )
    )


def _goal(text: str) -> Literal["minimize", "maximize"]:
    return "maximize" if text == "maximize" else "minimize"


def unix(moment: datetime | None) -> float | None:
    """Seconds since 1970."""
    return None if moment is None else moment.timestamp()
