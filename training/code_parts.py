"""What of a user's code shapes a result: the definitions that are reached, the files and variables that are read.

Read from syntax trees, nothing is run. What is meant counts, not how it is written: comments, docstrings, blank lines
and functions that nobody mentions are left out. Where in doubt something counts: training again costs time, a result of
other code is wrong.
"""

import ast
import hashlib
import os
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import NamedTuple

from pegbox.schemas.code import CodePart
from pegbox.schemas.named_files import file_digest
from pegbox.training.code_mentions import Mentions, mentions_of, text_constants
from pegbox.training.sources import Definition, find_module, parse

LARGEST_FILE_BYTES = 100_000_000
"""Of a larger file that is read the size and the time of change count: hashing it would delay every start."""
_OTHER_NAMES = {"sklearn": "scikit-learn", "PIL": "pillow", "yaml": "PyYAML"}
"""Distributions of modules of another name that many programs import; all others take a second to find."""
_INSTALLED = ("site-packages", "dist-packages")


class CodeStart(NamedTuple):
    """Where training begins: a Python file, its name as a module, and which of its names are called."""

    file: Path
    module: str
    names: tuple[str, ...] = ()


class UserCode(NamedTuple):
    """What was found.

    Attributes:
        parts: For the fingerprint.
        files: Python files that were read, of the user's.
        packages: Top-level names of installed packages that are imported.
        unseen: Places where a module is imported by a name that is made up while it runs.
    """

    parts: tuple[CodePart, ...]
    files: tuple[Path, ...] = ()
    packages: frozenset[str] = frozenset()
    unseen: tuple[str, ...] = ()

    def plus(self, *parts: CodePart) -> "UserCode":
        """With further parts."""
        return self._replace(parts=(*self.parts, *parts))


def starts_of_import(import_path: str) -> tuple[CodeStart, ...]:
    """The module of `package.module:name` where it is the user's own."""
    module, _, name = import_path.partition(":")
    return tuple(CodeStart(file, one, (name,)) for one, file in _own_files(module))


def read_code(starts: Iterable[CodeStart]) -> UserCode:
    """Everything that is reached from where training begins."""
    return _Reading(starts).result()


def package_part(top_level: str) -> CodePart:
    """An installed package by the version of its distribution, as `pip list` has it."""
    return CodePart(kind="package", name=top_level, value=_version(top_level))


def environment_part(name: str) -> CodePart:
    """A variable; its value is told to nobody."""
    value = os.environ.get(name)
    return CodePart(kind="environment", name=name, value="unset" if value is None else _digest(value.encode()))


def file_part(path: Path, name: str | None = None) -> CodePart:
    """A file by its bytes; where it lies does not matter, what it is called does."""
    stat = path.stat()
    large = stat.st_size > LARGEST_FILE_BYTES
    value = f"{stat.st_size}:{stat.st_mtime_ns}" if large else file_digest(path)[:16]
    return CodePart(kind="file", name=name or _name(path), value=value)


def _name(path: Path) -> str:
    path = path.resolve()
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name


class _Module:
    """A Python file of the user's, and which of its statements count so far."""

    def __init__(self, file: Path, module: str) -> None:
        self.file, self.module = file, module
        self.tree = parse(file)
        self.statements = self.tree.body if self.tree else []
        self.constants = text_constants(self.tree) if self.tree else {}
        self.counted: set[int] = set()
        self.definitions: dict[str, list[int]] = defaultdict(list)
        for place, node in enumerate(self.statements):
            # What is decorated may register itself, and dunder functions are called by Python.
            if isinstance(node, Definition) and not node.decorator_list and not node.name.startswith("__"):
                self.definitions[node.name].append(place)

    def always(self) -> set[int]:
        """Statements that run as soon as the module is imported."""
        named = {place for places in self.definitions.values() for place in places}
        return set(range(len(self.statements))) - named

    def part(self) -> CodePart:
        if self.tree is None:
            return CodePart(kind="module", name=self.module, value=file_digest(self.file)[:16])
        kept = ast.Module([self.statements[place] for place in sorted(self.counted)], [])
        return CodePart(kind="module", name=self.module, value=_digest(meaning(kept).encode()))


class _Reading:
    """Follows what is mentioned, from where training begins, until nothing new is."""

    def __init__(self, starts: Iterable[CodeStart]) -> None:
        self._modules: dict[Path, _Module] = {}
        self._binaries: set[Path] = set()
        self._names: set[str] = set()
        self._packages: set[str] = set()
        self._environment: set[str] = set()
        self._reads: set[Path] = set()
        self._writes: set[Path] = set()
        self._unseen: set[str] = set()
        self._is_dynamic = False
        for start in starts:
            self._names.update(start.names)
            self._add_file(start.file, start.module)
        while self._count_more():
            pass

    def result(self) -> UserCode:
        modules = sorted(self._modules.values(), key=lambda one: one.module)
        read = (self._reads | self._binaries) - self._writes - set(self._modules)
        parts = [one.part() for one in modules]
        parts += [file_part(path) for path in sorted(read)]
        parts += [package_part(name) for name in sorted(self._packages)]
        parts += [environment_part(name) for name in sorted(self._environment)]
        files = tuple(sorted(one.file for one in modules))
        return UserCode(tuple(parts), files, frozenset(self._packages), tuple(sorted(self._unseen)))

    def _count_more(self) -> bool:
        """One round over all modules; True if a statement was found to count."""
        found = False
        for one in list(self._modules.values()):
            wanted = one.always()
            for name, places in one.definitions.items():
                if self._is_dynamic or name in self._names:
                    wanted.update(places)
            for place in sorted(wanted - one.counted):
                one.counted.add(place)
                self._take(one, mentions_of(one.statements[place], one.module, one.file, one.constants))
                found = True
        return found

    def _take(self, module: _Module, seen: Mentions) -> None:
        self._names |= seen.names
        self._environment |= seen.environment
        self._is_dynamic |= seen.is_dynamic
        self._unseen |= {f"{_name(module.file)}, {place}" for place in seen.unseen}
        self._reads |= set(_existing(seen.reads, module.file.parent))
        self._writes |= set(_existing(seen.writes, module.file.parent))
        for name in seen.modules:
            self._add_import(name)

    def _add_import(self, name: str) -> None:
        top = name.partition(".")[0]
        own = _own_files(name) if top and top not in sys.stdlib_module_names else ()
        for module, file in own:
            self._add_file(file, module)
        if not own and is_package(top):
            self._packages.add(top)

    def _add_file(self, file: Path, module: str) -> None:
        file = file.resolve()
        if file.suffix != ".py":
            self._binaries.add(file)
        elif file not in self._modules:
            self._modules[file] = _Module(file, module)


def _own_files(module: str) -> tuple[tuple[str, Path], ...]:
    """The user's files that importing a module runs, with their names: packages on the way first; none if installed."""
    found = []
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        spec = find_module(name)
        if spec is None:
            break
        if spec.origin is None or spec.origin in {"built-in", "frozen", "namespace"}:
            continue
        file = Path(spec.origin)
        if is_foreign(name, file):
            return ()
        found.append((name, file))
    return tuple(found)


def is_foreign(module: str, file: Path) -> bool:
    """True for a module of pegbox, of Python itself, or of an installed package."""
    if module.partition(".")[0] == "pegbox" or not set(_INSTALLED).isdisjoint(file.parts):
        return True
    # Not everything below Python's prefix, which may be /usr: projects lie in /usr/src as well.
    return any(file.is_relative_to(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))


def is_package(top_level: str) -> bool:
    """True for the name of an installed package; not for a module of Python's own or of the user's."""
    if not top_level or top_level in sys.stdlib_module_names or _own_files(top_level):
        return False
    return find_module(top_level) is not None


def _existing(paths: Iterable[str], directory: Path) -> Iterator[Path]:
    """Files among texts: below the working directory, or beside the file that names them."""
    for text in paths:
        for base in (Path.cwd(), directory):
            try:
                if (path := base / text).is_file():
                    yield path.resolve()
                    break
            except (OSError, ValueError):  # a text that no path can be: too long, or with a null byte
                break


class _Meaning(ast.NodeTransformer):
    """Leaves out what has no effect: docstrings and other constants that stand alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(body := getattr(node, "body", None), list) and not body and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node


def meaning(tree: ast.Module) -> str:
    """The program of a tree without docstrings, comments and layout; the tree is changed."""
    return ast.unparse(ast.fix_missing_locations(_Meaning().visit(tree)))


def hash_meaning(files: Iterable[Path]) -> str:
    """One hash of the programs in some files."""
    return _digest("\n".join(meaning(ast.parse(file.read_bytes())) for file in files).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


@cache
def _version(top_level: str) -> str:
    try:
        return version(top_level)
    except PackageNotFoundError:
        pass
    names = [_OTHER_NAMES[top_level]] if top_level in _OTHER_NAMES else _distributions().get(top_level, [])
    return " ".join(f"{name} {version(name)}" for name in sorted(set(names))) or "unknown"


@cache
def _distributions() -> dict[str, list[str]]:
    """Asked for names that no distribution has alone: it reads the lists of files of every package."""
    return dict(packages_distributions())
