"""What Prefect, its settings and its server refuse, in a sentence with the remedy; imports neither it nor httpx."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from pegbox.schemas.errors import PegboxError


@contextlib.contextmanager
def prefect_in_words() -> Iterator[None]:
    """Raise what Prefect refuses as an error of ours, which says what to do.

    Raises:
        PegboxError: Its server does not answer, or refuses; its settings cannot be read.
    """
    try:
        yield
    except PegboxError:
        raise
    except Exception as error:
        if said := refusal_of(error):
            raise said from error
        raise


def refusal_of(error: Exception) -> PegboxError | None:
    """The error in words; None where it is not Prefect's."""
    if type(error).__name__ == "ValidationError" and str(getattr(error, "title", "")).endswith("Settings"):
        return _settings_refused(error)
    if is_about_server(error):
        return unreachable(error)
    if isinstance(error, RuntimeError) and "ephemeral Prefect API server" in str(error):  # nor for this one
        return PegboxError(
            f"Prefect's own temporary server did not start ({_said(error)}). Prefect is set up here to use one "
            "(PREFECT_HOME, PREFECT_PROFILE or its profiles): see that the profile exists and its home can be written, "
            "or unset them for a server of the run's own."
        )
    return None


def is_about_server(error: BaseException) -> bool:
    """True where a request to Prefect's server failed."""
    httpx = sys.modules.get("httpx")  # loaded where a request was made
    if httpx is not None and isinstance(error, (httpx.HTTPError, httpx.InvalidURL)):
        return True
    return isinstance(error, RuntimeError) and "Failed to reach API" in str(error)  # Prefect has no class for it


def unreachable(error: Exception) -> PegboxError:
    """The error for a server that does not answer, refuses, or does not let this user in."""
    url = os.environ.get("PREFECT_API_URL", "the address that Prefect's settings name")
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in {401, 403}:
        return PegboxError(
            f"The Prefect server at {url} does not let this user in (status {status}). Set PREFECT_API_AUTH_STRING, or "
            "PREFECT_API_KEY, to what it asks for."
        )
    said = "does not answer" if status is None or status >= 500 else "does not do what it is asked for"
    return PegboxError(
        f"The Prefect server at {url} {said} ({_said(error)}). What was trained is recorded; the same command "
        "goes on with it. Start the server again, or unset PREFECT_API_URL for a server of the run's own."
    )


def _settings_refused(error: Any) -> PegboxError:
    told = [
        f"{'.'.join(map(str, one['loc']))} of {error.title}: {one['msg']}, got {one.get('input')!r:.80}"
        for one in error.errors()
        if one["type"] != "default_factory_not_called"  # follows from the others
    ]
    return PegboxError(
        f"Prefect's settings cannot be read: {'; '.join(told)}. They come from environment variables that begin with "
        "PREFECT_, from the active profile and from `prefect.toml`: correct the one that is named, or unset it."
    )


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
