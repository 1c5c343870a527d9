"""`@pegbox.objective(...)`: a function and the study that tunes it, in one place."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pegbox.api.study import Study


class Objective:
    """A function that can be tuned; called, it is the function."""

    def __init__(self, function: Callable[..., Any], sections: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._sections = sections

    @functools.cached_property
    def study(self) -> Study:
        """The study; made when it is asked for, as workers import the function's module too."""
        return Study(**self._sections)

    def run(self, **arguments: Any) -> Any:
        """Tune the function: `Study.run`."""
        return self.study.run(self._function, **arguments)

    async def run_async(self, **arguments: Any) -> Any:
        """The same for `asyncio`."""
        return await self.study.run_async(self._function, **arguments)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        """The function itself."""
        return self._function(*positional, **named)

    def __reduce__(self) -> Any:
        module, name = self.__module__, self._function.__qualname__
        if module != "__main__" and getattr(sys.modules.get(module), name, None) is self:
            return name  # pickle's word for what is found under its name
        # Without the study: it may hold a store that is open, and a worker needs the function alone.
        return Objective, (self._function, self._sections)


def objective(*, store: str | Path | None = None, **sections: Any) -> Callable[[Callable[..., Any]], Objective]:
    """Make a study of the function below it, with the sections of a study file by keyword.

        @pegbox.objective(space={"x": pegbox.Float(-1, 1)}, objective={"metric": "loss"}, budget={"trials": 20})
        def parabola(x):
            return x**2

        parabola.run()
        parabola.study.best

    Args:
        store: As of `Study`.
        sections: As of `Study`; the study has the function's name where `name` is left out.
    """

    def decorate(function: Callable[..., Any]) -> Objective:
        return Objective(function, {"name": getattr(function, "__name__", "objective"), "store": store, **sections})

    return decorate
