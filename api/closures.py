"""A function or closure of a notebook as an import path: pickled by value into the store, known by its source."""

import ast
import hashlib
import inspect
import io
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import cloudpickle

from pegbox.schemas.code import Code
from pegbox.schemas.errors import StudyError
from pegbox.training.code_parts import is_package, meaning, package_part, read_code, starts_of_import

FOLDER = "functions"
"""Of the store: a module for each function, which workers import, beside what was pickled."""

_MODULE = '''"""Made by pegbox: the function of the study {study!r}."""

import pickle
from pathlib import Path

CODE = "{fingerprint}"  # the study is known by it: what was pickled has other bytes each time
run = pickle.loads(Path(__file__).with_suffix(".pkl").read_bytes())
'''


def import_path_of(function: Callable[..., Any], study: str, store: Path) -> str:
    """Where workers find a function: in its own module, or pickled in the store.

    A function at the top of a module that can be imported goes by its name, so that an edit of the file is seen. What
    is defined in a notebook, in `__main__` or inside another function is pickled by value with what it refers to.

    Raises:
        StudyError: It cannot be called, or it holds what no other process can be given.
    """
    if not callable(function):
        raise StudyError(f"run takes a function, got {function!r:.100}.", study)
    if (path := _own_path(function)) is not None:
        return path
    refuse_bound(function, study)
    try:
        content = cloudpickle.dumps(function)
    except Exception as error:  # pickling runs the code of whatever is held
        message = f"{_name(function)} cannot be handed to a worker: {error}. Make what it holds inside of it."
        raise StudyError(message, study) from error
    return _publish(content, source_fingerprint(function), study, store)


def _own_path(function: Callable[..., Any]) -> str | None:
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if module in {None, "__main__"} or "<" in name or "." in name:
        return None
    found = getattr(sys.modules.get(module), name, None)
    # One that `pegbox.objective` decorates stands there as what was made of it, and is called like it.
    is_found = found is function or getattr(found, "__wrapped__", None) is function
    return f"{module}:{name}" if is_found and _is_file_module(module) else None


def _is_file_module(module: str) -> bool:
    """False for modules that only this process has, such as those of notebooks and of tests."""
    try:
        return getattr(import_module(module), "__file__", None) is not None
    except ImportError:
        return False


def has_other_code(function: Callable[..., Any], study: str, store: Path) -> bool:
    """True if the study was last run with a function of a notebook, and this one has another source or other values."""
    try:
        text = (store.absolute() / FOLDER / f"{_module_name(study)}.py").read_text(encoding="utf-8")
    except OSError:
        return False
    return _own_path(function) is None and source_fingerprint(function) not in text


def _module_name(study: str) -> str:
    """By the study: the same name whenever it goes on. The hash keeps `a-b` and `a_b` apart."""
    plain = re.sub(r"\W", "_", study)
    return f"pegbox_function_{plain[:60]}_{hashlib.sha256(study.encode()).hexdigest()[:8]}"


def _publish(content: bytes, fingerprint: str, study: str, store: Path) -> str:
    """Write module and pickle; the folder is put where this process and its workers look for modules."""
    folder = store.absolute() / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = _module_name(study)
    pickled = folder / f"{name}.pkl"
    pickled.write_bytes(content)
    pickled.chmod(0o600)  # whoever could write it would run code as its reader
    (folder / f"{name}.py").write_text(_MODULE.format(study=study, fingerprint=fingerprint), encoding="utf-8")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return f"{name}:run"


def refuse_bound(function: Callable[..., Any], study: str) -> None:
    """Refuse a function that holds on to something of this process alone, by the name of the variable.

    Raises:
        StudyError: It holds an open file, a tensor on a GPU, or what cannot be pickled.
    """
    for name, value in _held(function):
        if isinstance(value, io.IOBase):
            what = f"the open file {getattr(value, 'name', '')!r} as {name!r}. Open it inside of the function"
        elif getattr(value, "is_cuda", False) is True or getattr(getattr(value, "device", None), "type", "") == "cuda":
            what = f"a tensor on a GPU as {name!r}, which another process cannot be given. Move it there, or make it"
            what += " inside of the function"
        else:
            continue
        raise StudyError(f"{_name(function)} holds {what}.", study)


def source_fingerprint(function: Callable[..., Any]) -> str:
    """Equal for equal code: the source of a function and of what it calls in its module, and the values it holds.

    What it has from modules of the user's own counts as it does for a function of a file: by what is reached of them.
    """
    digest = hashlib.sha256()
    waiting: list[Callable[..., Any]] = [function]
    seen: set[int] = set()
    imported: set[str] = set()
    mentioned: set[bytes] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        source = _source(one)
        digest.update(source)
        mentioned.update(re.findall(rb"[A-Za-z_]\w*", source))
        for name, value in _held(one):
            path = _path_of(value)
            if path is not None and path.partition(":")[0] != one.__module__:
                imported.add(path)
            elif inspect.isfunction(value):
                waiting.append(value)
            elif inspect.isclass(value):
                waiting += [method for _, method in sorted(vars(value).items()) if inspect.isfunction(method)]
                digest.update(f"{name}={_plain_attributes(value)}".encode())
            elif path is None:
                digest.update(f"{name}={_value(value)}".encode())
    return f"{digest.hexdigest()[:16]}-{_imported_code(imported, mentioned).fingerprint}"


def _path_of(value: Any) -> str | None:
    """Where a module, function or class is defined, as an import path; None of all else."""
    if inspect.ismodule(value):
        return f"{value.__name__}:"
    if inspect.isfunction(value) or inspect.isclass(value):
        return f"{value.__module__}:{value.__qualname__.partition('.')[0]}"
    return None


def _plain_attributes(kind: type) -> str:
    """What a class sets beside its methods, and what it inherits from."""
    plain = {name: value for name, value in vars(kind).items() if not name.startswith("__") and not callable(value)}
    return (
        f"{[base.__qualname__ for base in kind.__bases__]}{sorted((name, _value(one)) for name, one in plain.items())}"
    )


def _imported_code(paths: Collection[str], mentioned: Collection[bytes]) -> Code:
    """Of what a function has from other modules: the user's own, as far as it is mentioned, and packages."""
    names = tuple(name.decode(errors="replace") for name in mentioned)
    starts = (start for path in sorted(paths) for start in starts_of_import(path))
    code = read_code(start._replace(names=(*start.names, *names)) for start in starts)
    tops = {path.partition(":")[0].partition(".")[0] for path in paths}
    packages = [package_part(top) for top in tops if is_package(top)]
    return Code.of((*code.parts, *packages))


def _source(function: Callable[..., Any]) -> bytes:
    try:
        return meaning(ast.parse(textwrap.dedent(inspect.getsource(function)))).encode()
    except (OSError, TypeError, SyntaxError):  # typed into a shell that keeps no source, or a lambda in a call
        code = getattr(function, "__code__", None)
        return code.co_code + repr(code.co_consts).encode() if code else repr(function).encode()


def _value(value: Any) -> str:
    """A value as text; of what has no text of its own, the bytes that are pickled."""
    text = repr(value)
    if " at 0x" not in text and "..." not in text:
        return text
    try:
        return hashlib.sha256(cloudpickle.dumps(value)).hexdigest()
    except Exception:  # noqa: BLE001 - told when the whole function is pickled
        return type(value).__name__


def _held(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """The variables that a function takes from around it, by name, and its defaults."""
    inner = inspect.unwrap(function)
    try:
        around = inspect.getclosurevars(inner)
    except (TypeError, ValueError):  # no Python function: an object that can be called
        yield from sorted(getattr(function, "__dict__", {}).items())
        return
    yield from sorted({**around.globals, **around.nonlocals}.items())
    yield from ((f"default {place}", value) for place, value in enumerate(inner.__defaults__ or ()))


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
