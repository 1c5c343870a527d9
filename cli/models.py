"""`pegbox models`: the models of a store with their standing."""

from rich.table import Table
from rich.text import Text

from pegbox.cli.card_text import draw_card
from pegbox.cli.console import err, out, print_json, safe, show
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, StudyName, Verbosity
from pegbox.report.number_format import metric


def models(
    study: StudyName = None, *, store: Store = DEFAULT_STORE, json: Json = False, verbosity: Verbosity = QUIET
) -> None:
    """List the models of a study, or of all studies, the newest first; of a study with the card of the newest."""
    from pegbox.storage.history_file import open_history
    from pegbox.storage.model_log import listed_models

    with open_history(store) as file:
        found = listed_models(file, study)
    if json:
        print_json(found)
        return
    if not found:
        err().print("There is no model yet. A study ends in one: `pegbox run study.yaml`.")
        return
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for heading in ("model", "standing", "of", "final", "on held-out rows", "made"):
        table.add_column(heading, no_wrap=True)
    for model in found:
        standing = f"{model.standing} of {model.promoted_as}" if model.promoted_as else model.standing
        first = next(iter(model.metrics.items()), None)
        table.add_row(
            Text(f"{safe(model.study)}@{model.run}", style="name"),
            Text(safe(f"{standing}, gone" if model.is_gone else standing), style="warn" if model.is_gone else ""),
            f"trial {model.trial}",
            model.final,
            f"{safe(first[0])} {metric(first[1])}" if first else "",
            f"{model.made_at:%Y-%m-%d %H:%M}",
        )
    show(out(), table)
    if study is not None and (card := found[0].card) is not None:
        out().print()
        show(out(), draw_card(card))
