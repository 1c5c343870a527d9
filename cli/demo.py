"""`pegbox demo`: runs the study that comes with pegbox, so that an install shows what it does."""

from importlib.resources import as_file, files

from pegbox.cli.console import err
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity


def demo(*, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET) -> int:
    """Tune a small network on handwritten digits, with the study file that `pegbox init demo` writes.

    Returns:
        0, or 4 where the study's target was missed.
    """
    from pegbox.cli.run import run

    # An installed package may lie in a zip archive, where its files have no path of their own.
    with as_file(files("pegbox.cli") / "templates" / "demo" / "study.yaml") as study_file:
        code = run(study_file, store=store, json=json, verbosity=verbosity)
    err().print("next: pegbox init demo, which writes the study file that was run here", style="quiet")
    return code
