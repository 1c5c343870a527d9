"""`pegbox schema`: the JSON Schema of the study file."""

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pegbox.cli.options import QUIET, Verbosity


def schema(
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Write it here instead of stdout.")] = None,
    *,
    verbosity: Verbosity = QUIET,
) -> None:
    """Print the JSON Schema of the study file, for editors."""
    from pegbox.schemas.study_schema import study_schema

    text = json.dumps(study_schema(), indent=2) + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text)
