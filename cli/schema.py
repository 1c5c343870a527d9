"""`pegbox schema`: the JSON Schema of the study file."""

import json
import sys

from pegbox.cli.options import QUIET, Output, Verbosity


def schema(
    output: Output = None,
    *,
    verbosity: Verbosity = QUIET,
) -> None:
    """Write the schema as text."""
    from pegbox.schemas.study_schema import study_schema

    text = json.dumps(study_schema(), indent=2) + "\n"
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text)
