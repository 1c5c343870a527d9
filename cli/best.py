"""`pegbox best`: the answer of a study."""

from pegbox.cli.answer_panel import draw_answer, frame
from pegbox.cli.console import out, print_json, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, StudyName, Verbosity


def best(
    study: StudyName = None, *, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET
) -> None:
    """Show what to run, and how sure that is."""
    from pegbox.report.answer import study_answer

    answer = study_answer(store, study)
    if json:
        print_json(answer)
        return
    console = out()
    show(console, frame(answer, console.width) if console.is_terminal else draw_answer(answer))
