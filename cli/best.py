"""`pegbox best`: the answer of a study, or its configuration alone in a form that can be pasted."""

from typing import Annotated, Literal

from cyclopts import Parameter

from pegbox.cli import terminal
from pegbox.cli.answer_panel import show_answer
from pegbox.cli.console import out, print_json
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, StudyName, Verbosity
from pegbox.report.configuration_formats import as_arguments, as_json, as_python, as_yaml

FORMS = {"yaml": as_yaml, "json": as_json, "args": as_arguments, "python": as_python}
Form = Annotated[
    Literal["yaml", "json", "args", "python"] | None,
    Parameter(
        name="--format",
        help="Print the configuration alone: as YAML, for search.enqueue or a file of yours, as JSON, as arguments for "
        "a shell, or as Python.",
    ),
]


def best(
    study: StudyName = None,
    *,
    form: Form = None,
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> int:
    """Show what to run, and how sure that is.

    Returns:
        0, or 3 where no trial can be named.
    """
    from pegbox.report.answer import study_answer
    from pegbox.schemas.errors import NoTrialSucceededError

    answer = study_answer(store, study)
    if form is not None:
        if answer.configuration is None:
            raise NoTrialSucceededError(answer.sentence)
        # Written past the console, which would wrap long lines: this is pasted, or read by a program.
        terminal.stdout().write(FORMS[form](answer.configuration).rstrip("\n") + "\n")
    elif json:
        print_json(answer)
    else:
        show_answer(out(), answer)
    return 0 if answer.configuration is not None else NoTrialSucceededError.exit_code
