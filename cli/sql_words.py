"""What Tab offers at the SQL prompt, by what stands before the cursor; knows neither a terminal nor a database."""

from collections.abc import Sequence

from pegbox.storage.completion import KEYWORDS, Word

DELIMITERS = " \t\n(),;=<>+*/%'."
"""Where a word begins; quotation marks and dashes are not among them, because names in quotes hold dashes."""


class Completer:
    """Completes the word before the cursor.

    Attributes:
        words: Names of the history.
        studies: Names of studies, which stand in strings, as the arguments of macros.
    """

    def __init__(self, words: Sequence[Word], studies: Sequence[str]) -> None:
        self.words = tuple(words)
        self.studies = tuple(studies)

    def matches(self, text: str, before: str) -> list[str]:
        """What may stand there instead of the text.

        Args:
            text: The begun word.
            before: The line up to the word.
        """
        # An odd number of quotes means that a string is open: macros take studies and columns in strings.
        if before.count("'") % 2:
            columns = [word.name.strip('"') for word in self.words if word.kind == "column"]
            return [f"{name}'" for name in _beginning(text, (*self.studies, *columns))]
        begun = text.removeprefix('"').lower()
        names = [_written(word) for word in self.words if word.name.removeprefix('"').lower().startswith(begun)]
        # Not for an empty word: a list of all keywords hides the tables that one is looking for.
        keywords = [] if text.startswith('"') or not text else _beginning(text, KEYWORDS.split())
        return sorted({*names, *keywords}, key=lambda name: (name.lower().strip('"'), name))


def _written(word: Word) -> str:
    return f"{word.name}(" if word.kind == "macro" else word.name


def _beginning(text: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if name.lower().startswith(text.lower())]
