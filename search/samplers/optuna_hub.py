"""Samplers of OptunaHub packages that were fetched before; nothing is downloaded while a study is searched."""

import inspect
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from pegbox.schemas.errors import SearchError

PREFIX = "hub/"
REGISTRY = Path("github.com", "optuna", "optunahub-registry", "main", "package")
"""Where a package lies below OptunaHub's cache. Looked at first, because `load_module` fetches what is missing."""


def hub_sampler(package: str) -> type[Any]:
    """The sampler of a package, such as `samplers/hebo`.

    Raises:
        SearchError: OptunaHub is not installed, the package was not fetched, or it holds no sampler.
    """
    from optuna.samplers import BaseSampler

    module = _module(package)
    listed = [getattr(module, name) for name in getattr(module, "__all__", dir(module))]
    kinds = [kind for kind in listed if inspect.isclass(kind) and issubclass(kind, BaseSampler)]
    # A package also imports samplers of Optuna to build on; its own is the one that it defines.
    own = [kind for kind in kinds if kind.__module__.startswith(module.__name__)]
    if not own:
        raise SearchError(f"The package {package!r} of OptunaHub holds no sampler. Name one of its samplers/ packages.")
    return own[0]


def _module(package: str) -> ModuleType:
    try:
        import optunahub
        from optunahub._conf import cache_home  # private, and the only place that knows of its environment variables
    except ImportError as error:
        raise SearchError("OptunaHub is not installed. Run `pip install optunahub`.") from error
    registry = Path(cache_home()) / REGISTRY
    if ".." in Path(package).parts or not (registry / package / "__init__.py").is_file():
        raise SearchError(
            f"The package {package!r} of OptunaHub has not been fetched: {os.fspath(registry)} does not hold it. "
            f"With a network, run `python -c \"import optunahub; optunahub.load_module('{package}')\"` once."
        )
    try:
        return optunahub.load_local_module(package, registry_root=os.fspath(registry))
    except ImportError as error:
        raise SearchError(f"The package {package!r} of OptunaHub needs what is not installed: {error}.") from error
