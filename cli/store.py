"""`pegbox store`: looks after the files of a store: are they whole, make the database again, free space."""

from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from pegbox.cli.commands import COMMANDS
from pegbox.cli.console import out, print_json, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.report.number_format import size
from pegbox.storage.garbage import KEEP, Collected, Garbage, collect_garbage
from pegbox.storage.layout import StoreLayout
from pegbox.storage.maintenance import Verified
from pegbox.storage.maintenance import rebuild as rebuild_store
from pegbox.storage.maintenance import verify as verify_store

# Picked by hand: a study leaves thousands of checkpoints, and their sum is what one wants to know.
MOST_SHOWN = 20

store = App(name="store", help=COMMANDS["store"].line, help_epilogue="")


@store.command(sort_key=0)
def verify(*, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET) -> int:
    """Compare every journal with the database: counts, last numbers, gaps; while studies run, too.

    Ends with 1 where something is lost, or held by the database alone.

    Example: pegbox store verify

    Returns:
        0, or 1 where something is lost or held by the database alone.
    """
    found = verify_store(StoreLayout(store.absolute()))
    if json:
        findings = [finding._asdict() for finding in found.findings]
        print_json({"journals": found.n_journals, "events": found.n_events, "findings": findings})
    else:
        console = out()
        for finding in found.findings:
            style = "bad" if finding.is_loss else "warn" if finding.is_only_in_database else "quiet"
            console.print(Text.assemble((safe(finding.subject), style), f": {safe(finding.message)}"), soft_wrap=True)
        console.print(f"{found.n_events} events of {found.n_journals} journals: {_verdict(found)}", soft_wrap=True)
    return 0 if found.is_whole else 1


def _verdict(found: Verified) -> str:
    if found.has_loss:
        return "something is lost"
    if not found.is_whole:
        return "nothing is lost, but some stand in the database alone; `pegbox store rebuild` writes them to a journal"
    return "nothing is lost"


@store.command(sort_key=1)
def rebuild(
    *,
    force: Annotated[
        bool, Parameter(negative="", show_default=False, help="Also where something would be lost by it.")
    ] = False,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Make the database again from the journals.

    For a database that was damaged or deleted. What only the old one holds is written into a journal first, and the old
    one is kept.

    Example: pegbox store rebuild
    """
    made = rebuild_store(StoreLayout(store.absolute()), force=force)
    if json:
        print_json(
            {
                "events": made.n_events,
                "damaged_lines": made.n_bad,
                "saved": made.saved._asdict(),
                "kept": None if made.kept is None else str(made.kept),
            }
        )
        return
    console, (n_events, n_reports) = out(), made.saved
    damaged = f"; {made.n_bad} damaged lines were set aside" if made.n_bad else ""
    console.print(f"made again from {made.n_events} events{damaged}")
    if n_events or n_reports:
        console.print(f"{n_events} events and {n_reports} reports that only the database held are in a journal now")
    if made.kept:
        console.print(f"the old database is kept as {safe(str(made.kept))}", style="quiet", soft_wrap=True)


@store.command(sort_key=2)
def gc(
    *,
    keep: Annotated[int, Parameter(help="Best trials of each study that keep their checkpoints.")] = KEEP,
    dry_run: Annotated[bool, Parameter(negative="", show_default=False, help="Only say what would go.")] = False,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Delete checkpoints that no trial needs any more, cached results, and decoded pictures.

    Those of the best trials of each study, and of trials whose life goes on, are kept. Databases that a rebuild kept go
    after a week.

    Example: pegbox store gc --keep 1 --dry-run
    """
    done = collect_garbage(StoreLayout(store.absolute()), keep, dry_run=dry_run)
    if json:
        print_json(
            {
                "deleted": done.deleted,
                "bytes": done.n_bytes,
                "kept_checkpoints": done.n_kept,
                "checkpoints": [str(item.path) for item in done.checkpoints],
                "cache": [str(item.path) for item in done.cache],
                "databases": [str(item.path) for item in done.databases],
                "pictures": [str(item.path) for item in done.pictures],
            }
        )
    else:
        _print_collected(done)


def _print_collected(done: Collected) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    items = done.all
    for item in items[:MOST_SHOWN]:
        table.add_row(size(item.n_bytes), Text(safe(str(item.path)), style="quiet"))
    console = out()
    if table.row_count:
        show(console, table)
    more = len(items) - MOST_SHOWN
    if more > 0:
        console.print(f"and {more} more", style="quiet")
    verb = "deleted" if done.deleted else "would delete"
    further = {"old databases": done.databases, "sets of decoded pictures": done.pictures}
    said = [_summary(done.checkpoints, "checkpoints"), _summary(done.cache, "cached results")]
    said += [_summary(those, what) for what, those in further.items() if those]
    console.print(f"{verb} {' and '.join(said)}; {done.n_kept} checkpoints are kept")


def _summary(items: tuple[Garbage, ...], what: str) -> str:
    return f"{len(items)} {what} ({size(sum(item.n_bytes for item in items))})"
