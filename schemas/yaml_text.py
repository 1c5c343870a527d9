"""YAML text as plain values, with the place of each; knows nothing of studies."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pegbox.schemas.errors import Problem

Path = tuple[str | int, ...]
Place = tuple[int, int]
"""Line and column, both from 1."""

_HINTS = {
    "cannot start any token": "a {character} stands where a value or key is expected. {character_hint}",
    "mapping values are not allowed": "a colon stands where none is expected. Put the key on a line of its own, or put "
    "quotes around a text that holds ': '.",
    "expected ',' or ']'": "the list that is opened {opened} does not go on or end here. Add a ',' or ']'.",
    "expected ',' or '}'": "the mapping that is opened {opened} does not go on or end here. Add a ',' or '}}'.",
    "expected <block end>": "this line is not indented like the lines before it. Give all keys of one mapping the same "
    "indentation.",
    "could not find expected ':'": "a key without ':' stands here. Write `key: value`.",
    "while scanning a quoted scalar": "the quote that is opened {opened} is never closed.",
    "expected a single document": "the file holds a second document. Keep one, and remove the line `---`.",
    "found undefined alias": "the alias has no anchor before it. Define it with `&name` first.",
}


MOST_CHARACTERS = 1 << 20
"""Of a text; a study that lists four thousand configurations to begin with has half of that."""
MOST_VALUES = 50_000
"""Of a text, which takes four seconds to read; those counted again that an alias or a merge stands for: ten aliases of
ten aliases, eleven times, would be a hundred thousand million."""
# Picked by hand, far from the thousand frames of Python's stack, of which each level takes several.
MOST_LEVELS = 50
"""Of lists and mappings in each other; a study has eight."""


class YamlTextError(Exception):
    """The text is not the YAML that a study file may hold; carries what is wrong and where."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem)


@dataclass(frozen=True)
class YamlText:
    """A parsed text.

    Attributes:
        value: Plain dicts, lists and scalars; keys are always text.
    """

    value: Any
    _keys: dict[Path, Place] = field(default_factory=dict)
    _values: dict[Path, Place] = field(default_factory=dict)

    def locate(self, path: Sequence[str | int], *, key: bool = False) -> Place:
        """Where an entry stands, or the nearest entry around it that is written down.

        Args:
            path: Keys and positions from the top.
            key: The place of the key, not of its value.
        """
        where = tuple(path)
        while where and where not in self._values:
            where, key = where[:-1], True
        places = self._keys if key and where in self._keys else self._values
        return places.get(where, (1, 1))


def parse_yaml(text: str) -> YamlText:
    """Parse one YAML 1.2 document.

    Raises:
        YamlTextError: The text is no YAML, repeats a key, is too large, or uses a form that plain values cannot hold.
    """
    if len(text) > MOST_CHARACTERS:
        raise YamlTextError(
            Problem(
                f"a study file has at most {MOST_CHARACTERS:,} characters, this one {len(text):,}. Keep data in files "
                "of their own, and say ranges instead of listing values."
            )
        )
    # ruamel, YAML 1.2: PyYAML (1.1) makes a text of 1e-3 and False of no. Pure: the composer is ours, which the parser
    # in C would go round.
    yaml = YAML(typ="safe", pure=True)
    # Bounded while composing, because aliases of aliases grow only when they are read, and nesting ends in a
    # RecursionError before that.
    yaml.Composer = _BoundedComposer
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        raise YamlTextError(_explain(error, text)) from error
    except YAMLError as error:
        raise YamlTextError(_control_character(error, text)) from error
    reader = _Reader(yaml)
    value = None if node is None else reader.read(node, ())
    return YamlText(value, reader.keys, reader.values)


def _too_many(place: Place) -> YamlTextError:
    message = (
        f"the file holds more than {MOST_VALUES:,} values, those counted again that aliases (`*name`) and merges "
        "(`<<`) stand for. Write fewer."
    )
    return YamlTextError(Problem(message, (), *place))


class _BoundedComposer(Composer):
    """Gives up on a text that is no study long before it is read to its end."""

    def __init__(self, loader: Any = None) -> None:
        super().__init__(loader)
        self._n_nodes = 0
        self._n_levels = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The next node, with all that it holds."""
        self._n_nodes += 1
        self._n_levels += 1
        if self._n_nodes > MOST_VALUES or self._n_levels > MOST_LEVELS:
            mark = self.loader.parser.peek_event().start_mark
            raise self._refusal((mark.line + 1, mark.column + 1))
        try:
            return super().compose_node(parent, index)
        finally:
            self._n_levels -= 1

    def _refusal(self, place: Place) -> YamlTextError:
        if self._n_levels <= MOST_LEVELS:
            return _too_many(place)
        message = f"lists and mappings stand in each other more than {MOST_LEVELS} deep. No study does."
        return YamlTextError(Problem(message, (), *place))


class _Reader:
    """Walks the nodes once and keeps where each stands."""

    def __init__(self, yaml: YAML) -> None:
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self._construct = yaml.constructor.construct_object
        self._open: set[int] = set()
        self._n_values = 0

    def read(self, node: Node, path: Path) -> Any:
        self._count(node)
        # Nothing after a colon: the parser's mark is wherever the next token begins.
        is_nothing = isinstance(node, ScalarNode) and not node.value and not node.style
        self.values[path] = self.keys.get(path, _place(node)) if is_nothing else _place(node)
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        with self._inside(node, path):
            if isinstance(node, SequenceNode):
                return [self.read(item, (*path, number)) for number, item in enumerate(node.value)]
            return self._mapping(node, path) if isinstance(node, MappingNode) else None

    def _count(self, node: Node) -> None:
        self._n_values += 1
        if self._n_values > MOST_VALUES:
            raise _too_many(_place(node))

    @contextmanager
    def _inside(self, node: Node, path: Path) -> Iterator[None]:
        """While a list or mapping is read or merged, no alias in it may stand for it."""
        if id(node) in self._open:
            raise YamlTextError(Problem("an alias stands for the mapping that holds it.", path, *_place(node)))
        self._open.add(id(node))
        try:
            yield
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        tag = node.tag or "text"
        if tag.endswith(":timestamp"):  # a date is a text here: no parameter and no tag is a point in time
            return node.value
        try:
            return self._construct(node)
        except (YAMLError, ValueError, OverflowError) as error:
            message = f"{node.value[:60]!r} cannot be read as {tag.rpartition(':')[2]}. Put quotes around a text."
            raise YamlTextError(Problem(message, path, *_place(node))) from error

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in self._entries(node, path):
            where = (*path, key.value)
            if key.value in mapping:
                first = self.keys[where][0]
                message = f"the key {key.value!r} stands here a second time; line {first} has the first. Remove one."
                raise YamlTextError(Problem(message, where, *_place(key)))
            self.keys[where] = _place(key)
            mapping[key.value] = self.read(value, where)
        return mapping

    def _entries(self, node: MappingNode, path: Path) -> list[tuple[ScalarNode, Node]]:
        """Keys and values of a mapping; those that `<<` merges in come where no own key replaces them."""
        own = [(key, value) for key, value in node.value if not key.tag.endswith(":merge")]
        merged = [value for key, value in node.value if key.tag.endswith(":merge")]
        for key, _ in own:
            if not isinstance(key, ScalarNode):
                raise YamlTextError(Problem("a key must be a text, got a list or mapping.", path, *_place(key)))
        # YAML 1.1's merge, which 1.2 left to applications: own keys win, then the earlier source.
        taken = {key.value for key, _ in own}
        for source in merged:
            for part in source.value if isinstance(source, SequenceNode) else [source]:
                for key, value in self._merged(part, path):
                    if key.value not in taken:
                        taken.add(key.value)
                        own.append((key, value))
        return own

    def _merged(self, part: Node, path: Path) -> list[tuple[ScalarNode, Node]]:
        if not isinstance(part, MappingNode):
            raise YamlTextError(Problem("`<<` must be given a mapping.", path, *_place(part)))
        for _ in part.value or [None]:
            self._count(part)
        with self._inside(part, path):
            return self._entries(part, path)


def _place(node: Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _explain(error: MarkedYAMLError, text: str) -> Problem:
    """The parser's message in words that need no knowledge of parsers."""
    # A key without ':' is noticed only further down, where its line has ended.
    late = "could not find expected ':'" in (error.problem or "")
    mark = (error.context_mark if late else error.problem_mark) or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    said = f"{error.context or ''} {error.problem or ''}".strip()
    opened = f"on line {error.context_mark.line + 1}" if error.context_mark else "before"
    lines = text.splitlines()
    character = lines[line][column : column + 1] if line < len(lines) else ""
    for words, hint in _HINTS.items():
        if words in said:
            return Problem(hint.format(opened=opened, **_character(character)), (), line + 1, column + 1)
    return Problem(f"the text is not YAML: {said}.", (), line + 1, column + 1)


def _character(character: str) -> dict[str, str]:
    if character == "\t":
        return {"character": "tab", "character_hint": "Indent with spaces."}
    return {"character": repr(character), "character_hint": "Put quotes around a text that begins with it."}


def _control_character(error: YAMLError, text: str) -> Problem:
    position = getattr(error, "position", 0)
    before = text[:position]
    character = text[position : position + 1]
    line, column = before.count("\n") + 1, position - before.rfind("\n")
    return Problem(f"the control character {character!r} cannot stand in YAML. Remove it.", (), line, column)
