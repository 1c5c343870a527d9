"""Asks the rule of `schemas.competition` about folded trials, so that the database holds which compete and who leads.

Runs inside the transaction of an ingest: `judge` decides about the trials that changed, `lead` about their studies.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import duckdb
import numpy as np
from pydantic import TypeAdapter, ValidationError

from pegbox.schemas.base import Configuration, Metrics
from pegbox.schemas.competition import excluded_by, leaders_of
from pegbox.schemas.selection import Selection
from pegbox.schemas.study import StudySpec
from pegbox.schemas.trial import Evaluation, Trial, TrialState

_CONFIGURATION: TypeAdapter[Configuration] = TypeAdapter(Configuration)


class _Judged(NamedTuple):
    """A row of the table `judged`; only named where this version cannot read the trial or its study."""

    study: str
    number: int
    competes: bool | None = None
    excluded_by: str | None = None
    loss: float | None = None


_JUDGED = "study VARCHAR, number INTEGER, competes BOOLEAN, excluded_by VARCHAR, loss DOUBLE"


class _Broken(NamedTuple):
    """A row of `violations`."""

    study: str
    number: int
    state: str
    metric: str
    value: float | None
    lowest: float | None
    highest: float | None
    violation: float | None


_BROKEN = (
    "study VARCHAR, number INTEGER, state VARCHAR, metric VARCHAR, value DOUBLE, lowest DOUBLE, highest DOUBLE, "
    "violation DOUBLE"
)


class _Led(NamedTuple):
    """A row of `leaders`; only named where this version cannot read the study."""

    study: str
    best: int | None = None
    best_value: float | None = None
    is_selected: bool | None = None
    incumbent: int | None = None
    incumbent_value: float | None = None
    front: list[int] | None = None


_LED = (
    "study VARCHAR, best INTEGER, best_value DOUBLE, is_selected BOOLEAN, incumbent INTEGER, incumbent_value DOUBLE, "
    "front INTEGER[]"
)


def judge(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `judged` and `broken` about the trials in `folded`."""
    # One read for all studies and all fresh seeds, not one for each trial: a rebuild folds 100,000 of them.
    specs = _specs(connection, "SELECT DISTINCT study FROM folded")
    fresh = _fresh_seeds(connection)
    judged: list[_Judged] = []
    broken: list[_Broken] = []
    rows = connection.execute("SELECT study, number, state, budget, metrics, configuration FROM folded").fetchall()
    for study, number, *facts in rows:
        spec, trial = specs.get(study), _trial(number, fresh[study, number], *facts)
        if spec is None or trial is None:
            judged.append(_Judged(study, number))
            continue
        reason, value = excluded_by(spec, trial), trial.value(spec.goals[0].metric)
        loss = None if value is None else spec.goals[0].loss(value)
        judged.append(_Judged(study, number, reason is None, reason, loss))
        broken += _broken(spec, trial)
    _put(connection, "judged", _JUDGED, judged)
    _put(connection, "broken", _BROKEN, broken)


def _fresh_seeds(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], list[Metrics]]:
    """What each fresh seed measured, in the order in which it came: a mean depends on it in its last digit."""
    found: dict[tuple[str, int], list[Metrics]] = defaultdict(list)
    rows = connection.execute(
        "SELECT study, trial, metrics FROM evaluations SEMI JOIN touched USING (study, trial) "
        "WHERE replicate IS NOT NULL AND fold IS NULL ORDER BY evaluations.rowid"
    ).fetchall()
    for study, trial, metrics in rows:
        found[study, trial].append(metrics)
    return found


def _trial(
    number: int, fresh: list[Metrics], state: str, budget: int, metrics: Metrics | None, configuration: str | None
) -> Trial | None:
    """As much of a trial as the rule asks for, not validated again: every event was when it was written.

    None where another version of pegbox wrote it.
    """
    try:
        return _BLANK.model_copy(
            update={
                "number": number,
                "configuration": _CONFIGURATION.validate_json(configuration or "{}"),
                "state": TrialState(state),
                "evaluations": () if metrics is None else (_evaluation(budget, metrics),),
                "replicates": tuple(_evaluation(budget, one) for one in fresh),
            }
        )
    except ValueError:
        return None


def _evaluation(budget: int, metrics: Metrics) -> Evaluation:
    return _UNMEASURED.model_copy(update={"budget": budget, "metrics": metrics})


_BLANK = Trial(number=0, configuration={}, seed=0)
_UNMEASURED = Evaluation(budget=0, metrics={})
"""Copied with changes, which takes a tenth of the time of building them: a rebuild judges every trial of the store."""


def _broken(spec: StudySpec, trial: Trial) -> Iterator[_Broken]:
    """The constraints that an evaluated trial is not known to keep."""
    for limit in spec.constraints if trial.evaluations else ():
        if not trial.keeps(limit):
            value, violation = trial.measured(limit.metric), trial.violation(limit)
            ends = (limit.min, limit.max)
            yield _Broken(spec.name, trial.number, trial.state, limit.metric, value, *ends, violation)


def lead(connection: duckdb.DuckDBPyConnection) -> None:
    """Say anew who leads each study of which trials were folded, or a selection made, in this batch."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE changed_studies AS SELECT DISTINCT study FROM arrived "
        "UNION SELECT study FROM respecified"
    )
    specs = _specs(connection, "FROM changed_studies")
    selections = _selections(connection)
    led = [_led(connection, study, spec, selections.get(study)) for study, spec in specs.items()]
    _put(connection, "led", _LED, led)
    connection.execute("DELETE FROM leaders USING changed_studies AS c WHERE leaders.study = c.study")
    connection.execute("INSERT INTO leaders BY NAME FROM led")


def _led(
    connection: duckdb.DuckDBPyConnection, study: str, spec: StudySpec | None, selection: Selection | None
) -> _Led:
    if spec is None:
        return _Led(study)
    columns = ", ".join(f'"values"[{at + 1}] AS value{at}' for at in range(len(spec.goals)))
    found = connection.execute(
        f"SELECT number, {columns} FROM trials WHERE study = ? AND competes ORDER BY number",  # noqa: S608 - counted
        [study],
    ).fetchnumpy()
    numbers = np.asarray(found["number"], dtype=np.int64)
    values = np.column_stack([np.asarray(found[f"value{at}"], dtype=float) for at in range(len(spec.goals))])
    # The rule takes losses, all to be made small: a sign of 1 or -1 for each objective, and no case for maximising.
    led = leaders_of(spec, numbers, values * [goal.loss(1.0) for goal in spec.goals], selection)
    if led.incumbent is None:
        return _Led(study, is_selected=False, front=[])
    seen = float(values[np.searchsorted(numbers, led.incumbent), 0])
    chosen = selection.finalists if led.is_selected and selection is not None else ()
    expected = next((one.expected for one in chosen if one.trial == led.best), seen)
    return _Led(study, led.best, expected, led.is_selected, led.incumbent, seen, list(led.front))


def _put(connection: duckdb.DuckDBPyConnection, table: str, declared: str, rows: Sequence[Any]) -> None:
    """Make a temporary table of tuples, whose columns are declared as in SQL and in their order."""
    import pyarrow as pa

    # By way of Arrow: executemany is 490 times slower than appending (DuckDB 2.0). The columns are declared, because
    # one that holds only NULL has no type that Arrow could tell.
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({declared})")
    if not rows:
        return
    columns = {name: pa.array(values) for name, values in zip(rows[0]._fields, zip(*rows, strict=True), strict=True)}
    connection.register("put_arrow", pa.table(columns))
    connection.execute(f"INSERT INTO {table} FROM put_arrow")
    connection.unregister("put_arrow")


def _selections(connection: duckdb.DuckDBPyConnection) -> dict[str, Selection]:
    """The last one of each changed study; without those that another version of pegbox wrote."""
    rows = connection.execute(
        "SELECT study, arg_max(body->'selection', version) FROM events SEMI JOIN changed_studies USING (study) "
        "WHERE type = 'selection_made' GROUP BY study"
    ).fetchall()
    found = {}
    for study, body in rows:
        try:
            found[study] = Selection.model_validate_json(body)
        except ValidationError:
            continue
    return found


def _specs(connection: duckdb.DuckDBPyConnection, studies: str) -> dict[str, StudySpec | None]:
    """The specifications of some studies; None where this version cannot read it."""
    rows = connection.execute(f"SELECT study, spec FROM studies WHERE study IN ({studies})").fetchall()  # noqa: S608
    return {study: _spec(text) for study, text in rows}


# A specification is validated once and not in each batch that asks for it; 64 is picked by hand, more studies than run
# at once in one store.
@lru_cache(maxsize=64)
def _spec(text: str) -> StudySpec | None:
    try:
        return StudySpec.model_validate_json(text)
    except ValidationError:
        return None
