"""What Prefect refuses comes as a sentence that says what to do; what is not Prefect's is left alone."""

import httpx
import pytest
from prefect.settings.models.root import Settings

from pegbox.flows.prefect_server.refusals import prefect_in_words
from pegbox.schemas.errors import PegboxError, StudyError


def settings_error(**settings: object) -> Exception:
    with pytest.raises(ValueError, match="Settings") as caught:
        Settings(**settings)  # type: ignore[arg-type]
    return caught.value


def status(code: int) -> httpx.HTTPStatusError:
    return httpx.HTTPStatusError(
        f"said {code}", request=httpx.Request("GET", "http://x"), response=httpx.Response(code)
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ConnectError("All connection attempts failed"), "does not answer .* Start the server again"),
        (httpx.UnsupportedProtocol("Request URL is missing a protocol"), "does not answer .* unset PREFECT_API_URL"),
        (httpx.InvalidURL("Invalid port"), "does not answer .* unset PREFECT_API_URL"),
        (status(503), "does not answer"),
        (status(401), "does not let this user in .* PREFECT_API_AUTH_STRING"),
        (status(404), "does not do what it is asked for .*said 404"),
        (RuntimeError("Failed to reach API at http://x"), "does not answer"),
        (RuntimeError("Timed out while attempting to connect to ephemeral Prefect API server."), "PREFECT_PROFILE"),
        (settings_error(client={"max_retries": "abc"}), "max_retries.* integer.*, got 'abc'. .*PREFECT_"),
    ],
)
def test_what_prefect_refuses_comes_with_the_remedy(error: Exception, said: str) -> None:
    with pytest.raises(PegboxError, match=said), prefect_in_words():
        raise error


@pytest.mark.parametrize("error", [RuntimeError("mine"), ValueError("mine"), StudyError("mine")])
def test_what_is_not_prefect_s_is_left_alone(error: Exception) -> None:
    with pytest.raises(type(error), match="mine") as caught, prefect_in_words():
        raise error
    assert caught.value is error
