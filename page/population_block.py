"""Who was copied from whom in a population, for the page."""

from pegbox.page.population_document import ChangedValue, PopulationTrial
from pegbox.storage.history_file import HistoryFile
from pegbox.storage.queries.lineage import LineageRow, lineage


def population(file: HistoryFile, study: str) -> tuple[PopulationTrial, ...]:
    """All trials of a population, by member; empty where none was copied, for then there is nothing to tell."""
    rows = lineage(file, study)
    return tuple(map(_trial, rows)) if any(row.parent is not None for row in rows) else ()


def _trial(row: LineageRow) -> PopulationTrial:
    return PopulationTrial(
        trial=row.trial,
        member=row.member,
        parent=row.parent,
        begin=row.from_budget,
        # The history counts nothing for a trial until its first evaluation, but a copy has its parent's epochs.
        end=max(row.from_budget, row.budget),
        state=row.state,
        value=row.value,
        changed=tuple(ChangedValue(name=name, before=one.before, after=one.after) for name, one in row.changed.items()),
    )
