"""The options that commands share; what a command alone knows stands with the command."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

# In the working directory and not in the home: the history belongs to the project and goes along with it.
DEFAULT_STORE = Path(".pegbox")

StudyName = Annotated[str | None, Parameter(help="Name of the study; the last one that ran where it is left out.")]
Json = Annotated[bool, Parameter(name="--json", negative="", show_default=False, help="Print JSON.")]
Settings = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative="",
        show_default=False,
        help="Replace an entry of the study, as in --set budget.trials=50; may be repeated.",
    ),
]
ModelName = Annotated[str, Parameter(help="A study, study@current, study@RUN, or the file of a model.")]
Trusted = Annotated[
    tuple[str, ...],
    Parameter(
        name="--trust",
        negative="",
        show_default=False,
        help="Code of yours that the model is made of, such as my_project.models:Net; loading it runs it.",
    ),
]
Output = Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write it here instead of stdout.")]
Store = Annotated[
    Path,
    Parameter(
        name="--store",
        env_var="PEGBOX_STORE",
        help="Directory of the history, made where there is none, or the URL of one that machines share.",
    ),
]


@Parameter(name="*")
@dataclass(frozen=True)
class Verbosity:
    """How much is told of what goes on.

    Attributes:
        verbose: Show tracebacks and what libraries print.
    """

    verbose: Annotated[bool, Parameter(name=["--verbose", "-v"], negative="", show_default=False)] = False


QUIET = Verbosity()
