"""Keeps explanations in the store's cache, by a cache key of what they rest on, for all readers; computes none."""

import contextlib
import hashlib
from functools import cache
from pathlib import Path

from pydantic import ValidationError

import pegbox
from pegbox import __version__
from pegbox.report.explanation import Explanation
from pegbox.schemas.base import Schema
from pegbox.schemas.history import History
from pegbox.storage.layout import StoreLayout

# Picked by hand: what a few people look at meanwhile; the cache must not grow with how often a page is opened.
MOST_KEPT = 8
"""Of one study; a study that runs leaves one behind whenever somebody looks."""
COMPUTED_BY = ("analysis", "schemas")
"""Rooms whose code decides what comes out of the same history."""


class _Last(Schema):
    version: int
    """Of the history."""
    key: str


def explained_content(history: History) -> History:
    """What an explanation depends on, and nothing else of a history: the same content is explained once.

    A run that begins or ends, a segment that starts, the clock and files that are deleted change nothing of it.
    """
    inside = history.within_space()
    told = [trial for trial in inside.trials if trial.evaluations or trial.state.is_finished]
    # Without checkpoints: garbage collection deletes them and changes nothing of what a history says.
    return History(
        spec=history.spec,
        trials=tuple(
            trial.model_copy(update={"checkpoints": {}, "state": history.told_state(trial)}) for trial in told
        ),
        search_end=history.search_end,
        selection=history.selection,
    )


class ExplanationCache:
    """What was computed of one study.

    Args:
        store: Where it is kept; one that can only be read keeps nothing new.
        study: Its name.
    """

    def __init__(self, store: StoreLayout, study: str) -> None:
        # Hashed, because a study's name may hold what a file system refuses; 32 hexadecimal digits are 128 bits, with
        # which no two names meet by chance.
        self._folder = store.cache / "explanations" / hashlib.sha256(study.encode()).hexdigest()[:32]

    def key_of(self, content: History, basis: str = "") -> str:
        """Equal for equal contents, explained by equal code.

        Args:
            content: As `explained_content` gives it.
            basis: What else the explanation rests on.
        """
        # The cache key holds the code too: after an update the same history is explained anew instead of as of old.
        digest = hashlib.sha256(f"{__version__} {_code()} {basis}".encode())
        digest.update(content.model_dump_json().encode())
        return digest.hexdigest()[:32]

    def find(self, key: str) -> Explanation | None:
        """The explanation of a content."""
        with contextlib.suppress(OSError, ValidationError):
            return Explanation.model_validate_json((self._folder / f"{key}.json").read_bytes())
        return None

    def last(self) -> Explanation | None:
        """The explanation that was kept or confirmed last, with the version of the history that it is good for."""
        with contextlib.suppress(OSError, ValidationError):
            last = _Last.model_validate_json(self._pointer.read_bytes())
            found = self.find(last.key)
            return found.model_copy(update={"version": last.version}) if found else None
        return None

    def keep(self, key: str, explanation: Explanation) -> None:
        """Keep an explanation, or say that an earlier one is good for a later version; old ones go."""
        with contextlib.suppress(OSError):  # a store that can only be read is explained again each time
            self._folder.mkdir(parents=True, exist_ok=True)
            # Before the pointer, which would else name for a moment what is not there.
            _write(self._folder / f"{key}.json", explanation)
            _write(self._pointer, _Last(version=explanation.version, key=key))
            # One more than are kept: the pointer is such a file too, and it is always the newest.
            old = sorted(self._folder.glob("*.json"), key=lambda one: one.stat().st_mtime)[: -MOST_KEPT - 1]
            for one in old:
                one.unlink(missing_ok=True)

    @property
    def _pointer(self) -> Path:
        return self._folder / f"last-{_code()}.json"


@cache
def _code() -> str:
    """Of all files of the rooms that compute: derived from what is there, so that none can be forgotten."""
    root = Path(pegbox.__file__).parent
    digest = hashlib.sha256(Path(__file__).with_name("explain.py").read_bytes())
    for path in sorted(path for room in COMPUTED_BY for path in (root / room).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _write(path: Path, content: Schema) -> None:
    """All of it or nothing, also beside another process that does the same."""
    text = content.model_dump_json()
    # Named by its content: two processes that write the same share the draft, others have their own; the rename is
    # atomic.
    draft = path.with_suffix(f".{hashlib.sha256(text.encode()).hexdigest()[:8]}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
