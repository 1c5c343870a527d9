"""`pegbox doctor`: what this machine and this store are like, and how to mend what would stop a study."""

from rich.table import Table
from rich.text import Text

from pegbox.cli.console import out, print_json, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity

SIGNS = {"ok": ("✓", "good"), "note": ("·", "quiet"), "warn": ("!", "warn"), "fail": ("✗", "bad")}


def doctor(*, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET) -> int:
    """Check versions, the Prefect server, the store, the disk and the devices.

    Returns:
        0, or 1 where something would stop a study.
    """
    from pegbox.cli.doctor_checks import examine

    findings = examine(store)
    if json:
        print_json(findings)
    else:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column()
        for finding in findings:
            sign, style = SIGNS[finding.state]
            words = Text(safe(finding.fact))
            if finding.advice:
                words.append(f" {safe(finding.advice)}", style="warn")
            table.add_row(Text(sign, style=style), Text(finding.about, style="quiet"), words)
        show(out(), table)
    # Warnings end with 0: a script that checks a machine must be able to go on with one whose disk is only rather full.
    return 1 if any(finding.state == "fail" for finding in findings) else 0
