"""`pegbox watch`: follow a study that runs elsewhere; its process never notices."""

import contextlib
import time

from pegbox.cli.console import err, out, show
from pegbox.cli.live import FRAME_SECONDS, LiveView, PublishedStudy
from pegbox.cli.live_panel import draw_panel
from pegbox.cli.options import DEFAULT_STORE, QUIET, Store, StudyName, Verbosity


def watch(study: StudyName = None, *, store: Store = DEFAULT_STORE, verbosity: Verbosity = QUIET) -> None:
    """Follow a study that runs, until it ends.

    Ctrl-C stops watching, not the study.
    """
    from pegbox.report.study_reader import StudyReader
    from pegbox.storage.layout import StoreLayout
    from pegbox.storage.sharing import following

    with StudyReader(store, study) as reader:
        name, status = reader.study, reader.status()
    published = PublishedStudy(store, name, is_driver=False)
    view = LiveView(err(), published)
    # A study that has ended is drawn once; there is nothing to wait for.
    if status.run is not None and status.run.status == "running":
        published.skip_finished()
        followed = following.followed(StoreLayout(store.absolute()))
        with contextlib.suppress(KeyboardInterrupt), followed, view.open():
            while view.status is None or view.status.run is None or view.status.run.status == "running":
                time.sleep(FRAME_SECONDS)
    console = out()
    show(console, draw_panel(view.status or status, min(console.width, 120)))
