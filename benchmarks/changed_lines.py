"""How many lines of a script somebody changed; also what the tests of `examples/scripts` count by."""

import difflib


def n_changed(before: list[str], after: list[str]) -> int:
    """Lines that somebody wrote or took away; one that was rewritten counts once, an empty one not at all."""
    count = 0
    for kind, *places in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        gone, new = before[places[0] : places[1]], after[places[2] : places[3]]
        count += 0 if kind == "equal" else max(sum(1 for line in part if line.strip()) for part in (gone, new))
    return count
