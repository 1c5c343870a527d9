"""What a piece of Python mentions, read from its syntax tree: names, modules, files that it reads, the environment."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pegbox.schemas.secret_texts import is_secret_name

_NAME = re.compile(r"[A-Za-z_]\w*")
_READS = re.compile(r"(open|scan|parse|from|safe|unsafe|full)(_\w+)?|(read|load)\w*|imread|fromfile|genfromtxt|File")
"""Names of calls that read the file they are given: `open`, `read_csv`, `Path.read_text`, `np.load`."""
_WRITES = re.compile(r"(write|save)\w*|(dump|to|export)(_\w+)?|touch|unlink|remove|rename|replace|copy\w*|move")
_WRITING_MODE = re.compile(r"[rbtU]*[wax+][rbtwax+]*")
_DYNAMIC = frozenset({"eval", "exec", "globals", "vars", "locals"})
_IMPORTERS = frozenset({"import_module", "__import__", "run_module"})
# What pegbox itself sets for a trial, and where a machine keeps its things: neither is a setting of the training.
_NO_SETTING = re.compile(
    r"PEGBOX_\w+|PREFECT_\w+|CUDA_VISIBLE_DEVICES|\w+_NUM_THREADS|(LOCAL_)?(RANK|WORLD_SIZE)|MASTER_(ADDR|PORT)|PATH|HOME|"
    r"USER|TMPDIR|TEMP|TMP|PWD|SHELL|TERM|LANG|DISPLAY|SLURM_\w+"
)
_LONGEST = 500
"""Characters; a longer text is prose or data, and names no file and no function."""


@dataclass
class Mentions:
    """What was seen.

    Attributes:
        names: Identifiers, also inside of texts: `getattr(lib, "f")` mentions `f`.
        modules: Dotted names that are imported.
        reads: Paths as they are written, in calls that read them; `writes` in calls that write them.
        environment: Variables that are asked for.
        is_dynamic: True if names are made up while it runs, so that any name may be meant.
        unseen: Imports whose name is made up while it runs, as `line 3`.
    """

    names: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    environment: set[str] = field(default_factory=set)
    is_dynamic: bool = False
    unseen: set[str] = field(default_factory=set)


def mentions_of(node: ast.AST, module: str, file: Path, constants: Mapping[str, str]) -> Mentions:
    """What a statement mentions.

    Args:
        node: The statement.
        module: Name of the module it stands in, to which relative imports belong.
        file: Of the module.
        constants: The module's names for texts, such as `CONFIG = "conf.yaml"`.
    """
    reader = _Reader(module, file, constants)
    reader.visit(node)
    return reader.seen


def text_constants(tree: ast.Module) -> dict[str, str]:
    """Names that a module gives to texts, once each."""
    found: dict[str, str] = {}
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            and isinstance(node.targets[0], ast.Name)
        ):
            found[node.targets[0].id] = node.value.value
    return found


def imported_by(node: ast.Import | ast.ImportFrom, module: str, file: Path) -> Iterator[str]:
    """Dotted names that a statement imports; of `from a import b` both `a` and `a.b`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = absolute_name(module, file, node)
    yield base
    yield from (f"{base}.{alias.name}" for alias in node.names)


def absolute_name(module: str, file: Path, node: ast.ImportFrom) -> str:
    """The absolute name of the module that a `from` statement imports from."""
    if not node.level:
        return node.module or ""
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    base = package[: len(package) - (node.level - 1)]
    return ".".join([*base, *([node.module] if node.module else [])])


class _Reader(ast.NodeVisitor):
    def __init__(self, module: str, file: Path, constants: Mapping[str, str]) -> None:
        self._module, self._file, self._constants = module, file, constants
        self.seen = Mentions()

    def visit_Name(self, node: ast.Name) -> None:
        self.seen.names.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.seen.names.add(node.attr)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and len(node.value) <= _LONGEST:
            self.seen.names.update(_NAME.findall(node.value))

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.seen.modules.update(imported_by(node, self._module, self._file))
        self.seen.names.update(alias.name for alias in node.names)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if _tail(node.value) == "environ" and isinstance(node.ctx, ast.Load):
            self._environment(node.slice)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = _tail(node.func)
        first = node.args[0] if node.args else None
        if called == "getenv" or (called in {"get", "setdefault", "pop"} and _owner(node.func) == "environ"):
            self._environment(first)
        elif called in _IMPORTERS:
            self._computed_import(node)
        elif called in _DYNAMIC or (called == "getattr" and len(node.args) > 1 and self._text(node.args[1]) is None):
            self.seen.is_dynamic = True
        elif _WRITES.fullmatch(called) or (called == "open" and self._is_written(node)):
            self.seen.writes |= self._paths(node)
        elif _READS.fullmatch(called):
            self.seen.reads |= self._paths(node)
        self.generic_visit(node)

    def _environment(self, name: ast.expr | None) -> None:
        text = self._text(name)
        if text and not _NO_SETTING.fullmatch(text) and not is_secret_name(text):
            self.seen.environment.add(text)

    def _computed_import(self, node: ast.Call) -> None:
        texts = [self._text(argument) for argument in (*node.args, *(one.value for one in node.keywords))]
        name = texts[0] if texts else None
        if name and name.startswith("."):
            name = f"{texts[1]}{name}" if len(texts) > 1 and texts[1] else None
        if name:
            self.seen.modules.add(name)
            return
        self.seen.is_dynamic = True
        self.seen.unseen.add(f"line {node.lineno}")

    def _text(self, node: ast.expr | None) -> str | None:
        """What is written there as a text, directly or through a name of the module."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return self._constants.get(node.id) if isinstance(node, ast.Name) else None

    def _is_written(self, call: ast.Call) -> bool:
        """True for `open(path, "w")` and `path.open(mode="a")`."""
        modes = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
        return any(text is not None and _WRITING_MODE.fullmatch(text) for text in map(self._text, modes))

    def _paths(self, call: ast.Call) -> set[str]:
        """The texts in a call, each alone and all joined: `Path("conf") / "a.yaml"` names one file."""
        # `ast.walk` goes level by level; the order of the text is that of the columns.
        texts = sorted(
            (node.lineno, node.col_offset, text)
            for node in ast.walk(call)
            if isinstance(node, ast.expr) and (text := self._text(node)) is not None and 0 < len(text) <= _LONGEST
        )
        return {*(text for *_, text in texts), "/".join(text for *_, text in texts)}


def _tail(node: ast.expr) -> str:
    """`c` of `a.b.c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _owner(node: ast.expr) -> str:
    """`b` of `a.b.c`."""
    return _tail(node.value) if isinstance(node, ast.Attribute) else ""
