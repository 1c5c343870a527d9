"""`pegbox status`: how a study stands."""

from pegbox.cli.console import out, print_json, show
from pegbox.cli.live_panel import draw_panel
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, StudyName, Verbosity

# Picked by hand: a panel as wide as a pipe pretends to be would be a line of 10,000 columns.
PIPED_WIDTH = 120


def status(
    study: StudyName = None, *, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET
) -> None:
    """Show how a study stands.

    Its budget, the best so far, what its workers do.
    """
    from pegbox.report.study_reader import study_status

    found = study_status(store, study)
    if json:
        print_json(found)
        return
    console = out()
    show(console, draw_panel(found, min(console.width, PIPED_WIDTH)))
