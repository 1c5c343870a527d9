"""Holds linear algebra to one thread: its matrices are small here, and sums do not depend on the number of cores."""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import ThreadpoolController

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@cache
def _controller() -> ThreadpoolController:
    # Kept, because it looks through all loaded libraries; numpy's and scipy's BLAS are loaded before the first call.
    return ThreadpoolController()


def single_threaded(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, run while BLAS is held to one thread."""

    @wraps(function)
    def held(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with _controller().limit(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return held
