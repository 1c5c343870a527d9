"""`pegbox note`: notes and tags of studies and trials."""

from typing import Annotated

from cyclopts import Parameter
from pydantic import ValidationError

from pegbox.cli.console import err, safe
from pegbox.cli.console import out as results
from pegbox.cli.options import DEFAULT_STORE, QUIET, Json, Store, Verbosity
from pegbox.schemas.errors import StudyError
from pegbox.storage.layout import StoreLayout

# Picked by hand: what a terminal shows without scrolling twice; `pegbox sql "FROM notes"` has all.
MOST_SHOWN = 100


def note(  # noqa: PLR0913  each is an option of the command
    study: Annotated[str, Parameter(help="Name of the study, or of a trial: `digits:35`.")],
    text: Annotated[
        str, Parameter(help="What to note; where neither it nor a tag is given, the notes are shown.")
    ] = "",
    *,
    tag: Annotated[tuple[str, ...], Parameter(negative="", show_default=False, help="A tag to give; repeatable.")] = (),
    untag: Annotated[
        tuple[str, ...], Parameter(negative="", show_default=False, help="A tag to take away; repeatable.")
    ] = (),
    store: Store = DEFAULT_STORE,
    json: Json = False,
    verbosity: Verbosity = QUIET,
) -> None:
    """Note something about a study or a trial, or show what was noted; a study that runs goes on."""
    from pegbox.schemas.events import NoteWritten
    from pegbox.storage.history_file import open_history
    from pegbox.storage.notes import write_note
    from pegbox.storage.queries.studies import study_names

    layout = StoreLayout(store.absolute())
    with open_history(layout.root) as file:
        name, trial = subject(study, study_names(file))
    if not (text or tag or untag):
        _show(layout, name, trial, as_json=json)
        return
    try:
        written = NoteWritten(study=name, trial=trial, text=text, tags=tag, untagged=untag)
    except ValidationError as error:
        raise StudyError(
            f"the note is not understood: {error.errors()[0]['msg']}. Write it shorter.", "note"
        ) from error
    write_note(layout, written)
    err().print(f"Noted on {safe(study)}.")


def subject(given: str, names: tuple[str, ...]) -> tuple[str, int | None]:
    """The study and, where one is named, its trial; a study may have a colon in its name.

    >>> subject("digits:35", ("digits",)), subject("a:1", ("a:1", "a"))
    (('digits', 35), ('a:1', None))
    """
    study, colon, number = given.rpartition(":")
    if given in names or not colon or not number.isdecimal():
        return given, None
    return study, int(number)


def _show(layout: StoreLayout, study: str, trial: int | None, *, as_json: bool) -> None:
    import json
    from datetime import datetime

    from pegbox.storage.history_file import HistoryFile
    from pegbox.storage.queries.notes import notes_of

    with HistoryFile(layout) as file:
        found = [one for one in notes_of(file, study, MOST_SHOWN) if trial is None or one.trial == trial]
    if as_json:
        results().print(json.dumps([one.model_dump(mode="json") for one in found], ensure_ascii=False), soft_wrap=True)
        return
    for one in found:
        where = "study" if one.trial is None else f"trial {one.trial}"
        tags = "".join(f" +{tag}" for tag in one.tags) + "".join(f" -{tag}" for tag in one.untagged)
        results().print(f"{datetime.fromtimestamp(one.at):%Y-%m-%d %H:%M}  {where}  {safe(one.text)}{safe(tags)}")
    if not found:
        err().print(f"Nothing is noted on {safe(study)}. `pegbox note {safe(study)} TEXT --tag NAME` notes something.")
