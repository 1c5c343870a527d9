"""Finds a user's code and reads it without running it: where a module lies, where a name is defined."""

import ast
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path
from typing import NamedTuple

from pegbox.training.code_mentions import absolute_name, imported_by

_SEARCHED = (BuiltinImporter, FrozenImporter, PathFinder)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Found(NamedTuple):
    """Where a name is defined; `definition` is None where it is assigned or cannot be read as Python."""

    file: Path | None
    definition: Definition | None


def find_module(name: str, directory: Path | None = None) -> ModuleSpec | None:
    """The module of this dotted name, first from the directory, then from `sys.path`; nothing is imported."""
    path: Sequence[str] = [str(directory or Path.cwd()), *sys.path]
    spec: ModuleSpec | None = None
    qualified = ""
    for part in name.split("."):
        qualified = f"{qualified}.{part}" if qualified else part
        try:
            spec = PathFinder.find_spec(qualified, list(path))
        except KeyError:  # a folder without __init__.py inside another one asks for its parent, which was not imported
            spec = ModuleSpec(qualified, None, is_package=True)
            spec.submodule_search_locations = [str(Path(one) / part) for one in path]
        spec = spec or (_found_by_hooks(name) if "." not in qualified else None)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
    return spec


def _found_by_hooks(name: str) -> ModuleSpec | None:
    """A module that an editable install brings in by a hook of its own; None where none knows it."""
    for finder in sys.meta_path:
        if any(finder is known for known in _SEARCHED):
            continue
        try:
            if (spec := finder.find_spec(name, None)) is not None:
                return spec
        except Exception:  # noqa: BLE001, S112 - a hook of somebody's, which may do anything
            continue
    return None


def module_file(name: str) -> Path | None:
    """The Python file of a module, or None where it has none (compiled, built in, a namespace, not there)."""
    spec = find_module(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


def parse(file: Path) -> ast.Module | None:
    """The syntax tree of a file; None where it cannot be read as Python."""
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


def find_definition(module: str, name: str, depth: int = 8) -> Found | None:
    """Where a module defines a name, through `from ... import`; None if the module shows that it has no such name."""
    file = module_file(module)
    tree = parse(file) if file else None
    if file is None or tree is None:
        return Found(file, None)
    has_star = False
    for node in _top_level(tree):
        if isinstance(node, Definition) and node.name == name:
            return Found(file, node)
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                has_star = has_star or alias.name == "*"
                if (alias.asname or alias.name) == name and depth:
                    origin = absolute_name(module, file, node)
                    return find_definition(origin, alias.name, depth - 1) or Found(file, None)
        if name in _bound_names(node):
            return Found(file, None)
    return Found(file, None) if has_star or name in _submodules(file) else None


def defined_names(module: str) -> tuple[str, ...]:
    """The functions and classes that a module defines itself."""
    file = module_file(module)
    tree = parse(file) if file else None
    return tuple(node.name for node in _top_level(tree) if isinstance(node, Definition)) if tree else ()


def _top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements of the module, also those under `if` and `try`."""
    waiting: list[ast.stmt] = list(reversed(tree.body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            nested = [*node.body, *getattr(node, "orelse", ())]
            nested += [inner for handler in getattr(node, "handlers", ()) for inner in handler.body]
            waiting.extend(reversed(nested))


def _bound_names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.Assign):
        return {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()


def _submodules(file: Path) -> set[str]:
    return {path.stem for path in file.parent.iterdir()} if file.name == "__init__.py" else set()


def imported_modules(file: Path, module: str) -> Iterator[str]:
    """Dotted names that a file imports, also inside functions; of `from a import b` both `a` and `a.b`.

    Args:
        module: Its own name, to which relative imports belong.
    """
    tree = parse(file)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported_by(node, module, file)
